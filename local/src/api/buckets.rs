//! Buckets.

use super::operation::invalid_argument;
use super::{Call, Response, Service};
use crate::fault::Fault;
use crate::stamp;
use crate::store::{Acl, BucketInfo};
use crate::xml::{self, Writer};

/// Whom every bucket and object belongs to.
const OWNER: &str = "osslive";

impl Service {
    pub(super) fn list_buckets(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let (prefix, marker) = (call.param("prefix"), call.param("marker"));
        let max = call.max_entries("max-keys")?;
        let mut buckets = self.store.buckets();
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

    pub(super) fn put_bucket(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let acl = match call.request.header("x-oss-acl") {
            None => Acl::Private,
            Some(text) => text.parse().map_err(|_| {
                let rule = "must be private, public-read or public-read-write";
                invalid_argument("x-oss-acl", text, rule)
            })?,
        };
        if !call.request.body.is_empty() {
            let source = xml::check(&call.request.body)?;
            xml::parse(&source, "CreateBucketConfiguration")?;
        }
        self.store.create_bucket(&call.bucket, acl)?;
        Ok(Response::empty(200).with("Location", format!("/{}", call.bucket)))
    }

    pub(super) fn delete_bucket(&self, call: &Call<'_>) -> Result<Response, Fault> {
        self.store.delete_bucket(&call.bucket)?;
        Ok(Response::empty(204))
    }

    pub(super) fn bucket_info(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let bucket = self.store.bucket(&call.bucket)?;
        Ok(Response::xml(Writer::document("BucketInfo", |xml| {
            xml.element("Bucket", |xml| {
                self.write_bucket(xml, &bucket);
                write_owner(xml);
                xml.element("AccessControlList", |xml| xml.text("Grant", bucket.acl));
                xml.text("Comment", "");
                xml.text("DataRedundancyType", "LRS");
            });
        })))
    }

    fn write_bucket(&self, xml: &mut Writer, bucket: &BucketInfo) {
        let endpoint = format!("{}:{}", self.addressing.domain, self.addressing.listen.port());
        xml.text("CreationDate", stamp::iso_8601(bucket.created));
        xml.text("ExtranetEndpoint", &endpoint);
        xml.text("IntranetEndpoint", &endpoint);
        xml.text("Location", format_args!("oss-{}", self.region));
        xml.text("Name", &bucket.name);
        xml.text("Region", &self.region);
        xml.text("StorageClass", "Standard");
    }
}

pub(super) fn write_owner(xml: &mut Writer) {
    xml.element("Owner", |xml| {
        xml.text("ID", OWNER);
        xml.text("DisplayName", OWNER);
    });
}
