//! GetBucketInfo: who may read a bucket.

use super::call::Call;
use super::reply::Reply;
use crate::error::Result;
use crate::request::{Method, Request};

/// The properties of a bucket that playback depends on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BucketInfo {
    /// `private`, `public-read` or `public-read-write`.
    pub(crate) acl: String,
    /// Whether public access is blocked, whatever the ACL says.
    pub(crate) blocks_public_access: bool,
}

/// GetBucketInfo: returns the ACL and whether public access is blocked.
pub(crate) fn get_bucket_info() -> Call<BucketInfo> {
    Call::new(Request::new(Method::Get, "").flag("bucketInfo"), parse_bucket_info)
}

fn parse_bucket_info(_: &Request, reply: &Reply) -> Result<BucketInfo> {
    reply.read("BucketInfo", |root| {
        let mut info = BucketInfo::default();
        let bucket = root.children().filter(|child| child.name() == "Bucket");
        for child in bucket.flat_map(|bucket| bucket.children()) {
            match child.name() {
                "AccessControlList" => {
                    let grant = child.children().find(|child| child.name() == "Grant");
                    info.acl = grant.map(|grant| grant.string()).unwrap_or_default();
                }
                "BlockPublicAccess" => info.blocks_public_access = child.boolean()?,
                _ => {}
            }
        }
        Ok(info)
    })
}

#[cfg(test)]
mod tests {
    use super::super::reply::samples::ok;
    use super::*;

    #[test]
    fn the_acl_and_the_public_access_block_are_read() {
        let body = "<BucketInfo><Bucket><Name>b</Name><BlockPublicAccess>true</BlockPublicAccess>\
                    <AccessControlList><Grant>public-read</Grant></AccessControlList></Bucket>\
                    </BucketInfo>";
        let info = get_bucket_info().parse(&ok(body)).unwrap();
        let expected = BucketInfo { acl: "public-read".into(), blocks_public_access: true };
        assert_eq!(info, expected);
        let old = get_bucket_info().parse(&ok("<BucketInfo><Bucket/></BucketInfo>")).unwrap();
        assert_eq!(old, BucketInfo::default());
    }
}
