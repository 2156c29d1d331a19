//! Which bucket to talk to, where it is, and with whose keys.

use crate::failure::{Failure, Outcome};
use crate::output::say;
use crate::text::parse_positive_length;
use clap::parser::ValueSource::CommandLine;
use clap::{Arg, ArgMatches, Args, ValueEnum};
use osslive::endpoint::region_of;
use osslive::profile::Profile;
use osslive::{AddressingStyle, Client, ClientBuilder, Credentials, SignatureVersion, credentials};
use osslive_local::Config;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where `osslive local` listens unless told otherwise.
const LOCAL: &str = "http://127.0.0.1:9000";

const HEADING: &str = "Connection";

/// The options by which every command finds its bucket.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = HEADING)]
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
    #[arg(long, global = true, value_enum, value_name = "VERSION")]
    signature: Option<Signature>,
    /// How the bucket stands in URLs; else virtual, and path for IP addresses
    #[arg(long, global = true, value_enum, value_name = "STYLE")]
    addressing_style: Option<Addressing>,
    /// Limit each call to this time, retries included [default: 30s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_positive_length)]
    timeout: Option<Duration>,
    /// Limit each attempt to connect to this time [default: 10s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_positive_length)]
    connect_timeout: Option<Duration>,
    /// Send a request that fails for a passing reason up to this many times [default: 3]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: Option<u32>,
    /// Connect through this HTTP proxy; a password in it is visible to every process, but not in
    /// a variable [default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY]
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["no_proxy", "local"])]
    proxy: Option<String>,
    /// Connect directly, whatever the environment says
    #[arg(long, global = true)]
    no_proxy: bool,
    /// Trust the certificates in this PEM file and no others
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Signature {
    V1,
    V4,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Addressing {
    /// BUCKET.HOST
    Virtual,
    /// HOST/BUCKET
    Path,
    /// HOST, which is bound to the bucket
    Cname,
}

impl Connection {
    /// Hides the options in the help of a command that connects to nothing.
    pub(crate) fn hide(command: clap::Command) -> clap::Command {
        command.mut_args(|argument| match Self::has(&argument) {
            true => argument.hide(true),
            false => argument,
        })
    }

    /// Returns an option among them that was given to a command, as it is
    /// written.
    pub(crate) fn given(matches: &ArgMatches, command: &clap::Command) -> Option<String> {
        let is_given = |argument: &&Arg| {
            Self::has(argument)
                && matches.value_source(argument.get_id().as_str()) == Some(CommandLine)
        };
        let given = command.get_arguments().find(is_given)?;
        Some(format!("--{}", given.get_long().unwrap_or_default()))
    }

    /// Whether an argument is one of them: a command's own may have the same
    /// name.
    fn has(argument: &Arg) -> bool {
        argument.is_global_set() && argument.get_help_heading() == Some(HEADING)
    }

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
        let mut builder = self.transport(self.protocol(Client::builder()))?;
        if verbose {
            builder = builder.observer(|attempt| say(&attempt.to_string()));
        }
        let place = self.place()?;
        if verbose {
            let Place { source, credentials, .. } = &place;
            say(&format!("access key {} from {source}", credentials.access_key_id()));
        }
        Ok(place.configure(builder).build()?)
    }

    /// How requests are written.
    fn protocol(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(version) = self.signature {
            builder = builder.signature_version(match version {
                Signature::V1 => SignatureVersion::V1,
                Signature::V4 => SignatureVersion::V4,
            });
        }
        if let Some(style) = self.addressing_style {
            builder = builder.addressing_style(match style {
                Addressing::Virtual => AddressingStyle::VirtualHosted,
                Addressing::Path => AddressingStyle::Path,
                Addressing::Cname => AddressingStyle::Cname,
            });
        }
        builder.internal(self.internal).user_agent("osslive-cli")
    }

    /// How requests are sent.
    fn transport(&self, mut builder: ClientBuilder) -> Outcome<ClientBuilder> {
        if let Some(limit) = self.timeout {
            builder = builder.timeout(limit);
        }
        if let Some(limit) = self.connect_timeout {
            builder = builder.connect_timeout(limit);
        }
        if let Some(count) = self.attempts {
            builder = builder.attempts(count);
        }
        if let Some(url) = &self.proxy {
            builder = builder.proxy(url);
        }
        if self.no_proxy {
            builder = builder.no_proxy();
        }
        if let Some(path) = &self.ca_file {
            builder = builder.root_certificates(pem(path)?);
        }
        // As many as any command has calls under way.
        Ok(builder.pool_size(256))
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

/// Reads a file of certificates.
fn pem(path: &Path) -> Outcome<Vec<u8>> {
    let pem = fs::read(path).map_err(|error| Failure::file(path, error))?;
    match pem.windows(PEM.len()).any(|part| part == PEM) {
        true => Ok(pem),
        false => Err(Failure::usage(format!("{}: no certificate in PEM format", path.display()))),
    }
}

const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

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
