//! The service's REST operations: a synchronous core, bytes in and bytes out.

mod account;
mod buckets;
mod call;
mod channels;
mod cors;
mod disruption;
mod headers;
mod isolation;
mod listing;
mod objects;
mod operation;
mod refusal;
mod report;
mod request_id;
mod service;
mod signed_playlist;
mod sites;
mod throttle;
mod vod;

pub use account::{Account, check_acl};
pub use call::too_large;
pub use channels::parse_settings;
pub use operation::{MAX_BODY, MAX_DOCUMENT, NAMES as OPERATIONS};
pub use service::{Options, Service};

use crate::auth::{self, Identity};
use crate::fault::Fault;
use crate::http::{Body, Malformed, Query, Request, Response};
use crate::store::Acl;
use crate::{time_format, validate};
use call::Call;
use isolation::isolate;
use operation::{Access, Operation};
use osslive::sign::Parts;
use refusal::refusal;
use sites::Grant;
use std::net::SocketAddr;
use std::time::Instant;

impl Service {
    /// Handles a request. Blocks on file I/O.
    pub fn respond(&self, request: &Request) -> Response {
        match self.applied(request) {
            Some(applied) => self.disrupt(request, applied),
            None => self.complete(request, || self.handle(request)),
        }
    }

    /// Refuses a request whose body was not received: with `fault`, unless the
    /// request must be refused for another reason anyway.
    pub fn refuse(&self, request: &Request, fault: Fault) -> Response {
        self.complete(request, || {
            self.admit(&self.read(request)?)?;
            Err(fault)
        })
    }

    /// Refuses a request when there is no memory left for its response.
    pub fn busy(&self, request: &Request) -> Response {
        const MESSAGE: &str = "Too many responses in flight. Please reduce your request rate.";
        self.complete(request, || Err(Fault::new(503, "ServiceUnavailable", MESSAGE)))
    }

    /// Refuses a request with an ambiguous head, without relying on anything in
    /// it.
    pub fn reject(&self, peer: Option<SocketAddr>, fault: Fault) -> Response {
        self.complete(&Request { peer, ..Request::default() }, || Err(fault))
    }

    /// Refuses a cross-site request from a browser by its head alone, before its
    /// body is received.
    ///
    /// # Errors
    ///
    /// 403 `AccessForbidden` for a request that must be passed to [`Service::refuse`].
    pub fn screen(&self, request: &Request) -> Result<(), Fault> {
        self.grant(request).map(|_| ())
    }

    /// Returns the maximum body size for a request, in bytes. A client that may
    /// not upload objects does not get the memory for one.
    pub fn body_limit(&self, request: &Request) -> usize {
        match self.read(request) {
            Ok(call) if self.admit(&call).is_ok() => call.operation.body_limit(),
            _ => operation::MAX_DOCUMENT,
        }
    }

    fn complete(
        &self,
        request: &Request,
        handler: impl FnOnce() -> Result<Response, Fault>,
    ) -> Response {
        self.complete_with(request, |_| handler(), None)
    }

    /// Like [`complete`](Self::complete), for a response that contains its
    /// request id; `note` goes into the report.
    fn complete_with(
        &self,
        request: &Request,
        handler: impl FnOnce(&str) -> Result<Response, Fault>,
        note: Option<&str>,
    ) -> Response {
        let started = Instant::now();
        let request_id = self.request_ids.next(&self.site.clock);
        let grant = self.grant(request);
        let result = grant.as_ref().map_err(Fault::clone).and_then(|_| handler(&request_id));
        self.report(request, &result, &request_id, started, note);
        let mut response = result.unwrap_or_else(|fault| refusal(request, &fault, &request_id));
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
            .with("Date", time_format::http_date(self.site.clock.now()))
            .with("x-oss-request-id", request_id)
            .with("x-oss-server-time", started.elapsed().as_millis().to_string())
    }

    fn handle(&self, request: &Request) -> Result<Response, Fault> {
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
            throttle.admit(self.site.clock.now().unix_timestamp())?;
        }
        call.check_body()?;
        self.run(&call, &identity)
    }

    /// Authenticates and authorizes a call.
    fn admit(&self, call: &Call<'_>) -> Result<Identity, Fault> {
        let style = self.site.addressing.style(&call.request.host);
        self.account.check(call, &self.site.region, style)?;
        let identity = self.identify(call)?;
        let acl = self.acl(call)?;
        allow(&identity, call.operation.access(), acl)?;
        Ok(identity)
    }

    fn read<'a>(&self, request: &'a Request) -> Result<Call<'a>, Fault> {
        let resource = self.site.addressing.resolve(&request.host, &request.path)?;
        let query = Query::parse(&request.query).map_err(|Malformed { name, rule }| {
            let fault = operation::invalid_argument(&name, "", rule);
            match channels::ec_of_list(&name).filter(|_| request.query.contains("live")) {
                Some(ec) => fault.with_ec(ec),
                None => fault,
            }
        })?;
        let key = String::from_utf8(resource.key).map_err(|_| {
            let of_channel = query.has("live") || query.has("vod");
            if of_channel { validate::channel_not_utf8() } else { validate::key_not_utf8() }
        })?;
        let bucket = resource.bucket;
        if bucket.is_empty() && !key.is_empty() {
            validate::check_bucket(&bucket)?;
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
        auth::identify(&parts, &self.site.keys, &self.site.region, self.site.clock.now())
    }

    /// Returns the ACL of a call's bucket, unless the call has no bucket or
    /// creates it.
    fn acl(&self, call: &Call<'_>) -> Result<Option<Acl>, Fault> {
        if call.bucket.is_empty() {
            return Ok(None);
        }
        validate::check_bucket(&call.bucket)?;
        match call.operation {
            Operation::PutBucket => Ok(None),
            _ => self.site.store.bucket(&call.bucket).map(|bucket| Some(bucket.access())),
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
                self.site.store.block_public_access(&call.bucket, false)?;
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
            Operation::GetSignedPlaylist => self.sign_playlist(call, identity),
            Operation::DeleteObject => self.delete_object(call),
            Operation::GetObjectAcl => self.object_acl(call),
            Operation::PutObjectAcl => self.put_object_acl(call),
            Operation::Refused(_) => Err(operation::not_implemented(&call.request.method)),
        }
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

#[cfg(test)]
pub(crate) mod tests;
