//! The configuration of a client: explicit settings, completed from the environment
//! and config files.

use super::Client;
use super::place::{Addressing, Keys, Place, Setting};
use crate::attempt::Attempt;
use crate::call::{Engine, Observer};
use crate::clock::{Clock, SystemClock};
use crate::credentials::{self, CredentialsProvider};
use crate::discovery::DefaultCredentials;
use crate::endpoint::AddressingStyle;
use crate::error::{Error, ErrorKind, Result};
use crate::profile::Profile;
use crate::provider::{Choice, Network};
use crate::sign::SignatureVersion;
use crate::source::CredentialsSource;
use crate::stop::Stop;
use crate::transport::{ProxyChoice, Settings, Transport};
use std::env;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

impl Client {
    /// Starts the configuration of a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

/// The configuration of a [`Client`].
///
/// It needs a bucket, credentials, and a region or an endpoint; everything else
/// has a default. Settings made with the methods of this type take precedence
/// over what [`from_env`](Self::from_env) and [`profile`](Self::profile) find.
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    /// Explicit settings.
    explicit: Place,
    /// Settings from the sources, in order of precedence.
    found: Place,
    /// The error of a requested source that could not be read.
    error: Option<Error>,
    internal: bool,
    secure: bool,
    style: Option<AddressingStyle>,
    version: SignatureVersion,
    connect_timeout: Duration,
    timeout: Duration,
    attempts: u32,
    pool_size: usize,
    proxy: ProxyChoice,
    roots: Option<Vec<u8>>,
    user_agent: String,
    observer: Option<Observer>,
    /// Replaces the machine's clocks in tests.
    pub(super) clock: Option<Arc<dyn Clock>>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        ClientBuilder {
            explicit: Place::default(),
            found: Place::default(),
            error: None,
            internal: false,
            secure: true,
            style: None,
            version: SignatureVersion::default(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            attempts: 3,
            pool_size: 16,
            proxy: ProxyChoice::default(),
            roots: None,
            user_agent: String::new(),
            observer: None,
            clock: None,
        }
    }
}

impl ClientBuilder {
    /// Sets the region, such as `cn-hangzhou`. Inferred from the endpoint by
    /// default.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.explicit.region = Some(Setting::explicit(region));
        self
    }

    /// Sets the endpoint: a host, optionally with a scheme and a port. The
    /// bucket's own domain, as shown in the console, works too and sets the
    /// bucket. Defaults to the region's public endpoint.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.explicit.endpoint = Some(Setting::explicit(endpoint));
        self
    }

    /// Sets the bucket.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.explicit.bucket = Some(Setting::explicit(bucket));
        self
    }

    /// Sets the credentials or a credentials provider.
    pub fn credentials(mut self, provider: impl CredentialsProvider + 'static) -> Self {
        self.explicit.keys = Some(Ok(Keys::Provider(Arc::new(provider))));
        self
    }

    /// Sets the source of the credentials, such as the role of an ECS instance.
    /// They are obtained when they are first needed, and refreshed before they
    /// expire. Requests to STS and to URLs use this client's proxy and root
    /// certificates.
    ///
    /// Sources other than an access key need the feature `credential-sources`.
    ///
    /// ```
    /// use osslive::{Client, CredentialsSource, EcsRole};
    ///
    /// let builder = Client::builder()
    ///     .region("cn-hangzhou")
    ///     .bucket("my-bucket")
    ///     .credentials_source(CredentialsSource::EcsRole(EcsRole::new()));
    /// ```
    pub fn credentials_source(mut self, source: CredentialsSource) -> Self {
        self.explicit.keys = Some(Ok(Keys::Choice(source.into())));
        self
    }

    /// Loads the [`DefaultCredentials`] of this machine: from the environment, a
    /// config file of ossutil or the `aliyun` command, the ECS instance's role or a
    /// URL, whichever comes first. Region, endpoint and bucket come from
    /// `OSS_REGION`, `OSS_ENDPOINT` and `OSS_BUCKET`, region and endpoint also from
    /// the config file that has the credentials.
    ///
    /// The precedence is that of [`from_env`](Self::from_env).
    pub fn default_credentials(mut self) -> Self {
        let found = DefaultCredentials::find();
        let setting = |value| Setting { value, source: "the profile" };
        let place = |found: &DefaultCredentials| Place {
            region: found.region.clone().map(setting),
            endpoint: found.endpoint.clone().map(setting),
            ..Place::default()
        };
        let from_file = found.as_ref().map(place).unwrap_or_default();
        let keys = found.map(|found| {
            let DefaultCredentials { sources, skipped, .. } = found;
            Keys::Choice(Choice { sources, skipped })
        });
        self.found.add(Place { keys: Some(keys), ..environment() });
        self.found.add(from_file);
        self
    }

    /// Loads settings from the environment: credentials from
    /// `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_SESSION_TOKEN`,
    /// and region, endpoint and bucket from `OSS_REGION`, `OSS_ENDPOINT` and
    /// `OSS_BUCKET`.
    ///
    /// Each setting is taken from the first source that has it: the
    /// builder's own methods, then `from_env` and `profile` in the order in
    /// which they are called. [`build`](Self::build) fails if settings contradict
    /// each other, whatever their source.
    pub fn from_env(mut self) -> Self {
        let keys = credentials::from_env();
        let keys = keys.map(|keys| Keys::Choice(CredentialsSource::Keys(keys).into()));
        self.found.add(Place { keys: Some(keys), ..environment() });
        self
    }

    /// Loads settings from a profile of a config file, ossutil's or the `aliyun`
    /// command's: credentials, region and endpoint. The precedence is that of
    /// [`from_env`](Self::from_env); see [`Profile::read`] for the default path and
    /// name.
    ///
    /// Modes other than `AK` and `StsToken`, and the `aliyun` command's file, need
    /// the feature `credential-sources`.
    pub fn profile(mut self, path: Option<&Path>, name: Option<&str>) -> Self {
        let setting = |value| Setting { value, source: "the profile" };
        match Profile::read(path, name) {
            Ok(profile) => self.found.add(Place {
                region: profile.region.map(setting),
                endpoint: profile.endpoint.map(setting),
                bucket: None,
                keys: Some(Ok(Keys::Choice(profile.source.into()))),
            }),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    /// Enables the region's internal endpoint, for use inside its network.
    /// Defaults to false.
    pub fn internal(mut self, internal: bool) -> Self {
        self.internal = internal;
        self
    }

    /// Enables TLS for endpoints without a scheme. Defaults to true.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Sets where the bucket appears in URLs. Defaults to
    /// [`Path`](AddressingStyle::Path) for IP addresses and for hosts without a
    /// dot, such as `localhost`, and to
    /// [`VirtualHosted`](AddressingStyle::VirtualHosted) otherwise.
    pub fn addressing_style(mut self, style: AddressingStyle) -> Self {
        self.style = Some(style);
        self
    }

    /// Sets the signature version. Defaults to version 4.
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.version = version;
        self
    }

    /// Sets the timeout for connecting. Defaults to 10 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets the timeout of a call, including retries and back-off. Defaults to
    /// 30 seconds. Except on the last attempt, a response must start within a
    /// third of the remaining time.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the maximum number of attempts per call. Defaults to 3.
    pub fn attempts(mut self, count: u32) -> Self {
        self.attempts = count;
        self
    }

    /// Sets the maximum number of idle connections. Defaults to 16.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections;
        self
    }

    /// Sets the proxy by its URL: `http://`, `https://`, `socks4://`,
    /// `socks4a://`, `socks5://` or `socks5h://`, optionally with user and
    /// password.
    ///
    /// By default, the proxy is read from the environment, as in curl: `https_proxy` or
    /// `HTTPS_PROXY` for HTTPS, `http_proxy` (lower case only) for HTTP,
    /// `all_proxy` or `ALL_PROXY` for both, with the exceptions in `no_proxy`
    /// or `NO_PROXY`. Unlike with curl, endpoints on loopback are then always
    /// reached directly. An invalid proxy is an error.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxyChoice::Url(url.into());
        self
    }

    /// Disables the proxy from the environment.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyChoice::None;
        self
    }

    /// Trusts only the certificates in a PEM string, such as that of a private
    /// gateway. Defaults to the certificates in `SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// if set; else to Mozilla's, or with the feature `platform-verifier` or
    /// `native-tls` to the operating system's.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Appends a string to the user agent. Defaults to none.
    pub fn user_agent(mut self, text: impl Into<String>) -> Self {
        self.user_agent = text.into();
        self
    }

    /// Sets an observer, which is called after each request on the calling
    /// thread. Defaults to none.
    ///
    /// ```
    /// let builder = osslive::Client::builder().observer(|attempt| eprintln!("{attempt}"));
    /// ```
    pub fn observer(mut self, observer: impl Fn(&Attempt<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Creates the client. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], which names what is missing or wrong, and
    /// [`ErrorKind::Credentials`].
    pub fn build(self) -> Result<Client> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut place = self.explicit;
        place.add(self.found);
        let addressing = Addressing {
            internal: self.internal,
            secure: self.secure,
            style: self.style,
            version: self.version,
        };
        let (endpoint, region, keys) = place.resolve(&addressing)?;
        for (what, limit) in [("timeout", self.timeout), ("connect timeout", self.connect_timeout)]
        {
            if limit.is_zero() {
                return Err(config(format!("{what} 0: must be greater than zero")));
            }
        }
        let user_agent = user_agent(&self.user_agent)?;
        let network = Network {
            proxy: self.proxy.clone(),
            roots: self.roots.clone(),
            user_agent: user_agent.clone(),
        };
        let provider = keys.provider(network)?;
        let settings = Settings {
            origin: endpoint.url("", &[]),
            connect_timeout: self.connect_timeout,
            pool_size: self.pool_size.max(1),
            user_agent,
            proxy: self.proxy,
            roots: self.roots,
        };
        let stop = Arc::new(Stop::default());
        let transport = Transport::new(settings, stop.clone())?;
        let engine = Engine {
            endpoint,
            version: self.version,
            region,
            transport,
            observer: self.observer,
            stop,
            provider: RwLock::new(provider),
            signer: RwLock::new(None),
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            service_time: RwLock::default(),
        };
        Ok(Client {
            engine: Arc::new(engine),
            timeout: self.timeout,
            attempts: self.attempts.max(1),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("explicit", &self.explicit)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

/// Returns the bucket, region and endpoint that the environment sets.
fn environment() -> Place {
    let variable = |name: &'static str| {
        let value = env::var(name).ok().filter(|value| !value.trim().is_empty());
        value.map(|value| Setting { value, source: name })
    };
    Place {
        region: variable("OSS_REGION"),
        endpoint: variable("OSS_ENDPOINT"),
        bucket: variable("OSS_BUCKET"),
        keys: None,
    }
}

fn user_agent(extra: &str) -> Result<String> {
    if !extra.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(config("user agent: must contain only characters allowed in a header"));
    }
    let (version, os, arch) = (env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH);
    Ok(format!("osslive/{version} ({os}; {arch}) {extra}").trim_end().to_owned())
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}
