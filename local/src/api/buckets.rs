//! Buckets.

use super::account;
use super::call::Call;
use super::operation::{invalid_argument, not_implemented};
use super::service::Service;
use crate::fault::Fault;
use crate::http::Response;
use crate::store::{Acl, BucketInfo};
use crate::xml::{self, Writer};
use crate::{time_format, validate};
use std::fmt::Display;

/// The root element of Block Public Access configurations.
const BLOCK: &str = "PublicAccessBlockConfiguration";
/// The owner of all buckets and objects.
const OWNER: &str = "osslive";

impl Service {
    pub(super) fn list_buckets(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let (prefix, marker) = (call.param("prefix"), call.param("marker"));
        for (name, value) in [("prefix", prefix), ("marker", marker)] {
            if !validate::fits_xml(value) {
                const RULE: &str = "must not contain control characters that XML forbids";
                return Err(invalid_argument(name, value, RULE));
            }
        }
        let max = call.max_entries("max-keys")?;
        let mut buckets = self.site.store.buckets();
        buckets.retain(|bucket| bucket.name.starts_with(prefix) && bucket.name.as_str() > marker);
        buckets.sort_by(|a, b| a.name.cmp(&b.name));
        let truncated = buckets.len() > max;
        buckets.truncate(max);
        let document = Writer::document("ListAllMyBucketsResult", |xml| {
            xml.text("Prefix", prefix);
            xml.text("Marker", marker);
            xml.text("MaxKeys", max);
            xml.text("IsTruncated", truncated);
            if let Some(last) = buckets.last().filter(|_| truncated) {
                xml.text("NextMarker", &last.name);
            }
            write_owner(xml);
            xml.element("Buckets", |xml| {
                for bucket in &buckets {
                    xml.element("Bucket", |xml| self.write_bucket(xml, bucket));
                }
            });
        });
        Ok(Response::xml(document))
    }

    /// Creates a bucket. An existing one keeps its ACL, unless the request sets
    /// another.
    pub(super) fn put_bucket(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let acl = call.request.header("x-oss-acl").map(parse_acl).transpose()?;
        if !call.request.body.is_empty() {
            self.check_configuration(&call.request.body)?;
        }
        let old = self.site.store.bucket(&call.bucket).ok();
        let is_blocked =
            old.as_ref().map_or(self.account.blocks_by_default(), |bucket| bucket.is_blocked);
        account::check_acl(acl.unwrap_or_default(), is_blocked)?;
        if acl.is_some() || old.is_none() {
            self.site.store.create_bucket(&call.bucket, acl.unwrap_or_default())?;
        }
        if old.is_none() && is_blocked {
            self.site.store.block_public_access(&call.bucket, true)?;
        }
        Ok(Response::empty(200).with("Location", format!("/{}", call.bucket)))
    }

    /// Checks that the requested configuration of a new bucket is supported.
    fn check_configuration(&self, body: &[u8]) -> Result<(), Fault> {
        let source = xml::check(body)?;
        let document = xml::parse(&source, "CreateBucketConfiguration")?;
        for option in document.root().children() {
            let (name, text) = (option.name(), option.text().trim());
            match (name, text) {
                (_, "") | ("StorageClass", "Standard") | ("DataRedundancyType", "LRS") => {}
                ("LocationConstraint", place) if place == format!("oss-{}", self.site.region) => {}
                ("LocationConstraint", _) => {
                    const MESSAGE: &str = "The specified location constraint is not valid.";
                    return Err(Fault::new(400, "InvalidLocationConstraint", MESSAGE));
                }
                _ => return Err(not_implemented(name)),
            }
        }
        Ok(())
    }

    pub(super) fn bucket_acl(&self, call: &Call<'_>) -> Result<Response, Fault> {
        Ok(acl_document(self.site.store.bucket(&call.bucket)?.acl))
    }

    pub(super) fn put_bucket_acl(&self, call: &Call<'_>) -> Result<Response, Fault> {
        if !call.request.body.is_empty() {
            return Err(not_implemented("AccessControlPolicy"));
        }
        let acl = parse_acl(call.request.header("x-oss-acl").unwrap_or_default())?;
        account::check_acl(acl, self.site.store.bucket(&call.bucket)?.is_blocked)?;
        self.site.store.create_bucket(&call.bucket, acl)?;
        Ok(Response::empty(200))
    }

    pub(super) fn public_access_block(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let is_blocked = self.site.store.bucket(&call.bucket)?.is_blocked;
        Ok(Response::xml(Writer::document(BLOCK, |xml| {
            xml.text("BlockPublicAccess", is_blocked);
        })))
    }

    pub(super) fn put_public_access_block(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let source = xml::check(&call.request.body)?;
        let document = xml::parse(&source, BLOCK)?;
        let text = xml::child_text(document.root(), "BlockPublicAccess");
        let is_blocked = match text.unwrap_or_default().trim() {
            "true" => true,
            "false" => false,
            _ => return Err(xml::malformed()),
        };
        self.site.store.block_public_access(&call.bucket, is_blocked)?;
        Ok(Response::empty(200))
    }

    pub(super) fn bucket_location(&self) -> Response {
        let location = format!("oss-{}", self.site.region);
        Response::xml(Writer::leaf("LocationConstraint", &location))
    }

    /// Handles GetBucketStat, by counting the contents of the bucket.
    pub(super) fn bucket_stat(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let (mut objects, mut bytes, mut marker) = (0, 0, String::new());
        loop {
            let page = self.site.store.list_objects(&call.bucket, "", &marker, None, 1000)?;
            objects += page.objects.len();
            bytes += page.objects.iter().map(|object| object.size).sum::<u64>();
            let Some(next) = page.next_marker else { break };
            marker = next;
        }
        let (mut channels, mut marker) = (0, String::new());
        loop {
            let page = self.site.store.list_channels(&call.bucket, "", &marker, 1000)?;
            channels += page.channels.len();
            let Some(next) = page.next_marker else { break };
            marker = next;
        }
        Ok(Response::xml(Writer::document("BucketStat", |xml| {
            xml.text("Storage", bytes);
            xml.text("ObjectCount", objects);
            xml.text("MultipartUploadCount", 0);
            xml.text("LiveChannelCount", channels);
            xml.text("LastModifiedTime", self.site.clock.now().unix_timestamp());
            xml.text("StandardStorage", bytes);
            xml.text("StandardObjectCount", objects);
            for class in ["InfrequentAccess", "Archive", "ColdArchive"] {
                for what in ["Storage", "RealStorage", "ObjectCount"] {
                    xml.text(&format!("{class}{what}"), 0);
                }
            }
        })))
    }

    pub(super) fn delete_bucket(&self, call: &Call<'_>) -> Result<Response, Fault> {
        self.site.store.delete_bucket(&call.bucket)?;
        Ok(Response::empty(204))
    }

    pub(super) fn bucket_info(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let bucket = self.site.store.bucket(&call.bucket)?;
        Ok(Response::xml(Writer::document("BucketInfo", |xml| {
            xml.element("Bucket", |xml| {
                self.write_bucket(xml, &bucket);
                write_owner(xml);
                xml.element("AccessControlList", |xml| xml.text("Grant", bucket.acl));
                xml.text("BlockPublicAccess", bucket.is_blocked);
                xml.text("Comment", "");
                xml.text("DataRedundancyType", "LRS");
                xml.element("ServerSideEncryptionRule", |xml| xml.text("SSEAlgorithm", "None"));
            });
        })))
    }

    fn write_bucket(&self, xml: &mut Writer, bucket: &BucketInfo) {
        let endpoint =
            format!("{}:{}", self.site.addressing.domain, self.site.addressing.listen.port());
        xml.text("CreationDate", time_format::iso_8601(bucket.created));
        xml.text("ExtranetEndpoint", &endpoint);
        xml.text("IntranetEndpoint", &endpoint);
        xml.text("Location", format_args!("oss-{}", self.site.region));
        xml.text("Name", &bucket.name);
        xml.text("Region", &self.site.region);
        xml.text("StorageClass", "Standard");
    }
}

/// Parses the value of `x-oss-acl`.
fn parse_acl(text: &str) -> Result<Acl, Fault> {
    let rule = "must be private, public-read or public-read-write";
    text.parse().map_err(|_| invalid_argument("x-oss-acl", text, rule))
}

/// Returns the response with the ACL of a bucket or an object.
pub(super) fn acl_document(grant: impl Display) -> Response {
    Response::xml(Writer::document("AccessControlPolicy", |xml| {
        write_owner(xml);
        xml.element("AccessControlList", |xml| xml.text("Grant", grant));
    }))
}

pub(super) fn write_owner(xml: &mut Writer) {
    xml.element("Owner", |xml| {
        xml.text("ID", OWNER);
        xml.text("DisplayName", OWNER);
    });
}
