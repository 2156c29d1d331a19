//! The service's REST operations: a synchronous core, bytes in and bytes out,
//! and the handler that puts it behind HTTP.

mod account;
mod buckets;
mod channels;
mod cors;
mod headers;
mod isolation;
mod listing;
mod objects;
mod operation;
mod refusal;
mod serve;
mod signed_playlist;
mod sites;
mod vod;

pub use account::{Account, check_acl};
pub(crate) use serve::router;

use crate::address::Addressing;
use crate::auth::{self, AccessKey, Identity, Keys};
use crate::clock::Clock;
use crate::cors::Rule;
use crate::fault::Fault;
use crate::http::{Body, Malformed, Query, Request, Response};
use crate::page::{self, Page};
use crate::store::{Acl, Store};
use crate::{names, stamp};
use base64::prelude::{BASE64_STANDARD, Engine};
use isolation::isolate;
use md5::{Digest, Md5};
use operation::{Access, Operation};
use osslive::Credentials;
use osslive::sign::{Parts, SignatureVersion, Signer};
use refusal::refusal;
use sites::Grant;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What the service answers to, and as whom.
#[derive(Debug, Clone)]
pub struct Config {
    /// The endpoint's own name: see [`Addressing::domain`].
    pub domain: String,
    /// The buckets; the first is the one that custom domains stand for.
    pub buckets: Vec<String>,
    /// The custom domains.
    pub cnames: Vec<String>,
    /// The origins whose pages may play from any bucket, as browsers send them.
    pub cors: Vec<String>,
    /// The region that signatures of version 4 must name, and that buckets
    /// say they are in.
    pub region: String,
    /// The access keys, temporary ones with their token.
    pub keys: Vec<AccessKey>,
    /// What the service refuses to the keys' account.
    pub account: Account,
    /// How many operations on live channels are answered in a second; `None`
    /// is without limit.
    pub qps_limit: Option<u32>,
    /// Where the endpoint listens: see [`Addressing::listen`].
    pub listen: SocketAddr,
    /// What the web page may do.
    pub page: page::Options,
}

/// The service: every operation, on one store.
#[derive(Debug)]
pub struct Service {
    store: Arc<Store>,
    clock: Clock,
    addressing: Addressing,
    keys: Arc<Keys>,
    region: String,
    account: Account,
    throttle: Option<Throttle>,
    request_ids: RequestIds,
    /// The CORS rules for playback from any bucket.
    playback: Vec<Rule>,
    page: Page,
}

impl Service {
    /// A service on a store. The buckets are the store's: `config.buckets`
    /// creates none.
    pub fn new(store: Arc<Store>, config: Config, clock: Clock) -> Self {
        let Config {
            domain,
            buckets,
            cnames,
            cors,
            region,
            keys,
            account,
            qps_limit,
            listen,
            page,
        } = config;
        let first_bucket = buckets.into_iter().next().unwrap_or_default();
        let addressing = Addressing { domain, first_bucket, cnames, listen };
        let signer = signer(&keys, &region);
        Service {
            page: Page::new(store.clone(), clock.clone(), addressing.clone(), signer, page),
            store,
            clock,
            addressing,
            keys: Arc::new(Keys::new(keys)),
            region,
            account,
            throttle: qps_limit.map(Throttle::new),
            request_ids: RequestIds::new(),
            playback: cors.iter().map(|origin| Rule::playback(origin)).collect(),
        }
    }

    /// How hosts and paths are read.
    pub fn addressing(&self) -> &Addressing {
        &self.addressing
    }

    /// The access keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Answers a request. Blocks on files.
    pub fn respond(&self, request: &Request) -> Response {
        if let Some(response) = self.page.respond(request) {
            return response;
        }
        self.complete(request, || self.answer(request))
    }

    /// Refuses a request whose body was not taken: with `fault`, unless the
    /// rest of the request is reason enough.
    pub fn refuse(&self, request: &Request, fault: Fault) -> Response {
        self.complete(request, || {
            self.admit(&self.read(request)?)?;
            Err(fault)
        })
    }

    /// Refuses a request whose answer has no room.
    pub fn busy(&self, request: &Request) -> Response {
        const MESSAGE: &str = "Too many answers are under way. Please reduce your request rate.";
        self.complete(request, || Err(Fault::new(503, "ServiceUnavailable", MESSAGE)))
    }

    /// Refuses a request whose head can be read in two ways: nothing that it
    /// says is relied on.
    pub fn reject(&self, fault: Fault) -> Response {
        self.complete(&Request::default(), || Err(fault))
    }

    /// Refuses a request by its head alone, before its body is received: one
    /// that a browser makes for another site.
    ///
    /// # Errors
    ///
    /// 403 `AccessForbidden` for a request that [`Service::refuse`] answers.
    pub fn screen(&self, request: &Request) -> Result<(), Fault> {
        if self.page.takes(request) { Ok(()) } else { self.grant(request).map(|_| ()) }
    }

    /// The longest body to receive for a request, in bytes; `None` if it is
    /// answered without its body. Who has no right to send an object is not
    /// given the memory for one.
    pub fn body_limit(&self, request: &Request) -> Option<usize> {
        if self.page.takes(request) {
            return None;
        }
        Some(match self.read(request) {
            Ok(call) if self.admit(&call).is_ok() => call.operation.body_limit(),
            _ => operation::MAX_DOCUMENT,
        })
    }

    fn complete(
        &self,
        request: &Request,
        answer: impl FnOnce() -> Result<Response, Fault>,
    ) -> Response {
        let started = Instant::now();
        let request_id = self.request_ids.next(&self.clock);
        let grant = self.grant(request);
        let answer = grant.as_ref().map_err(Fault::clone).and_then(|_| answer());
        let mut response = answer.unwrap_or_else(|fault| refusal(request, &fault, &request_id));
        // A 304 has no length of its own (RFC 9110 section 15.4.5).
        if response.status != 304 {
            let length = response.body.length();
            response = isolate(response).with("Content-Length", length.to_string());
        }
        if request.method == "HEAD" {
            response.body = Body::Empty;
        }
        grant
            .unwrap_or_else(|_| Grant::refused())
            .write(request, response)
            .with("Server", "AliyunOSS")
            .with("Date", stamp::http_date(self.clock.now()))
            .with("x-oss-request-id", request_id)
            .with("x-oss-server-time", started.elapsed().as_millis().to_string())
    }

    fn answer(&self, request: &Request) -> Result<Response, Fault> {
        if sites::is_preflight(request) {
            return sites::preflight(request);
        }
        let call = self.read(request)?;
        let identity = self.admit(&call)?;
        if let Some(refusal) = call.refusal {
            return Err(refusal);
        }
        headers::check(&call)?;
        if let Some(throttle) = self.throttle.as_ref().filter(|_| call.operation.is_live()) {
            throttle.admit(self.clock.now().unix_timestamp())?;
        }
        check_body(&call)?;
        self.run(&call, &identity)
    }

    /// Finds out who calls, and whether they may.
    fn admit(&self, call: &Call<'_>) -> Result<Identity, Fault> {
        self.check_account(call)?;
        let identity = self.identify(call)?;
        let acl = self.acl(call)?;
        allow(&identity, call.operation.access(), acl)?;
        Ok(identity)
    }

    fn read<'a>(&self, request: &'a Request) -> Result<Call<'a>, Fault> {
        let resource = self.addressing.resolve(&request.host, &request.path)?;
        let query = Query::parse(&request.query).map_err(|Malformed { name, rule }| {
            let fault = operation::invalid_argument(&name, "", rule);
            match channels::ec_of_list(&name).filter(|_| request.query.contains("live")) {
                Some(ec) => fault.with_ec(ec),
                None => fault,
            }
        })?;
        let key = String::from_utf8(resource.key).map_err(|_| {
            let of_channel = query.has("live") || query.has("vod");
            if of_channel { names::channel_not_utf8() } else { names::key_not_utf8() }
        })?;
        let bucket = resource.bucket;
        if bucket.is_empty() && !key.is_empty() {
            names::check_bucket(&bucket)?;
        }
        let (has_bucket, has_key) = (!bucket.is_empty(), !key.is_empty());
        let (operation, refusal) = match Operation::of(&request.method, has_bucket, has_key, &query)
        {
            Ok(operation) => (operation, None),
            Err(fault) => (Operation::refused(&request.method, has_key, &query), Some(fault)),
        };
        Ok(Call { request, operation, refusal, bucket, key, query })
    }

    fn identify(&self, call: &Call<'_>) -> Result<Identity, Fault> {
        let headers: Vec<(&str, &str)> = call
            .request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let parts = Parts {
            method: &call.request.method,
            bucket: &call.bucket,
            key: &call.key,
            query: &call.query.parts(),
            headers: &headers,
        };
        auth::identify(&parts, &self.keys, &self.region, self.clock.now())
    }

    /// The ACL of a call's bucket, unless it has none or is about to create it.
    fn acl(&self, call: &Call<'_>) -> Result<Option<Acl>, Fault> {
        if call.bucket.is_empty() {
            return Ok(None);
        }
        names::check_bucket(&call.bucket)?;
        match call.operation {
            Operation::PutBucket => Ok(None),
            _ => self.store.bucket(&call.bucket).map(|bucket| Some(bucket.access())),
        }
    }

    fn run(&self, call: &Call<'_>, identity: &Identity) -> Result<Response, Fault> {
        match call.operation {
            Operation::ListBuckets => self.list_buckets(call),
            Operation::PutBucket => self.put_bucket(call),
            Operation::HeadBucket => Ok(Response::empty(200)),
            Operation::GetBucketInfo => self.bucket_info(call),
            Operation::GetBucketAcl => self.bucket_acl(call),
            Operation::PutBucketAcl => self.put_bucket_acl(call),
            Operation::GetPublicAccessBlock => self.public_access_block(call),
            Operation::PutPublicAccessBlock => self.put_public_access_block(call),
            Operation::DeletePublicAccessBlock => {
                self.store.block_public_access(&call.bucket, false)?;
                Ok(Response::empty(204))
            }
            Operation::GetBucketLocation => Ok(self.bucket_location()),
            Operation::GetBucketStat => self.bucket_stat(call),
            Operation::DeleteBucket => self.delete_bucket(call),
            Operation::PutBucketCors => self.put_bucket_cors(call),
            Operation::GetBucketCors => self.bucket_cors(call),
            Operation::DeleteBucketCors => self.delete_bucket_cors(call),
            Operation::ListObjects => self.list_objects(call),
            Operation::ListMultipartUploads => listing::no_uploads(call),
            Operation::DeleteMultipleObjects => self.delete_objects(call),
            Operation::PutLiveChannel => self.put_channel(call),
            Operation::PutLiveChannelStatus => self.put_channel_status(call),
            Operation::ListLiveChannel => self.list_channels(call),
            Operation::GetLiveChannelInfo => self.channel_info(call),
            Operation::GetLiveChannelStat => self.channel_stat(call),
            Operation::GetLiveChannelHistory => self.channel_history(call),
            Operation::DeleteLiveChannel => self.delete_channel(call),
            Operation::PostVodPlaylist => self.post_vod(call),
            Operation::GetVodPlaylist => self.get_vod(call),
            Operation::PutObject => self.put_object(call, matches!(identity, Identity::Anonymous)),
            Operation::GetObject | Operation::HeadObject => {
                self.get_object(call, matches!(identity, Identity::Anonymous))
            }
            Operation::SignPlaylist => self.sign_playlist(call, identity),
            Operation::DeleteObject => self.delete_object(call),
            Operation::GetObjectAcl => self.object_acl(call),
            Operation::PutObjectAcl => self.put_object_acl(call),
            Operation::Refused(_) => Err(operation::not_implemented(&call.request.method)),
        }
    }
}

/// Signs as the owner, with the first permanent key.
fn signer(keys: &[AccessKey], region: &str) -> Option<Signer> {
    let key = keys.iter().find(|key| key.token.is_none())?;
    Some(Signer::new(SignatureVersion::V1, region, Credentials::new(&key.id, &key.secret)))
}

/// A request that has been understood.
struct Call<'a> {
    request: &'a Request,
    operation: Operation,
    /// Why there is no such operation here, for whoever could ask for it.
    refusal: Option<Fault>,
    bucket: String,
    key: String,
    query: Query,
}

impl Call<'_> {
    /// A limit on the entries of a listing: 1 to 1000, by default 100.
    fn max_entries(&self, name: &str) -> Result<usize, Fault> {
        let Some(text) = self.query.value(name) else { return Ok(100) };
        match text.parse() {
            Ok(max @ 1..=1000) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(max),
            _ => Err(operation::invalid_argument(name, text, "must be an integer from 1 to 1000")),
        }
    }

    /// A parameter's value, empty if it is not there.
    fn param(&self, name: &str) -> &str {
        self.query.get(name).unwrap_or_default()
    }
}

fn allow(identity: &Identity, access: Access, acl: Option<Acl>) -> Result<(), Fault> {
    let is_signed = !matches!(identity, Identity::Anonymous);
    let allowed = is_signed
        || match acl {
            Some(Acl::PublicReadWrite) => access != Access::Owner,
            Some(Acl::PublicRead) => access == Access::Read,
            Some(Acl::Private) | None => false,
        };
    if allowed {
        return Ok(());
    }
    const MESSAGE: &str = "Anonymous user has no right to access this bucket.";
    Err(Fault::new(403, "AccessDenied", MESSAGE))
}

fn check_body(call: &Call<'_>) -> Result<(), Fault> {
    let Call { request, operation, .. } = call;
    let has_length = |name| request.header(name).is_some();
    if operation.needs_body() && !has_length("content-length") && !has_length("transfer-encoding") {
        const MESSAGE: &str = "You must provide the Content-Length HTTP header.";
        return Err(Fault::new(411, "MissingContentLength", MESSAGE));
    }
    if request.body.len() > operation.body_limit() {
        return Err(too_large());
    }
    let Some(expected) = request.header("content-md5") else { return Ok(()) };
    let digest = Md5::digest(&request.body);
    // The vendor's SDK for C sends what lies behind the digest in its memory
    // too, and the service takes it.
    if BASE64_STANDARD.decode(expected).is_ok_and(|given| given.starts_with(&digest)) {
        return Ok(());
    }
    const MESSAGE: &str = "The Content-MD5 you specified did not match what we received.";
    Err(Fault::new(400, "InvalidDigest", MESSAGE)
        .with("Content-MD5", expected)
        .with("ServerCalculatedMD5", BASE64_STANDARD.encode(digest)))
}

fn too_large() -> Fault {
    const MESSAGE: &str = "Your proposed upload exceeds the maximum allowed object size.";
    Fault::new(400, "EntityTooLarge", MESSAGE)
}

/// A limit of calls within each second of the clock.
#[derive(Debug)]
struct Throttle {
    limit: u32,
    /// The second, and the calls in it so far.
    window: Mutex<(i64, u32)>,
}

impl Throttle {
    fn new(limit: u32) -> Self {
        Throttle { limit, window: Mutex::new((0, 0)) }
    }

    fn admit(&self, second: i64) -> Result<(), Fault> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0 != second {
            *window = (second, 0);
        }
        if window.1 < self.limit {
            window.1 += 1;
            return Ok(());
        }
        const MESSAGE: &str = "Qps limit for the meta operation is exceeded.";
        Err(Fault::new(503, "MetaOperationQpsLimitExceeded", MESSAGE))
    }
}

/// Request ids as OSS makes them: 24 upper-case hexadecimal digits, of which
/// the first eight are the Unix time. The middle ones tell processes apart,
/// the last ones requests.
#[derive(Debug)]
struct RequestIds {
    process: u32,
    next: AtomicU32,
}

impl RequestIds {
    fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        RequestIds { process: random as u32, next: AtomicU32::new(0) }
    }

    fn next(&self, clock: &Clock) -> String {
        let seconds = clock.now().unix_timestamp() as u32;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{seconds:08X}{:08X}{number:08X}", self.process)
    }
}

#[cfg(test)]
pub(crate) mod tests;
