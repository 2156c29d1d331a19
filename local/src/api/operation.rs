//! Determines the operation of a request and the access that it requires.

use crate::fault::Fault;
use crate::http::Query;
use crate::validate;

/// Defines the operations and their names.
macro_rules! operations {
    ($($name:ident,)*) => {
        /// The operations of the endpoint, with the names from OSS.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Operation {
            $($name,)*
            /// Refused, after checking that the caller has this access.
            Refused(Access),
        }

        impl Operation {
            /// Returns the service's name for it; `None` if it is not implemented.
            pub(super) fn name(self) -> Option<&'static str> {
                match self {
                    $(Operation::$name => Some(stringify!($name)),)*
                    Operation::Refused(_) => None,
                }
            }
        }

        /// The names of all operations.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

operations! {
    ListBuckets,
    PutBucket,
    HeadBucket,
    GetBucketInfo,
    GetBucketAcl,
    PutBucketAcl,
    GetPublicAccessBlock,
    PutPublicAccessBlock,
    DeletePublicAccessBlock,
    GetBucketLocation,
    GetBucketStat,
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
    GetSignedPlaylist,
    HeadObject,
    DeleteObject,
    GetObjectAcl,
    PutObjectAcl,
}

/// The bucket ACL that a caller without a signature needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// public-read or public-read-write.
    Read,
    /// public-read-write.
    Write,
    /// No ACL suffices.
    Owner,
}

/// Supported sub-resources, each with its own operations.
const RESOURCES: &[&str] = &[
    "acl",
    "bucketInfo",
    "cors",
    "delete",
    "live",
    "location",
    "objectMeta",
    "publicAccessBlock",
    "stat",
    "uploads",
    "vod",
    "x-oss-process",
];

/// Unsupported sub-resources: each changes the meaning of a request, so ignoring
/// it would do something other than requested.
const NOT_IMPLEMENTED: &[&str] = &[
    "accessPoint",
    "accessPointPolicy",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "callback",
    "callback-var",
    "cname",
    "comp",
    "dataIndex",
    "encryption",
    "group",
    "httpsConfig",
    "img",
    "inventory",
    "inventoryId",
    "lifecycle",
    "link",
    "logging",
    "metaQuery",
    "objectInfo",
    "objectLink",
    "partNumber",
    "policy",
    "policyStatus",
    "position",
    "qos",
    "qosInfo",
    "qosRequester",
    "redundancyTransition",
    "referer",
    "regionList",
    "regions",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requesterQosInfo",
    "requestPayment",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "restore",
    "select",
    "sequential",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "userQos",
    "versionId",
    "versioning",
    "versions",
    "website",
    "worm",
    "wormExtend",
    "wormId",
    "x-oss-access-point-name",
    "x-oss-async-process",
    "x-oss-traffic-limit",
    "x-oss-write-get-object-response",
];

/// The maximum body size of an operation that takes a document or nothing, in
/// bytes.
pub const MAX_DOCUMENT: usize = 64 << 10;
/// The maximum body size of any operation: an object.
pub const MAX_BODY: usize = 64 << 20;

impl Operation {
    /// Determines the operation of a request. `bucket` and `key` are true if the
    /// request names them.
    ///
    /// # Errors
    ///
    /// 405 `MethodNotAllowed`, 501 `NotImplemented`, and 400 for parameters
    /// that select no operation or two.
    pub(super) fn of(
        method: &str,
        bucket: bool,
        key: bool,
        query: &Query,
    ) -> Result<Operation, Fault> {
        let mut given = RESOURCES.iter().copied().filter(|name| query.has(name));
        let resource = given.next();
        if let (Some(first), Some(second)) = (resource, given.next()) {
            return Err(invalid_argument(second, "", &format!("must not be given with {first}")));
        }
        let is_of_live =
            |name: &str| resource == Some("live") && ["comp", "status"].contains(&name);
        let foreign = |name: &&&str| query.has(name) && !is_of_live(name);
        if let Some(name) = NOT_IMPLEMENTED.iter().find(foreign) {
            return Err(not_implemented(name));
        }
        match (bucket, key, resource) {
            (true, _, Some("live")) => live(method, key, query),
            (true, _, Some("vod")) => vod(method, key),
            (true, true, _) => of_object(method, resource, query),
            (true, false, _) => of_bucket(method, resource),
            (false, _, Some(name)) => Err(not_implemented(name)),
            (false, _, None) if method == "GET" => Ok(Operation::ListBuckets),
            (false, _, None) => Err(method_not_allowed(method, "Service")),
        }
    }

    /// Returns the operation for a request that is refused. Readers of objects get
    /// the actual reason for refused reads; all others are shown to the owner only.
    pub(super) fn refused(method: &str, key: bool, query: &Query) -> Operation {
        let is_read = ["GET", "HEAD"].contains(&method) && key;
        let is_object = is_read && !query.has("live") && !query.has("vod");
        Operation::Refused(if is_object { Access::Read } else { Access::Owner })
    }

    /// Returns the access that a caller without a signature needs.
    pub(super) fn access(self) -> Access {
        match self {
            Operation::GetObject | Operation::HeadObject | Operation::GetSignedPlaylist => {
                Access::Read
            }
            Operation::PutObject | Operation::DeleteObject => Access::Write,
            Operation::Refused(access) => access,
            _ => Access::Owner,
        }
    }

    /// Returns whether the service counts the operation as one on live channels,
    /// which have a separate, lower limit of requests per second.
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

    /// Returns the maximum body size, in bytes. Objects are held in memory while
    /// they are received, hence a limit far below the 5 GB of the service.
    pub(super) fn body_limit(self) -> usize {
        match self {
            Operation::PutObject => MAX_BODY,
            Operation::DeleteMultipleObjects => 2 << 20,
            Operation::PutBucketCors => 16 << 10,
            _ => MAX_DOCUMENT,
        }
    }

    /// Returns whether the operation requires a body, so that a request must
    /// specify its length.
    pub(super) fn needs_body(self) -> bool {
        use Operation::*;
        matches!(
            self,
            PutObject
                | PutLiveChannel
                | PutBucketCors
                | PutPublicAccessBlock
                | DeleteMultipleObjects
        )
    }
}

fn live(method: &str, key: bool, query: &Query) -> Result<Operation, Fault> {
    use Operation::*;
    if !key {
        return match method {
            "GET" => Ok(ListLiveChannel),
            "PUT" | "DELETE" => Err(validate::empty_channel()),
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

fn vod(method: &str, key: bool) -> Result<Operation, Fault> {
    match (method, key) {
        ("POST", true) => Ok(Operation::PostVodPlaylist),
        ("GET", true) => Ok(Operation::GetVodPlaylist),
        _ => Err(method_not_allowed(method, "VodPlaylist")),
    }
}

fn of_bucket(method: &str, resource: Option<&'static str>) -> Result<Operation, Fault> {
    use Operation::*;
    match (method, resource) {
        ("GET", None) => Ok(ListObjects),
        ("HEAD", None) => Ok(HeadBucket),
        ("PUT", None) => Ok(PutBucket),
        ("DELETE", None) => Ok(DeleteBucket),
        ("GET", Some("bucketInfo")) => Ok(GetBucketInfo),
        ("GET", Some("acl")) => Ok(GetBucketAcl),
        ("PUT", Some("acl")) => Ok(PutBucketAcl),
        ("GET", Some("cors")) => Ok(GetBucketCors),
        ("PUT", Some("cors")) => Ok(PutBucketCors),
        ("DELETE", Some("cors")) => Ok(DeleteBucketCors),
        ("GET", Some("publicAccessBlock")) => Ok(GetPublicAccessBlock),
        ("PUT", Some("publicAccessBlock")) => Ok(PutPublicAccessBlock),
        ("DELETE", Some("publicAccessBlock")) => Ok(DeletePublicAccessBlock),
        ("GET", Some("location")) => Ok(GetBucketLocation),
        ("GET", Some("stat")) => Ok(GetBucketStat),
        ("GET", Some("uploads")) => Ok(ListMultipartUploads),
        ("POST", Some("delete")) => Ok(DeleteMultipleObjects),
        // A form upload: PostObject.
        ("POST", None) => Err(not_implemented("POST")),
        (_, Some(name @ ("objectMeta" | "x-oss-process"))) => Err(not_implemented(name)),
        _ => Err(method_not_allowed(method, "Bucket")),
    }
}

fn of_object(
    method: &str,
    resource: Option<&'static str>,
    query: &Query,
) -> Result<Operation, Fault> {
    use Operation::*;
    match (method, resource) {
        ("GET", None) => Ok(GetObject),
        ("HEAD", None | Some("objectMeta")) => Ok(HeadObject),
        ("PUT", None) => Ok(PutObject),
        ("DELETE", None) => Ok(DeleteObject),
        ("GET", Some("acl")) => Ok(GetObjectAcl),
        ("PUT", Some("acl")) => Ok(PutObjectAcl),
        ("GET", Some("x-oss-process")) if query.get("x-oss-process") == Some("hls/sign") => {
            Ok(GetSignedPlaylist)
        }
        (_, Some(name)) => Err(not_implemented(name)),
        _ => Err(method_not_allowed(method, "Object")),
    }
}

/// Returns the fault for an invalid value of a parameter or element.
pub(super) fn invalid_argument(name: &str, value: &str, rule: &str) -> Fault {
    Fault::new(400, "InvalidArgument", format!("{name} {rule}."))
        .with("ArgumentName", name)
        .with("ArgumentValue", value)
}

/// Returns the fault for a header or parameter that is not implemented.
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
    fn method_resource_and_parameters_determine_the_operation() {
        for (method, target, operation) in [
            ("GET", "/", ListBuckets),
            ("PUT", "/b", PutBucket),
            ("HEAD", "/b", HeadBucket),
            ("GET", "/b?bucketInfo", GetBucketInfo),
            ("GET", "/b?acl", GetBucketAcl),
            ("PUT", "/b?acl=", PutBucketAcl),
            ("GET", "/b?publicAccessBlock", GetPublicAccessBlock),
            ("PUT", "/b?publicAccessBlock", PutPublicAccessBlock),
            ("DELETE", "/b?publicAccessBlock", DeletePublicAccessBlock),
            ("GET", "/b?location", GetBucketLocation),
            ("GET", "/b?stat", GetBucketStat),
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
            ("GET", "/b/k?x-oss-process=hls/sign", GetSignedPlaylist),
            ("HEAD", "/b/k?objectMeta", HeadObject),
            ("DELETE", "/b/k", DeleteObject),
            ("GET", "/b/k?acl", GetObjectAcl),
            ("PUT", "/b/k?acl", PutObjectAcl),
        ] {
            assert_eq!(of(method, target), Ok(operation), "{method} {target}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (method, target, code) in [
            ("POST", "/", "MethodNotAllowed"),
            ("PATCH", "/b", "MethodNotAllowed"),
            ("DELETE", "/b?bucketInfo", "MethodNotAllowed"),
            ("DELETE", "/b?acl", "MethodNotAllowed"),
            ("PUT", "/b?uploads", "MethodNotAllowed"),
            ("GET", "/b?delete", "MethodNotAllowed"),
            ("GET", "/?regions", "NotImplemented"),
            ("GET", "/?acl", "NotImplemented"),
            ("GET", "/b?acl&bucketInfo", "InvalidArgument"),
            ("PUT", "/b/k?live&vod", "InvalidArgument"),
            ("PUT", "/b/k?live&acl", "InvalidArgument"),
            ("GET", "/b/k?live&policy", "NotImplemented"),
            ("GET", "/b/k?status=enabled", "NotImplemented"),
            ("PUT", "/b/k?objectMeta", "NotImplemented"),
            ("DELETE", "/b/k?acl", "NotImplemented"),
            ("GET", "/b/k?stat", "NotImplemented"),
            ("PATCH", "/b/k", "MethodNotAllowed"),
            ("POST", "/b/k", "MethodNotAllowed"),
            ("POST", "/b/k?live", "MethodNotAllowed"),
            ("HEAD", "/b/k?live", "MethodNotAllowed"),
            ("PUT", "/b/k?vod", "MethodNotAllowed"),
            ("GET", "/b?vod", "MethodNotAllowed"),
            ("POST", "/b", "NotImplemented"),
            ("POST", "/b/k?uploads", "NotImplemented"),
            ("PUT", "/b/k?partNumber=1&uploadId=2", "NotImplemented"),
            ("GET", "/b?policy", "NotImplemented"),
            ("GET", "/b?cors&acl", "InvalidArgument"),
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
    fn version_1_signs_everything_that_determines_the_operation() {
        let arguments = ["comp", "status", "startTime", "endTime"];
        for name in RESOURCES.iter().copied().chain(arguments) {
            assert!(osslive::sign::v1::is_subresource(name), "{name}");
        }
    }

    #[test]
    fn only_object_operations_are_allowed_without_a_signature() {
        for operation in [GetObject, HeadObject, GetSignedPlaylist] {
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
