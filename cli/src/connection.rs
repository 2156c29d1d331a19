//! Connection options: the bucket, its endpoint, and the credentials.

use crate::failure::{Failure, Outcome};
use crate::output::say;
use crate::text::parse_positive_duration;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::parser::ValueSource::CommandLine;
use clap::{Arg, ArgMatches, Args};
use osslive::profile::Profile;
use osslive::{
    AddressingStyle, Attempt, Client, ClientBuilder, Credentials, DefaultCredentials, Error,
    ErrorKind, SignatureVersion,
};
use osslive_local::Config;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// The default address of `osslive local`.
const LOCAL: &str = "http://127.0.0.1:9000";

const HEADING: &str = "Connection";

/// The connection options of all commands.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct Connection {
    /// Bucket name [env: OSS_BUCKET]
    #[arg(long, global = true, value_name = "NAME")]
    bucket: Option<String>,
    /// Region, such as cn-hangzhou [env: OSS_REGION]
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// Endpoint host, optionally with http:// and a port [env: OSS_ENDPOINT]
    /// [default: the region's public endpoint]
    #[arg(long, global = true, value_name = "HOST")]
    endpoint: Option<String>,
    /// Use the region's internal endpoint, for use inside Alibaba Cloud
    #[arg(long, global = true, conflicts_with = "endpoint")]
    internal: bool,
    /// Read credentials, region and endpoint from this profile of --config
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// Config file of ossutil or the aliyun command
    /// [default: ~/.ossutilconfig, else ~/.aliyun/config.json]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use the local endpoint, with its default bucket and credentials
    /// [default: http://127.0.0.1:9000]
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
    /// Signature version; v1 is for private gateways [default: v4]
    #[arg(long, global = true, value_name = "VERSION", value_parser = spelled(SignatureVersion::ALL, SignatureVersion::as_str))]
    signature: Option<SignatureVersion>,
    /// Where the bucket name goes: in the host name (virtual), in the path, or
    /// nowhere, for a custom domain (cname) [default: virtual; path for IP addresses]
    #[arg(long, global = true, value_name = "STYLE", value_parser = spelled(AddressingStyle::ALL, AddressingStyle::as_str))]
    addressing_style: Option<AddressingStyle>,
    /// Timeout per call, including retries [default: 30s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_positive_duration)]
    timeout: Option<Duration>,
    /// Timeout for connecting [default: 10s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_positive_duration)]
    connect_timeout: Option<Duration>,
    /// Maximum attempts per request [default: 3]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: Option<u32>,
    /// HTTP or SOCKS5 proxy; a password given here is visible to other processes
    /// [env: HTTPS_PROXY, http_proxy, ALL_PROXY, NO_PROXY]
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["no_proxy", "local"])]
    proxy: Option<String>,
    /// Disable the proxy from the environment
    #[arg(long, global = true)]
    no_proxy: bool,
    /// Trust only the certificates in this PEM file
    /// [env: SSL_CERT_FILE, SSL_CERT_DIR]
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Parses a value in the SDK's spelling, and offers the possible values.
fn spelled<T>(values: &[T], spelling: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = Error> + Copy + Send + Sync + 'static,
{
    let allowed = values.iter().map(|value| PossibleValue::new(spelling(*value)));
    PossibleValuesParser::new(allowed).try_map(|text| text.parse())
}

impl Connection {
    /// Hides the options in the help of commands that do not connect.
    pub(crate) fn hide(command: clap::Command) -> clap::Command {
        command.mut_args(|argument| match Self::has(&argument) {
            true => argument.hide(true),
            false => argument,
        })
    }

    /// Returns the first of these options that was given to a command, as written.
    pub(crate) fn given(matches: &ArgMatches, command: &clap::Command) -> Option<String> {
        let is_given = |argument: &&Arg| {
            Self::has(argument)
                && matches.value_source(argument.get_id().as_str()) == Some(CommandLine)
        };
        let given = command.get_arguments().find(is_given)?;
        Some(format!("--{}", given.get_long().unwrap_or_default()))
    }

    /// Returns whether an argument is one of them: a command's own option may have
    /// the same name.
    fn has(argument: &Arg) -> bool {
        argument.is_global_set() && argument.get_help_heading() == Some(HEADING)
    }

    /// Returns whether this is about a local endpoint.
    pub(crate) fn is_local(&self) -> bool {
        let local_host = |host: &str| {
            let host = host.rsplit("://").next().unwrap_or(host);
            ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
        };
        self.local.is_some() || self.endpoint.as_deref().is_some_and(local_host)
    }

    /// Returns the timeout, if given.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Returns a client for the bucket. With `verbose`, it logs each request to
    /// standard error.
    pub(crate) fn client(&self, verbose: bool) -> Outcome<Client> {
        self.observed(verbose, |_| {})
    }

    /// Like [`client`](Self::client); `observe` is called after each request.
    pub(crate) fn observed(
        &self,
        verbose: bool,
        observe: impl Fn(&Attempt<'_>) + Send + Sync + 'static,
    ) -> Outcome<Client> {
        let builder = self.transport(self.protocol(Client::builder()))?;
        let builder = builder.observer(move |attempt| {
            observe(attempt);
            if verbose {
                say(&attempt.to_string());
            }
        });
        // Without credentials, the region does not matter yet.
        let keys = self.find_keys()?;
        if verbose {
            say(&format!("credentials: {keys}"));
        }
        match (self.settings(builder).build(), keys) {
            (Ok(client), _) => Ok(client),
            (Err(_), Keys::Unknown(skipped)) => {
                let tried = skipped.join("; ");
                let message = format!("no credentials found: {tried}");
                Err(Error::new(ErrorKind::Credentials, message).into())
            }
            (Err(error), Keys::Found(_)) => Err(error.into()),
        }
    }

    /// Returns the signature version of requests.
    pub(crate) fn signature(&self) -> SignatureVersion {
        self.signature.unwrap_or_default()
    }

    /// Returns an HTTP client for requests that the SDK would not send. It returns
    /// every response as is, and follows no redirects.
    pub(crate) fn agent(&self, default_timeout: Duration) -> Outcome<ureq::Agent> {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(self.timeout.unwrap_or(default_timeout)))
            .timeout_connect(self.connect_timeout)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true);
        // Without an explicit proxy, the agent reads the environment.
        if self.no_proxy || self.is_local() {
            config = config.proxy(None);
        } else if let Some(url) = &self.proxy {
            // The error may quote a password.
            let invalid = |_| Failure::usage("--proxy: must be a URL such as http://HOST:PORT");
            config = config.proxy(Some(ureq::Proxy::new(url).map_err(invalid)?));
        }
        let variable = || variable("SSL_CERT_FILE").map(PathBuf::from);
        if let Some(path) = self.ca_file.clone().or_else(variable) {
            let pem = pem(&path)?;
            let roots = parse_pem(&pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            let roots = RootCerts::new_with_certs(&roots.collect::<Vec<_>>());
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(ureq::Agent::new_with_config(config.build()))
    }

    /// Options that affect the contents of requests.
    fn protocol(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(version) = self.signature {
            builder = builder.signature_version(version);
        }
        if let Some(style) = self.addressing_style {
            builder = builder.addressing_style(style);
        }
        builder.internal(self.internal).user_agent("osslive-cli")
    }

    /// Options that affect how requests are sent.
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
        // The maximum number of concurrent requests of any command.
        Ok(builder.pool_size(256))
    }

    /// Sets bucket, endpoint and credentials. Each setting comes from the first
    /// source that has it: the options, then `--profile` or `--config`, the
    /// environment, and the file of the default credentials.
    fn settings(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(url) = &self.local {
            return self.local_settings(url, builder);
        }
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(bucket) = &self.bucket {
            builder = builder.bucket(bucket);
        }
        if self.names_a_profile() {
            builder.profile(self.config.as_deref(), self.profile.as_deref()).from_env()
        } else {
            builder.default_credentials()
        }
    }

    /// Uses a local endpoint with its default settings. The environment's bucket
    /// and credentials are for the real service, and are ignored.
    fn local_settings(&self, url: &str, builder: ClientBuilder) -> ClientBuilder {
        let or = |given: &Option<String>, default: &str| {
            given.clone().unwrap_or_else(|| default.to_owned())
        };
        // TLS is the default everywhere else.
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        builder
            .region(or(&self.region, "cn-hangzhou"))
            .endpoint(url)
            .bucket(or(&self.bucket, Config::BUCKET))
            .credentials(local_credentials())
            .no_proxy()
    }

    fn names_a_profile(&self) -> bool {
        self.profile.is_some() || self.config.is_some()
    }

    /// Determines the credentials to use.
    fn find_keys(&self) -> Outcome<Keys> {
        if self.local.is_some() {
            let id = local_credentials().access_key_id().to_owned();
            return Ok(Keys::Found(format!("the access key {id} of the local endpoint")));
        }
        if self.names_a_profile() {
            let profile = Profile::read(self.config.as_deref(), self.profile.as_deref())?;
            return Ok(Keys::Found(format!("{} from the profile", profile.source)));
        }
        let found = DefaultCredentials::find()?;
        Ok(match found.is_configured() {
            true => Keys::Found(found.to_string()),
            false => Keys::Unknown(found.skipped().to_vec()),
        })
    }
}

/// The credentials to use.
enum Keys {
    /// A description of the credentials, without secrets.
    Found(String),
    /// No credentials are configured; the metadata service of an ECS instance may
    /// provide some.
    /// Explains why other sources do not apply.
    Unknown(Vec<String>),
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keys::Found(keys) => f.write_str(keys),
            Keys::Unknown(_) => f.write_str("the ECS instance's role, if there is one"),
        }
    }
}

fn local_credentials() -> Credentials {
    let or = |name, default: &str| variable(name).unwrap_or_else(|| default.to_owned());
    Credentials::new(
        or("OSSLIVE_LOCAL_ACCESS_KEY_ID", Config::ACCESS_KEY_ID),
        or("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", Config::ACCESS_KEY_SECRET),
    )
}

/// Reads a file of certificates.
fn pem(path: &Path) -> Outcome<Vec<u8>> {
    let pem = fs::read(path).map_err(|error| Failure::file(path, error))?;
    match pem.windows(PEM.len()).any(|part| part == PEM) {
        true => Ok(pem),
        false => Err(Failure::usage(format!(
            "{}: contains no certificate in PEM format",
            path.display()
        ))),
    }
}

const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_endpoint_is_recognized_by_its_option_or_its_address() {
        let of =
            |endpoint: &str| Connection { endpoint: Some(endpoint.into()), ..Default::default() };
        assert!(of("http://127.0.0.1:9000").is_local());
        assert!(of("localhost:9000").is_local());
        assert!(!of("oss-cn-hangzhou.aliyuncs.com").is_local());
        assert!(Connection { local: Some(LOCAL.into()), ..Default::default() }.is_local());
        assert!(!Connection::default().is_local());
    }

    #[test]
    fn every_option_is_in_the_table_of_settings() {
        let page = include_str!("../../docs/configuration.md");
        let command = Connection::augment_args(clap::Command::new("osslive"));
        let options = command.get_arguments().filter_map(Arg::get_long);
        // This option stands for several settings.
        for option in options.filter(|option| *option != "local") {
            assert!(page.contains(&format!("`--{option}`")), "--{option}");
        }
    }
}
