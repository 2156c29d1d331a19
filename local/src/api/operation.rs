//! Which operation a request asks for, and who may ask for it.

use super::query::Query;
use crate::fault::Fault;
use crate::names;

/// The operations of the endpoint, by the names that OSS gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    ListBuckets,
    PutBucket,
    GetBucketInfo,
    DeleteBucket,
    PutBucketCors,
    GetBucketCors,
    DeleteBucketCors,
    ListObjects,
    ListMultipartUploads,
    DeleteMultipleObjects,
    PutLiveChannel,
    PutLiveChannelStatus,
    ListLiveChannel,
    GetLiveChannelInfo,
    GetLiveChannelStat,
    GetLiveChannelHistory,
    DeleteLiveChannel,
    PostVodPlaylist,
    GetVodPlaylist,
    PutObject,
    GetObject,
    SignPlaylist,
    HeadObject,
    DeleteObject,
}

/// What a caller without a signature needs the bucket's ACL to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// public-read or public-read-write.
    Read,
    /// public-read-write.
    Write,
    /// No ACL suffices.
    Owner,
}

/// Sub-resources that are refused: each would change what a request means,
/// and passing over it would do something else than asked.
const NOT_IMPLEMENTED: &[&str] = &[
    "accessPoint",
    "accessPointPolicy",
    "acl",
    "append",
    "asyncFetch",
    "callback",
    "cname",
    "comp",
    "cors",
    "encryption",
    "group",
    "httpsConfig",
    "img",
    "inventory",
    "lifecycle",
    "link",
    "location",
    "logging",
    "metaQuery",
    "objectInfo",
    "partNumber",
    "policy",
    "policyStatus",
    "position",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "referer",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "resourceGroup",
    "restore",
    "sequential",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "versionId",
    "versioning",
    "versions",
    "website",
    "worm",
    "wormExtend",
    "wormId",
    "x-oss-async-process",
    "x-oss-traffic-limit",
];

/// Those that a bucket has after all.
const OF_BUCKETS: &[&str] = &["cors"];

/// The longest body of an operation that takes a document, or none, in bytes.
pub(super) const MAX_DOCUMENT: usize = 64 << 10;

impl Operation {
    /// Reads the operation off a request. `bucket` and `key` tell whether the
    /// request names them.
    ///
    /// # Errors
    ///
    /// 405 `MethodNotAllowed`, 501 `NotImplemented`, and 400 for parameters
    /// that choose no operation.
    pub(super) fn of(
        method: &str,
        bucket: bool,
        key: bool,
        query: &Query,
    ) -> Result<Operation, Fault> {
        use Operation::*;
        if bucket && query.has("live") {
            return live(method, key, query);
        }
        if bucket && query.has("vod") {
            return match (method, key) {
                ("POST", true) => Ok(PostVodPlaylist),
                ("GET", true) => Ok(GetVodPlaylist),
                _ => Err(method_not_allowed(method, "VodPlaylist")),
            };
        }
        let is_bucket = bucket && !key;
        let is_here = |name: &str| is_bucket && OF_BUCKETS.contains(&name);
        if let Some(name) = NOT_IMPLEMENTED.iter().find(|name| query.has(name) && !is_here(name)) {
            return Err(not_implemented(name));
        }
        if !bucket {
            return match method {
                "GET" => Ok(ListBuckets),
                _ => Err(method_not_allowed(method, "Service")),
            };
        }
        if key { of_object(method, query) } else { of_bucket(method, query) }
    }

    /// What a caller without a signature needs.
    pub(super) fn access(self) -> Access {
        match self {
            Operation::GetObject | Operation::HeadObject | Operation::SignPlaylist => Access::Read,
            Operation::PutObject | Operation::DeleteObject => Access::Write,
            _ => Access::Owner,
        }
    }

    /// Whether the service counts the operation among those on live channels,
    /// which have their own, lower limit of calls a second.
    pub(super) fn is_live(self) -> bool {
        use Operation::*;
        matches!(
            self,
            PutLiveChannel
                | PutLiveChannelStatus
                | ListLiveChannel
                | GetLiveChannelInfo
                | GetLiveChannelStat
                | GetLiveChannelHistory
                | DeleteLiveChannel
                | PostVodPlaylist
                | GetVodPlaylist
        )
    }

    /// The longest body, in bytes. An object is held in memory while it is
    /// received, hence a limit far below the 5 GB of the service.
    pub(super) fn body_limit(self) -> usize {
        match self {
            Operation::PutObject => 64 << 20,
            Operation::DeleteMultipleObjects => 2 << 20,
            Operation::PutBucketCors => 16 << 10,
            _ => MAX_DOCUMENT,
        }
    }

    /// Whether the operation makes no sense without a body, so that a request
    /// must say how long its body is.
    pub(super) fn needs_body(self) -> bool {
        use Operation::*;
        matches!(self, PutObject | PutLiveChannel | PutBucketCors | DeleteMultipleObjects)
    }
}

fn live(method: &str, key: bool, query: &Query) -> Result<Operation, Fault> {
    use Operation::*;
    if !key {
        return match method {
            "GET" => Ok(ListLiveChannel),
            "PUT" | "DELETE" => Err(names::empty_channel()),
            _ => Err(method_not_allowed(method, "LiveChannel")),
        };
    }
    match (method, query.value("comp")) {
        ("GET", None) => Ok(GetLiveChannelInfo),
        ("GET", Some("stat")) => Ok(GetLiveChannelStat),
        ("GET", Some("history")) => Ok(GetLiveChannelHistory),
        ("GET", Some(comp)) => Err(invalid_argument("comp", comp, "must be stat or history")),
        ("PUT", _) if query.has("status") => Ok(PutLiveChannelStatus),
        ("PUT", _) => Ok(PutLiveChannel),
        ("DELETE", _) => Ok(DeleteLiveChannel),
        _ => Err(method_not_allowed(method, "LiveChannel")),
    }
}

fn of_bucket(method: &str, query: &Query) -> Result<Operation, Fault> {
    use Operation::*;
    if query.has("cors") {
        return match method {
            "PUT" => Ok(PutBucketCors),
            "GET" => Ok(GetBucketCors),
            "DELETE" => Ok(DeleteBucketCors),
            _ => Err(method_not_allowed(method, "BucketCors")),
        };
    }
    match method {
        "GET" if query.has("bucketInfo") => Ok(GetBucketInfo),
        "GET" if query.has("uploads") => Ok(ListMultipartUploads),
        "GET" => Ok(ListObjects),
        "PUT" => Ok(PutBucket),
        "DELETE" => Ok(DeleteBucket),
        "POST" if query.has("delete") => Ok(DeleteMultipleObjects),
        // A form upload: PostObject.
        "POST" => Err(not_implemented("POST")),
        _ => Err(method_not_allowed(method, "Bucket")),
    }
}

fn of_object(method: &str, query: &Query) -> Result<Operation, Fault> {
    use Operation::*;
    match (method, query.get("x-oss-process")) {
        ("GET", Some("hls/sign")) => Ok(SignPlaylist),
        (_, Some(_)) => Err(not_implemented("x-oss-process")),
        _ if query.has("uploads") => Err(not_implemented("uploads")),
        ("GET", _) if query.has("objectMeta") => Err(not_implemented("objectMeta")),
        ("GET", _) => Ok(GetObject),
        ("HEAD", _) => Ok(HeadObject),
        ("PUT", _) => Ok(PutObject),
        ("DELETE", _) => Ok(DeleteObject),
        _ => Err(method_not_allowed(method, "Object")),
    }
}

/// The fault of a parameter or element with a value out of its range.
pub(super) fn invalid_argument(name: &str, value: &str, rule: &str) -> Fault {
    Fault::new(400, "InvalidArgument", format!("{name} {rule}."))
        .with("ArgumentName", name)
        .with("ArgumentValue", value)
}

/// The fault of a header or parameter that asks for what is not here.
pub(super) fn not_implemented(name: &str) -> Fault {
    const MESSAGE: &str = "A header you provided implies functionality that is not implemented.";
    Fault::new(501, "NotImplemented", MESSAGE).with("Header", name)
}

fn method_not_allowed(method: &str, resource: &str) -> Fault {
    const MESSAGE: &str = "The specified method is not allowed against this resource.";
    Fault::new(405, "MethodNotAllowed", MESSAGE)
        .with("Method", method)
        .with("ResourceType", resource)
}

#[cfg(test)]
mod tests {
    use super::Operation::*;
    use super::*;

    fn of(method: &str, target: &str) -> Result<Operation, &'static str> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (bucket, key) = (path.starts_with("/b"), path.starts_with("/b/k"));
        Operation::of(method, bucket, key, &Query::parse(query).unwrap()).map_err(|f| f.code)
    }

    #[test]
    fn method_resource_and_parameters_choose_the_operation() {
        for (method, target, operation) in [
            ("GET", "/", ListBuckets),
            ("PUT", "/b", PutBucket),
            ("GET", "/b?bucketInfo", GetBucketInfo),
            ("DELETE", "/b", DeleteBucket),
            ("PUT", "/b?cors", PutBucketCors),
            ("GET", "/b?cors=", GetBucketCors),
            ("DELETE", "/b?cors", DeleteBucketCors),
            ("GET", "/b?prefix=a", ListObjects),
            ("GET", "/b?list-type=2", ListObjects),
            ("GET", "/b?uploads", ListMultipartUploads),
            ("POST", "/b?delete", DeleteMultipleObjects),
            ("PUT", "/b/k?live", PutLiveChannel),
            ("PUT", "/b/k?live=", PutLiveChannel),
            ("PUT", "/b/k?status=enabled&live", PutLiveChannelStatus),
            ("GET", "/b?live&prefix=a", ListLiveChannel),
            ("GET", "/b/k?live", GetLiveChannelInfo),
            ("GET", "/b/k?comp=stat&live=", GetLiveChannelStat),
            ("GET", "/b/k?live&comp=history", GetLiveChannelHistory),
            ("DELETE", "/b/k?live", DeleteLiveChannel),
            ("POST", "/b/k?vod&startTime=1&endTime=2", PostVodPlaylist),
            ("GET", "/b/k?vod", GetVodPlaylist),
            ("PUT", "/b/k", PutObject),
            ("GET", "/b/k?response-content-type=a", GetObject),
            ("GET", "/b/k?x-oss-process=hls/sign", SignPlaylist),
            ("HEAD", "/b/k?objectMeta", HeadObject),
            ("DELETE", "/b/k", DeleteObject),
        ] {
            assert_eq!(of(method, target), Ok(operation), "{method} {target}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (method, target, code) in [
            ("POST", "/", "MethodNotAllowed"),
            ("HEAD", "/b", "MethodNotAllowed"),
            ("PATCH", "/b/k", "MethodNotAllowed"),
            ("POST", "/b/k", "MethodNotAllowed"),
            ("POST", "/b/k?live", "MethodNotAllowed"),
            ("HEAD", "/b/k?live", "MethodNotAllowed"),
            ("PUT", "/b/k?vod", "MethodNotAllowed"),
            ("GET", "/b?vod", "MethodNotAllowed"),
            ("POST", "/b", "NotImplemented"),
            ("POST", "/b/k?uploads", "NotImplemented"),
            ("PUT", "/b/k?partNumber=1&uploadId=2", "NotImplemented"),
            ("GET", "/b?acl", "NotImplemented"),
            ("GET", "/b?cors&acl", "NotImplemented"),
            ("PUT", "/b/k?cors", "NotImplemented"),
            ("GET", "/?cors", "NotImplemented"),
            ("POST", "/b?cors", "MethodNotAllowed"),
            ("GET", "/b/k?objectMeta", "NotImplemented"),
            ("GET", "/b/k?x-oss-process=image/resize,w_1", "NotImplemented"),
            ("GET", "/b/k?live&comp=other", "InvalidArgument"),
            ("PUT", "/b?live", "InvalidChannelName"),
        ] {
            assert_eq!(of(method, target), Err(code), "{method} {target}");
        }
    }

    #[test]
    fn without_a_signature_only_objects_can_be_had() {
        for operation in [GetObject, HeadObject, SignPlaylist] {
            assert_eq!(operation.access(), Access::Read);
        }
        for operation in [PutObject, DeleteObject] {
            assert_eq!(operation.access(), Access::Write);
        }
        for operation in
            [ListObjects, ListBuckets, PutLiveChannel, DeleteLiveChannel, GetVodPlaylist]
        {
            assert_eq!(operation.access(), Access::Owner);
        }
    }
}
