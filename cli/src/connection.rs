//! Which bucket to talk to, where it is, and with whose keys.

use crate::failure::Outcome;
use crate::text::{clean, parse_positive_length};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use osslive::endpoint::region_of;
use osslive::profile::Profile;
use osslive::{
    AddressingStyle, Client, ClientBuilder, Credentials, Error, SignatureVersion, credentials,
};
use osslive_local::Config;
use std::env;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Where `osslive local` listens unless told otherwise.
const LOCAL: &str = "http://127.0.0.1:9000";

/// The options by which every command finds its bucket.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The bucket; else OSS_BUCKET
    #[arg(long, global = true, value_name = "NAME")]
    bucket: Option<String>,
    /// The region, such as cn-hangzhou; else the profile's, else OSS_REGION
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// The host to ask, with port and http:// if need be; else the region's public one
    #[arg(long, global = true, value_name = "HOST")]
    endpoint: Option<String>,
    /// Asks the region's internal endpoint, from inside Alibaba Cloud
    #[arg(long, global = true, conflicts_with = "endpoint")]
    internal: bool,
    /// Takes keys, region and endpoint from this profile of ossutil's config file
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// ossutil's config file; else .ossutilconfig in the home folder
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Asks `osslive local` on this machine, with its default bucket and keys
    #[arg(
        long,
        global = true,
        value_name = "URL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = LOCAL,
        conflicts_with_all = ["profile", "config", "endpoint", "internal"]
    )]
    local: Option<String>,
    /// The version of the signature; v1 is for private gateways
    #[arg(long, global = true, value_name = "VERSION", value_parser = spelled(SignatureVersion::ALL, SignatureVersion::as_str))]
    signature: Option<SignatureVersion>,
    /// Put the bucket before the host (virtual), into the path, or nowhere, for a host name bound
    /// to it (cname) [default: virtual, and path for IP addresses]
    #[arg(long, global = true, value_name = "STYLE", value_parser = spelled(AddressingStyle::ALL, AddressingStyle::as_str))]
    addressing_style: Option<AddressingStyle>,
    /// The limit for each call, repeats included [default: 30s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_positive_length)]
    timeout: Option<Duration>,
}

/// Parses a value as the SDK spells it, and offers the values that there are.
fn spelled<T>(values: &[T], spelling: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = Error> + Copy + Send + Sync + 'static,
{
    let allowed = values.iter().map(|value| PossibleValue::new(spelling(*value)));
    PossibleValuesParser::new(allowed).try_map(|text| text.parse())
}

impl Connection {
    /// Whether this is about a local endpoint.
    pub(crate) fn is_local(&self) -> bool {
        let local_host = |host: &str| {
            let host = host.rsplit("://").next().unwrap_or(host);
            ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
        };
        self.local.is_some() || self.endpoint.as_deref().is_some_and(local_host)
    }

    /// A client for the bucket. With `verbose` it tells each request on
    /// standard error.
    pub(crate) fn client(&self, verbose: bool) -> Outcome<Client> {
        let mut builder = Client::builder();
        if let Some(version) = self.signature {
            builder = builder.signature_version(version);
        }
        if let Some(style) = self.addressing_style {
            builder = builder.addressing_style(style);
        }
        if let Some(limit) = self.timeout {
            builder = builder.timeout(limit);
        }
        if verbose {
            builder = builder.observer(|attempt| say(&attempt.to_string()));
        }
        // As many as any command has calls under way.
        let builder = builder.internal(self.internal).pool_size(256).user_agent("osslive-cli");
        let place = self.place()?;
        if verbose {
            let Place { source, credentials, .. } = &place;
            say(&format!("access key {} from {source}", credentials.access_key_id()));
        }
        Ok(place.configure(builder).build()?)
    }

    /// The place that the options, the config file and the environment give,
    /// in this order.
    fn place(&self) -> Outcome<Place> {
        let mut place = match &self.local {
            Some(url) => Place::local(url),
            None => self.remote_place()?,
        };
        // What is given by hand is not mixed with another place's other half.
        if self.local.is_none() && (self.region.is_some() || self.endpoint.is_some()) {
            place.endpoint = None;
        }
        if self.endpoint.as_deref().and_then(region_of).is_some() {
            place.region = None;
        }
        place.endpoint = self.endpoint.clone().or(place.endpoint);
        place.region = self.region.clone().or(place.region);
        place.bucket = self.bucket.clone().or(place.bucket);
        Ok(place)
    }

    fn remote_place(&self) -> Outcome<Place> {
        let path = self.config.as_deref();
        if self.profile.is_some() || path.is_some() {
            return Ok(Place::profile(Profile::read(path, self.profile.as_deref())?));
        }
        let from_env = credentials::from_env();
        if from_env.is_err() && variable("OSS_ACCESS_KEY_ID").is_none() && default_config_exists() {
            return Ok(Place::profile(Profile::read(None, None)?));
        }
        Ok(Place {
            source: "the environment",
            credentials: from_env?,
            region: variable("OSS_REGION"),
            endpoint: variable("OSS_ENDPOINT"),
            bucket: variable("OSS_BUCKET"),
            is_near: false,
        })
    }
}

/// Where a bucket is, and the keys for it.
struct Place {
    source: &'static str,
    credentials: Credentials,
    region: Option<String>,
    endpoint: Option<String>,
    bucket: Option<String>,
    /// Whether it is on this machine, where no proxy is needed.
    is_near: bool,
}

impl Place {
    /// A local endpoint as it starts by default. The environment's bucket and
    /// keys are for the real service and left alone.
    fn local(url: &str) -> Self {
        let or = |name, default: &str| variable(name).unwrap_or_else(|| default.to_owned());
        Place {
            source: "the local endpoint's defaults",
            credentials: Credentials::new(
                or("OSSLIVE_LOCAL_ACCESS_KEY_ID", Config::ACCESS_KEY_ID),
                or("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", Config::ACCESS_KEY_SECRET),
            ),
            region: Some("cn-hangzhou".to_owned()),
            // TLS is the default everywhere but here.
            endpoint: Some(if url.contains("://") { url.into() } else { format!("http://{url}") }),
            bucket: Some(Config::BUCKET.to_owned()),
            is_near: true,
        }
    }

    fn profile(profile: Profile) -> Self {
        let place = profile.endpoint.is_some() || profile.region.is_some();
        let or = |value: Option<String>, name| if place { value } else { variable(name) };
        Place {
            source: "ossutil's config file",
            region: or(profile.region, "OSS_REGION"),
            endpoint: or(profile.endpoint, "OSS_ENDPOINT"),
            credentials: profile.credentials,
            bucket: variable("OSS_BUCKET"),
            is_near: false,
        }
    }

    fn configure(self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(region) = self.region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(bucket) = self.bucket {
            builder = builder.bucket(bucket);
        }
        if self.is_near {
            builder = builder.no_proxy();
        }
        builder.credentials(self.credentials)
    }
}

/// Says something on the way, to whoever asked for it by `-v`.
pub(crate) fn say(line: &str) {
    // A progress bar may be on the screen.
    eprintln!("* {}", clean(line));
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn default_config_exists() -> bool {
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"));
    home.is_some_and(|home| Path::new(&home).join(".ossutilconfig").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_endpoint_is_known_by_its_option_or_its_address() {
        let of =
            |endpoint: &str| Connection { endpoint: Some(endpoint.into()), ..Default::default() };
        assert!(of("http://127.0.0.1:9000").is_local());
        assert!(of("localhost:9000").is_local());
        assert!(!of("oss-cn-hangzhou.aliyuncs.com").is_local());
        assert!(Connection { local: Some(LOCAL.into()), ..Default::default() }.is_local());
        assert!(!Connection::default().is_local());
    }
}
