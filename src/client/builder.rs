//! What a client is made of: settings by hand, and what the environment and
//! ossutil's config file add to them.

use super::Client;
use super::place::{Addressing, Place, Setting};
use crate::attempt::Attempt;
use crate::call::{Engine, Observer};
use crate::clock::{Clock, SystemClock};
use crate::credentials::{self, CredentialsProvider};
use crate::endpoint::AddressingStyle;
use crate::error::{Error, ErrorKind, Result};
use crate::profile::Profile;
use crate::sign::SignatureVersion;
use crate::stop::Stop;
use crate::transport::{ProxyChoice, Settings, Transport};
use std::env;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

impl Client {
    /// Begins the configuration of a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

/// The configuration of a [`Client`].
///
/// A bucket, credentials, and a region or an endpoint are needed; everything
/// else has a default. What is set by the methods of this type comes before
/// what [`from_env`](Self::from_env) and [`profile`](Self::profile) find.
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    /// What is set by hand.
    by_hand: Place,
    /// What the sources add, the first one first.
    found: Place,
    /// Why a source that was asked for could not be read.
    fault: Option<Error>,
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
    /// The machine's clocks, unless a test sets others.
    pub(super) clock: Option<Arc<dyn Clock>>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        ClientBuilder {
            by_hand: Place::default(),
            found: Place::default(),
            fault: None,
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
    /// Sets the region, such as `cn-hangzhou`. Defaults to the one that the
    /// endpoint's host names.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.by_hand.region = Some(Setting::by_hand(region));
        self
    }

    /// Sets the endpoint: a host, with a port and a scheme if you like. The
    /// bucket's own domain, as the console shows it, will do too, and names the
    /// bucket. Defaults to the public endpoint of the region.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.by_hand.endpoint = Some(Setting::by_hand(endpoint));
        self
    }

    /// Sets the bucket.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.by_hand.bucket = Some(Setting::by_hand(bucket));
        self
    }

    /// Sets the credentials, or what provides them.
    pub fn credentials(mut self, provider: impl CredentialsProvider + 'static) -> Self {
        self.by_hand.provider = Some(Ok(Arc::new(provider)));
        self
    }

    /// Adds what the environment has now: the credentials of
    /// `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_SESSION_TOKEN`,
    /// and region, endpoint and bucket of `OSS_REGION`, `OSS_ENDPOINT` and
    /// `OSS_BUCKET`.
    ///
    /// Each setting is taken by itself from the first that has it: the
    /// builder's own methods, then `from_env` and `profile` in the order in
    /// which they are called. Settings that contradict each other, wherever
    /// they come from, are an error of [`build`](Self::build).
    pub fn from_env(mut self) -> Self {
        let variable = |name: &'static str| {
            let value = env::var(name).ok().filter(|value| !value.trim().is_empty());
            value.map(|value| Setting { value, source: name })
        };
        self.found.add(Place {
            region: variable("OSS_REGION"),
            endpoint: variable("OSS_ENDPOINT"),
            bucket: variable("OSS_BUCKET"),
            provider: Some(credentials::from_env().map(|keys| Arc::new(keys) as _)),
        });
        self
    }

    /// Adds what a profile of ossutil's config file has now: credentials,
    /// region and endpoint, by the rule of [`from_env`](Self::from_env).
    ///
    /// Without a path the file is that of `OSSUTIL_CONFIG_FILE`, or else
    /// `.ossutilconfig` in the home folder; without a name the profile is that
    /// of `OSSUTIL_PROFILE`, or else the default one.
    pub fn profile(mut self, path: Option<&Path>, name: Option<&str>) -> Self {
        let setting = |value| Setting { value, source: "the profile" };
        match Profile::read(path, name) {
            Ok(profile) => self.found.add(Place {
                region: profile.region.map(setting),
                endpoint: profile.endpoint.map(setting),
                bucket: None,
                provider: Some(Ok(Arc::new(profile.credentials))),
            }),
            Err(error) => self.fault = self.fault.or(Some(error)),
        }
        self
    }

    /// Sets whether the region's internal endpoint is used, from inside its
    /// network. Defaults to false.
    pub fn internal(mut self, internal: bool) -> Self {
        self.internal = internal;
        self
    }

    /// Sets whether requests go over TLS, where the endpoint has no scheme.
    /// Defaults to true.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Sets how the bucket stands in URLs. Defaults to
    /// [`Path`](AddressingStyle::Path) for IP addresses and for hosts that no
    /// bucket can stand before, such as `localhost` and names without a dot,
    /// and to [`VirtualHosted`](AddressingStyle::VirtualHosted) for all others.
    pub fn addressing_style(mut self, style: AddressingStyle) -> Self {
        self.style = Some(style);
        self
    }

    /// Sets the signature version. Defaults to version 4.
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.version = version;
        self
    }

    /// Sets the limit for making a connection. Defaults to 10 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets the limit for a whole call, repeats and waiting included.
    /// Defaults to 30 seconds. While another attempt is to come, an answer must
    /// begin within a third of what is left of it.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets how often a request is sent at most, while failures may pass.
    /// Defaults to 3.
    pub fn attempts(mut self, count: u32) -> Self {
        self.attempts = count;
        self
    }

    /// Sets how many idle connections are kept. Defaults to 16.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections;
        self
    }

    /// Sets the proxy by its URL: `http://`, `https://`, `socks4://`,
    /// `socks4a://`, `socks5://` or `socks5h://`, with user and password if it
    /// wants them.
    ///
    /// Without this the environment decides, as for curl: `https_proxy` or
    /// `HTTPS_PROXY` for HTTPS, `http_proxy` (in lower case alone) for HTTP,
    /// `all_proxy` or `ALL_PROXY` for both, and none for the hosts of
    /// `no_proxy` or `NO_PROXY`. Unlike curl's, an endpoint on this machine is
    /// then always reached directly. A proxy that cannot be used is an error.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxyChoice::Url(url.into());
        self
    }

    /// Goes through no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyChoice::None;
        self
    }

    /// Trusts the certificates of a PEM text and no others, as a private
    /// gateway needs. Defaults to those of the file `SSL_CERT_FILE` and the
    /// folder `SSL_CERT_DIR`, where the environment names one; else to
    /// Mozilla's roots, or with the feature `platform-verifier` or `native-tls`
    /// to those of the operating system.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Adds to the user agent, after this crate's own part. Defaults to
    /// nothing.
    pub fn user_agent(mut self, text: impl Into<String>) -> Self {
        self.user_agent = text.into();
        self
    }

    /// Sets what is told about each request that was sent, after it was and
    /// on the thread of the call. Defaults to nothing.
    ///
    /// ```
    /// let builder = osslive::Client::builder().observer(|attempt| eprintln!("{attempt}"));
    /// ```
    pub fn observer(mut self, observer: impl Fn(&Attempt<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming what is missing or wrong, and
    /// [`ErrorKind::Credentials`].
    pub fn build(self) -> Result<Client> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let mut place = self.by_hand;
        place.add(self.found);
        let addressing = Addressing {
            internal: self.internal,
            secure: self.secure,
            style: self.style,
            version: self.version,
        };
        let (endpoint, region, provider) = place.resolve(&addressing)?;
        for (what, limit) in [("timeout", self.timeout), ("connect timeout", self.connect_timeout)]
        {
            if limit.is_zero() {
                return Err(config(format!("{what} 0: must be greater than zero")));
            }
        }
        let settings = Settings {
            origin: endpoint.url("", &[]),
            connect_timeout: self.connect_timeout,
            pool_size: self.pool_size.max(1),
            user_agent: user_agent(&self.user_agent)?,
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
            .field("by_hand", &self.by_hand)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

fn user_agent(extra: &str) -> Result<String> {
    if !extra.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(config("user agent: must not contain characters that a header cannot carry"));
    }
    let (version, os, arch) = (env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH);
    Ok(format!("osslive/{version} ({os}; {arch}) {extra}").trim_end().to_owned())
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}
