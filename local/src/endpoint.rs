//! The endpoint as a whole: configuration, start and stop.

use crate::address::{self, Addressing};
use crate::api::{self, Account, Service};
use crate::auth::AccessKey;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::control::Control;
use crate::control_http::ControlApi;
use crate::cors;
use crate::event::{Event, EventKind, Level};
use crate::event_log::{EventLog, Observer};
use crate::front_ends::FrontEnds;
use crate::guard::Token;
use crate::initial::InitialState;
use crate::limits::PeerLimits;
use crate::listener::Listener;
use crate::page;
use crate::publisher::Context;
use crate::site::{self, Site};
use crate::store::{Acl, BucketContents, Durability, Medium, Store};
use osslive::{Client, ClientBuilder, Credentials};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where an endpoint keeps its data.
#[derive(Debug, Clone)]
enum Place {
    /// In this folder.
    Folder(PathBuf),
    /// In a new directory that is deleted with the endpoint.
    Temporary(Medium),
}

/// The configuration of a [`LocalEndpoint`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    listen: SocketAddr,
    data: Place,
    buckets: Vec<String>,
    acl: Option<Acl>,
    account: Account,
    access_key: AccessKey,
    /// Additional keys; temporary ones have a token.
    other_keys: Vec<AccessKey>,
    initial: InitialState,
    region: String,
    domain: String,
    cnames: Vec<String>,
    cors: Vec<String>,
    qps_limit: Option<u32>,
    limits: PeerLimits,
    max_storage: Option<u64>,
    is_durable: bool,
    clock: Clock,
    observer: Option<Observer>,
    page: Page,
    is_controlled: bool,
    control_token: Option<Token>,
}

/// The settings of the page.
#[derive(Clone, Default)]
struct Page {
    is_disabled: bool,
    is_remote: bool,
    token: Option<String>,
    hls_js: Option<Arc<str>>,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("is_disabled", &self.is_disabled)
            .field("is_remote", &self.is_remote)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Returns the configuration of an endpoint on a free port of 127.0.0.1 that keeps
    /// its data in a directory.
    ///
    /// The directory is created if it is missing; an existing one must be empty or
    /// contain the read-only file `.osslive`, by which the endpoint recognizes its
    /// directory at later starts. Any other directory is rejected and left unchanged. On
    /// Unix the directory must belong to the user who runs the endpoint, even the
    /// superuser, and nobody else has access: directories have mode 0700, files 0600.
    ///
    /// Links are followed only above the directory. The directory itself must not be a
    /// link, and a link inside it is rejected wherever the endpoint would have to
    /// follow it.
    ///
    /// To use buckets from elsewhere (a checkout, a directory without `.osslive`),
    /// move their directories to the directory of an endpoint that is not running.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Config::with(Place::Folder(data.into()))
    }

    /// Returns the configuration of an endpoint on a free port of 127.0.0.1 that keeps
    /// its data in a new directory below [`std::env::temp_dir`], which only this user can
    /// access and which is deleted when the endpoint stops. The next start of such an
    /// endpoint deletes what a killed process left behind.
    pub fn temporary() -> Self {
        Config::with(Place::Temporary(Medium::Disk))
    }

    /// Returns the same as [`temporary`](Self::temporary), but without a disk: the
    /// directory is in `/dev/shm`, the in-memory file system of Linux. Recordings use at
    /// most half of the available space, and by default at most
    /// [`MAX_MEMORY`](Self::MAX_MEMORY). On other systems the endpoint does not start
    /// ([`io::ErrorKind::Unsupported`]). The system may still swap.
    pub fn in_memory() -> Self {
        let config = Config::with(Place::Temporary(Medium::Memory));
        Config { max_storage: Some(Self::MAX_MEMORY), ..config }
    }

    fn with(data: Place) -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data,
            buckets: Vec::new(),
            acl: None,
            account: Account::default(),
            access_key: AccessKey {
                id: Self::ACCESS_KEY_ID.into(),
                secret: Self::ACCESS_KEY_SECRET.into(),
                token: None,
            },
            other_keys: Vec::new(),
            initial: InitialState::default(),
            region: "cn-hangzhou".into(),
            domain: "localhost".into(),
            cnames: Vec::new(),
            cors: Vec::new(),
            qps_limit: None,
            limits: PeerLimits::default(),
            max_storage: Some(Self::MAX_STORAGE),
            is_durable: false,
            clock: Clock::system(),
            observer: None,
            page: Page::default(),
            is_controlled: false,
            control_token: None,
        }
    }

    /// The default access key's id.
    pub const ACCESS_KEY_ID: &'static str = "osslive-local";
    /// The default access key's secret. It is public: set your own before you let
    /// other machines connect to an endpoint.
    pub const ACCESS_KEY_SECRET: &'static str = "osslive-local-secret";
    /// The default of [`max_storage`](Self::max_storage): 10 GiB.
    pub const MAX_STORAGE: u64 = 10 << 30;
    /// The default of [`max_storage`](Self::max_storage) for an endpoint
    /// [in memory](Self::in_memory): 256 MiB.
    pub const MAX_MEMORY: u64 = 256 << 20;
    /// The id of the temporary access key that front ends use by default.
    pub const STS_ACCESS_KEY_ID: &'static str = "STS.osslive-local";
    /// The secret of the temporary access key that front ends use by default. It is public, too.
    pub const STS_ACCESS_KEY_SECRET: &'static str = "osslive-local-sts-secret";
    /// The public secrets. A key with one of them is allowed only on a loopback
    /// address.
    pub const PUBLIC_SECRETS: [&'static str; 2] =
        [Self::ACCESS_KEY_SECRET, Self::STS_ACCESS_KEY_SECRET];
    /// The default bucket.
    pub const BUCKET: &'static str = "live-demo";

    /// Sets where to listen. Defaults to a free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Adds a bucket; custom domains are bound to the first one.
    /// Defaults to `live-demo`.
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.buckets.push(name.into());
        self
    }

    /// Sets the ACL of the buckets. Defaults to private for new buckets; existing
    /// buckets keep theirs.
    pub fn acl(mut self, acl: Acl) -> Self {
        self.acl = Some(acl);
        self
    }

    /// Sets the kind of account, which determines what the service rejects.
    /// Defaults to [`Account::default`].
    pub fn account(mut self, account: Account) -> Self {
        self.account = account;
        self
    }

    /// Sets the access key. Defaults to
    /// [`ACCESS_KEY_ID`](Self::ACCESS_KEY_ID) and
    /// [`ACCESS_KEY_SECRET`](Self::ACCESS_KEY_SECRET).
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.access_key = AccessKey { id: id.into(), secret: secret.into(), token: None };
        self
    }

    /// Adds a temporary access key, which is valid only together with its STS
    /// token. Defaults to none.
    pub fn temporary_key(
        mut self,
        id: impl Into<String>,
        secret: impl Into<String>,
        token: impl Into<String>,
    ) -> Self {
        let token = Some(token.into());
        self.other_keys.push(AccessKey { id: id.into(), secret: secret.into(), token });
        self
    }

    /// Sets the initial state, which a reset restores. Data that already exists is
    /// kept as it is. Adds to the buckets of [`bucket`](Self::bucket) and to the keys
    /// of the other methods. Defaults to an empty state.
    pub fn initial(mut self, state: InitialState) -> Self {
        self.other_keys.extend(state.keys().iter().cloned());
        self.initial = state;
        self
    }

    /// Sets the region that signatures of version 4 must name. Defaults to
    /// `cn-hangzhou`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Sets the endpoint's own name; `BUCKET.DOMAIN` is then a bucket's host name.
    /// Defaults to `localhost`.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = domain.into();
        self
    }

    /// Adds a custom domain, bound to the first bucket. HTTP requests to unknown
    /// names are rejected, since any site could make its own name resolve to this
    /// machine; IP addresses, `localhost`, the domain and its buckets are always
    /// allowed. Defaults to none.
    pub fn cname(mut self, host: impl Into<String>) -> Self {
        self.cnames.push(host.into());
        self
    }

    /// Allows pages of an origin, `SCHEME://HOST[:PORT]` or `*` for all, to play
    /// from every bucket: GET and HEAD of media and playlists, including hls/sign.
    /// Call it again for more origins; PutBucketCors allows other operations.
    /// Defaults to none: cross-site requests from browsers are rejected, whatever
    /// their signature.
    pub fn cors(mut self, origin: impl Into<String>) -> Self {
        self.cors.push(origin.into());
        self
    }

    /// Sets how many channel operations per second are allowed; more fail with 503
    /// `MetaOperationQpsLimitExceeded`. Defaults to no limit.
    pub fn qps_limit(mut self, operations: u32) -> Self {
        self.qps_limit = Some(operations);
        self
    }

    /// Sets whether there is a web page at `/_osslive/`. Without it, that path is
    /// an invalid bucket name. Defaults to true.
    pub fn page(mut self, page: bool) -> Self {
        self.page.is_disabled = !page;
        self
    }

    /// Sets whether the page is available to other machines and through proxies.
    /// It plays private buckets and signs publish URLs for anyone who knows its
    /// token. Defaults to this machine only, without a proxy.
    pub fn remote_page(mut self, remote: bool) -> Self {
        self.page.is_remote = remote;
        self
    }

    /// Sets the token in the page's address: 16 to 128 letters, digits, `-`
    /// and `_`. Defaults to a random one at each start.
    pub fn page_token(mut self, token: impl Into<String>) -> Self {
        self.page.token = Some(token.into());
        self
    }

    /// Sets the source of hls.js, which the page needs to play in browsers without
    /// native HLS support. Defaults to none.
    pub fn hls_js(mut self, script: impl Into<String>) -> Self {
        self.page.hls_js = Some(script.into().into());
        self
    }

    /// Sets the resource limits of peers. Defaults to [`PeerLimits::default`].
    pub fn limits(mut self, limits: PeerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many bytes of disk space the fragments of all channels may use
    /// in total before the oldest are deleted; `None` for no limit. Whole blocks
    /// count, as the file system allocates them. Fragments in the playlists of
    /// live streams are kept, and a fragment counts only once it is complete, so
    /// leave some headroom. Uploads are neither counted nor deleted. Defaults to
    /// [`MAX_STORAGE`](Self::MAX_STORAGE).
    pub fn max_storage(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.max_storage = bytes.into();
        self
    }

    /// Sets whether fragments survive a power failure too: a playlist lists them
    /// only once they are flushed to disk. Without it, the last half minute of a
    /// live stream may be lost; incomplete fragments are then deleted at the next
    /// start. Everything that a call has acknowledged always survives (channels,
    /// history, bucket settings, uploads, deletions), and so do the fragments of a
    /// VOD playlist.
    ///
    /// It has no effect in a temporary directory, where nothing is flushed. Windows
    /// cannot flush folders: the names of files that were created in the last
    /// seconds may be lost there. Defaults to false.
    pub fn durable(mut self, durable: bool) -> Self {
        self.is_durable = durable;
        self
    }

    /// Sets the clock. Defaults to the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Allows programs on this machine to control the endpoint: inject faults, set
    /// its clock, inspect requests. See [`LocalEndpoint::control`]. Over HTTP,
    /// control is below `/_osslive/control/`, for requests with the header
    /// `x-osslive-control: 1`. Off by default.
    pub fn control(mut self) -> Self {
        self.is_controlled = true;
        self
    }

    /// Requires control requests to have the header `x-osslive-token` with this
    /// token: 16 to 128 letters, digits, hyphens and underscores.
    ///
    /// # Errors
    ///
    /// The token is invalid.
    pub fn control_token(mut self, token: &str) -> io::Result<Self> {
        let wrong = "the control token must be 16 to 128 letters, digits, hyphens and underscores";
        let token =
            Token::new(token).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, wrong))?;
        self.control_token = Some(token);
        Ok(self)
    }

    /// Calls `observer` with each event that is at least as severe as `level`,
    /// such as a rejected publisher, for a log. Defaults to none.
    ///
    /// The observer runs on its own thread and may be slow: up to 1,024 events are
    /// queued for it; further ones are lost, which an event of kind
    /// [`EventKind::Lost`] reports. When the endpoint stops, the observer has one
    /// second to process the queue.
    ///
    /// ```
    /// use osslive_local::{Config, Level, LocalEndpoint};
    ///
    /// let config = Config::temporary().on_event(Level::Warn, |event| {
    ///     eprintln!("{} {}", event.kind, event.message.as_deref().unwrap_or_default());
    /// });
    /// let endpoint = LocalEndpoint::start(config)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_event(
        mut self,
        level: Level,
        observer: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Observer { level, call: Arc::new(observer) });
        self
    }

    /// Returns all keys, permanent and temporary.
    fn keys(&self) -> impl Iterator<Item = &AccessKey> {
        std::iter::once(&self.access_key).chain(&self.other_keys)
    }

    /// Refuses keys that are public or empty.
    fn check_keys(&self) -> io::Result<()> {
        let is_loopback = self.listen.ip().to_canonical().is_loopback();
        for AccessKey { id, secret, token } in self.keys() {
            let is_empty = |text: &str| text.trim().is_empty();
            let wrong = if is_empty(id) {
                "its id is empty".to_owned()
            } else if is_empty(secret) {
                "its secret is empty".to_owned()
            } else if token.as_deref().is_some_and(is_empty) {
                "its token is empty".to_owned()
            } else if !is_loopback && Self::PUBLIC_SECRETS.contains(&secret.as_str()) {
                let address = self.listen;
                format!("its secret is public: allowed on a loopback address, not on {address}")
            } else {
                continue;
            };
            let message = format!("access key {id:?}: {wrong}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(())
    }

    fn bucket_names(&self) -> Vec<String> {
        let mut names = self.buckets.clone();
        for name in self.initial.bucket_names() {
            if !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        if names.is_empty() { vec![Self::BUCKET.into()] } else { names }
    }
}

/// A running endpoint. Dropping it stops it.
///
/// ```
/// use osslive::{ChannelConfig, StreamState};
/// use osslive_local::{Config, LocalEndpoint};
///
/// let endpoint = LocalEndpoint::start(Config::temporary())?;
/// let client = endpoint.client_builder().build()?;
/// client.put_channel("main-stage", &ChannelConfig::new("Main stage"))?;
/// assert_eq!(client.get_channel_status("main-stage")?.status, StreamState::Idle);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LocalEndpoint {
    listener: Listener,
    buckets: Vec<String>,
    region: String,
    credentials: Credentials,
    page_token: Option<Token>,
    control: Option<Control>,
    site: Arc<Site>,
    #[cfg(feature = "fuzzing")]
    pub(crate) front_ends: Arc<FrontEnds>,
    data: PathBuf,
    /// Dropped last, when no client is being served.
    _closing: Closing,
}

impl LocalEndpoint {
    /// Starts an endpoint. When this returns, it is listening.
    ///
    /// # Errors
    ///
    /// The address is in use, or the data directory cannot be used (see
    /// [`Config::new`]; the error contains the path and the reason). With
    /// [`io::ErrorKind::InvalidInput`], the configuration is invalid: a name
    /// breaks the rules, a key is empty, or the secret of a key is one of
    /// [`Config::PUBLIC_SECRETS`] and the address is not a loopback address.
    pub fn start(mut config: Config) -> io::Result<Self> {
        config.check_keys()?;
        let control = config.is_controlled.then(|| {
            let control = Control::new(config.clock.clone(), api::OPERATIONS);
            config.clock = control.endpoint_clock();
            control
        });
        let buckets = config.bucket_names();
        let is_blocked = config.account == Account::New;
        let initial = config.initial.contents(&buckets, config.acl, is_blocked)?;
        let page = page_options(&config.page)?;
        let page_token = page.token.clone();
        let cors = config.cors.iter().map(|text| origin(text)).collect::<io::Result<_>>()?;
        let cnames =
            config.cnames.iter().map(|text| custom_domain(text)).collect::<io::Result<_>>()?;
        let socket = std::net::TcpListener::bind(config.listen)
            .map_err(|error| explain(format!("cannot listen on {}", config.listen), error))?;
        let store = open(&config)?;
        for BucketContents { name, acl, .. } in &initial.buckets {
            let is_blocked = store.bucket(name).is_ok_and(|bucket| bucket.is_blocked);
            api::check_acl(acl.unwrap_or_default(), is_blocked)
                .map_err(|fault| bad(format!("bucket {name:?}: {}", fault.message)))?;
        }
        store.fill(&initial).map_err(|fault| io::Error::other(fault.message))?;
        let data = store.data().to_owned();
        let mut events = event_log(&config, page_token.as_ref())?;
        if let Some(control) = &control {
            events = events.with_journal(control.journal());
        }
        let events = Arc::new(events);
        let site = site(&config, cnames, socket.local_addr()?, store, &events);
        let site = Arc::new(Site { control: control.clone(), initial, ..site });
        let options = api::Options { cors, account: config.account, qps_limit: config.qps_limit };
        let front_ends = Arc::new(FrontEnds {
            control: ControlApi::new(site.clone(), config.control_token.take()),
            page: page::Page::new(site.clone(), page),
            service: Service::new(site.clone(), options),
        });
        let limits = config.limits;
        let messages = Budget::new(limits.messages);
        let context =
            Context { site: Arc::clone(&site), limits, messages, stopping: Arc::default() };
        let listener = Listener::start(socket, front_ends.clone(), context)?;
        let closing = Closing::announce(site.clone(), listener.address());
        Ok(LocalEndpoint {
            #[cfg(feature = "fuzzing")]
            front_ends,
            listener,
            buckets,
            region: config.region,
            credentials: Credentials::new(config.access_key.id, config.access_key.secret),
            page_token,
            control,
            site: site.clone(),
            data,
            _closing: closing,
        })
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Returns its URL for SDKs: `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Returns the address of its web page, including the secret token; `None`
    /// without a page. It is a loopback address if the endpoint listens on all
    /// addresses.
    pub fn page_url(&self) -> Option<String> {
        let token = self.page_token.as_ref()?.as_str();
        Some(format!("http://{}/_osslive/?token={token}", self.reachable_address()))
    }

    /// Returns a builder for clients of this endpoint, with its URL, its region,
    /// its first bucket, its permanent access key, and no proxy.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder()
            .endpoint(format!("http://{}", self.reachable_address()))
            .region(&self.region)
            .bucket(&self.buckets[0])
            .credentials(self.credentials.clone())
            .no_proxy()
    }

    /// Returns a handle to control this endpoint: faults, clock, requests; `None` unless
    /// it was configured with [`Config::control`].
    pub fn control(&self) -> Option<Control> {
        self.control.clone()
    }

    /// Restores the initial state: deletes other buckets, channels, history and
    /// objects, disconnects publishers, deletes the fault rules, and makes the clock
    /// follow the system clock.
    ///
    /// # Errors
    ///
    /// A publisher does not disconnect within ten seconds, or a disk error.
    pub fn reset(&self) -> io::Result<()> {
        self.site.reset().map_err(|fault| io::Error::other(fault.to_string()))
    }

    /// Returns the address for clients on this machine: the loopback address if the
    /// endpoint listens on all addresses.
    pub fn reachable_address(&self) -> SocketAddr {
        let mut address = self.address();
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        address
    }

    /// Returns its configured buckets.
    pub fn buckets(&self) -> &[String] {
        &self.buckets
    }

    /// Returns its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Stops the endpoint: it accepts no more connections, disconnects publishers,
    /// completes their last fragments and closes their sessions.
    pub fn stop(self) {}
}

impl Drop for LocalEndpoint {
    fn drop(&mut self) {
        // Hanging connections would delay the stop.
        if let Some(control) = &self.control {
            control.release();
        }
    }
}

/// Records that the endpoint has started and, when dropped, that it has stopped.
#[derive(Debug)]
struct Closing(Arc<Site>);

impl Closing {
    fn announce(site: Arc<Site>, address: SocketAddr) -> Self {
        let closing = Closing(site);
        closing.record(EventKind::Start, Some(format!("listening on {address}")));
        closing
    }

    fn record(&self, kind: EventKind, message: Option<String>) {
        let event = Event::new(self.0.clock.now(), Level::Info, kind);
        self.0.events.record(Event { message, ..event });
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.record(EventKind::Stop, None);
        self.0.events.close();
    }
}

/// Returns the event log, which contains neither secrets nor tokens.
fn event_log(config: &Config, page_token: Option<&Token>) -> io::Result<EventLog> {
    let keys: Vec<AccessKey> = config.keys().cloned().collect();
    let mut secrets = site::secrets(&keys);
    secrets.extend(config.control_token.as_ref().map(|token| token.as_str().to_owned()));
    secrets.extend(page_token.map(|token| token.as_str().to_owned()));
    match &config.observer {
        Some(observer) => EventLog::observed(secrets, observer.clone()),
        None => Ok(EventLog::new(secrets)),
    }
}

/// Returns the site that a configuration describes.
fn site(
    config: &Config,
    cnames: Vec<String>,
    listen: SocketAddr,
    store: Store,
    events: &Arc<EventLog>,
) -> Site {
    let first_bucket = config.bucket_names().into_iter().next().unwrap_or_default();
    let addressing = Addressing { domain: config.domain.clone(), first_bucket, cnames, listen };
    let keys = config.keys().cloned().collect();
    let (store, clock, region) = (Arc::new(store), config.clock.clone(), config.region.clone());
    Site { events: Arc::clone(events), ..Site::new(store, clock, addressing, keys, region) }
}

fn open(config: &Config) -> io::Result<Store> {
    let clock = config.clock.clone();
    let (folder, opened) = match &config.data {
        Place::Folder(path) => {
            let durability =
                if config.is_durable { Durability::Recordings } else { Durability::Calls };
            let opened = Store::open(path, durability, clock);
            (format!("the data directory {}", path.display()), opened)
        }
        Place::Temporary(medium) => {
            ("a temporary directory".to_owned(), Store::temporary(*medium, clock))
        }
    };
    let limited = opened.and_then(|mut store| {
        recording_limit(config, &store).map_or(Ok(()), |bytes| store.limit_recordings(bytes))?;
        Ok(store)
    });
    limited.map_err(|error| explain(format!("cannot use {folder}"), error))
}

/// Returns how many bytes recordings may use: in memory, at most half of what
/// is available.
fn recording_limit(config: &Config, store: &Store) -> Option<u64> {
    match config.data {
        Place::Temporary(Medium::Memory) => {
            let half = store.bytes_left().map(|bytes| bytes / 2);
            config.max_storage.into_iter().chain(half).min()
        }
        _ => config.max_storage,
    }
}

fn page_options(page: &Page) -> io::Result<page::Options> {
    let token = match &page.token {
        _ if page.is_disabled => None,
        None => Some(Token::random()?),
        Some(text) => Some(Token::new(text).ok_or_else(|| {
            bad("page token: must be 16 to 128 letters, digits, hyphens and underscores".into())
        })?),
    };
    Ok(page::Options { token, remote: page.is_remote, hls_js: page.hls_js.clone() })
}

fn origin(text: &str) -> io::Result<String> {
    cors::parse_origin(text).ok_or_else(|| {
        bad(format!("CORS origin {text:?}: must be * or SCHEME://HOST[:PORT] without a path"))
    })
}

fn custom_domain(text: &str) -> io::Result<String> {
    let is_name = !text.is_empty() && address::host_name(text) == Some(text);
    let is_own = text.parse::<IpAddr>().is_ok() || text.eq_ignore_ascii_case("localhost");
    if is_name && !is_own {
        return Ok(text.to_owned());
    }
    Err(bad(format!("custom domain {text:?}: must be a host name without a port")))
}

fn bad(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn explain(what: String, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(address: &str, change: impl FnOnce(Config) -> Config) -> Option<String> {
        let config = change(Config::new("unused").listen(address.parse().unwrap()));
        let error = config.check_keys().err()?;
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        Some(error.to_string())
    }

    #[test]
    fn recordings_are_limited_by_default() {
        for config in [Config::new("unused"), Config::temporary()] {
            assert_eq!(config.max_storage, Some(10 << 30));
            assert_eq!(config.max_storage(None).max_storage, None);
        }
    }

    #[test]
    fn a_public_secret_is_allowed_only_on_loopback() {
        let [main, sts] = Config::PUBLIC_SECRETS;
        let changes: [&dyn Fn(Config) -> Config; 6] = [
            &|config| config,
            &|config| config.access_key("id", sts),
            &|config| config.access_key("id", "own").temporary_key("STS.a", sts, "T"),
            &|config| config.access_key("id", "own").temporary_key("STS.a", main, "T"),
            &|config| {
                let config = config.access_key("id", "own").temporary_key("STS.a", "own", "T");
                config.temporary_key("STS.b", sts, "T")
            },
            &|config| config.temporary_key("STS.a", "own", "T"),
        ];
        for change in changes {
            for address in ["127.0.0.1:0", "127.9.9.9:0", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
                assert_eq!(refusal(address, change), None, "{address}");
            }
            for address in
                ["0.0.0.0:0", "[::]:0", "192.168.1.7:0", "[::ffff:10.0.0.1]:0", "[fe80::1]:0"]
            {
                let message = refusal(address, change).unwrap_or_default();
                assert!(
                    message.contains("public") && message.contains("loopback"),
                    "{address}: {message}"
                );
            }
        }
        let own =
            |config: Config| config.access_key("id", "own").temporary_key("STS.a", "own", "T");
        assert_eq!(refusal("0.0.0.0:0", own), None);
    }

    #[test]
    fn no_part_of_a_key_may_be_empty() {
        for blank in ["", " ", "\n"] {
            for message in [
                refusal("127.0.0.1:0", |config| config.access_key(blank, "own")),
                refusal("127.0.0.1:0", |config| config.access_key("id", blank)),
                refusal("127.0.0.1:0", |config| config.temporary_key("STS.a", blank, "T")),
                refusal("127.0.0.1:0", |config| config.temporary_key("STS.a", "own", blank)),
            ] {
                assert!(message.unwrap_or_default().contains("empty"), "{blank:?}");
            }
        }
    }
}
