//! The CORS rules of a bucket: PutBucketCors, GetBucketCors, DeleteBucketCors.

use super::call::Call;
use super::operation::invalid_argument;
use super::service::Service;
use crate::cors::{Cors, METHODS, Rule};
use crate::fault::Fault;
use crate::http::Response;
use crate::xml::{self, Writer};
use osslive::xml::Element;

/// The maximum number of rules: 20 in the user guide, 10 in older documentation.
const MAX_RULES: usize = 20;

impl Service {
    pub(super) fn put_bucket_cors(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let cors = read(&call.request.body)?;
        self.site.store.set_cors(&call.bucket, Some(cors))?;
        Ok(Response::empty(200))
    }

    pub(super) fn bucket_cors(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let cors = self.site.store.bucket(&call.bucket)?.cors.ok_or_else(|| {
            const MESSAGE: &str = "The CORS Configuration does not exist.";
            Fault::new(404, "NoSuchCORSConfiguration", MESSAGE)
                .with_ec("0034-00000001")
                .with("BucketName", &call.bucket)
        })?;
        Ok(Response::xml(write(&cors)))
    }

    pub(super) fn delete_bucket_cors(&self, call: &Call<'_>) -> Result<Response, Fault> {
        self.site.store.set_cors(&call.bucket, None)?;
        Ok(Response::empty(204))
    }
}

fn write(cors: &Cors) -> String {
    Writer::document("CORSConfiguration", |xml| {
        for rule in &cors.rules {
            xml.element("CORSRule", |xml| {
                for (name, values) in [
                    ("AllowedOrigin", &rule.allowed_origins),
                    ("AllowedMethod", &rule.allowed_methods),
                    ("AllowedHeader", &rule.allowed_headers),
                    ("ExposeHeader", &rule.expose_headers),
                ] {
                    values.iter().for_each(|value| xml.text(name, value));
                }
                if let Some(seconds) = rule.max_age_seconds {
                    xml.text("MaxAgeSeconds", seconds);
                }
            });
        }
        xml.text("ResponseVary", cors.response_vary);
    })
}

fn read(body: &[u8]) -> Result<Cors, Fault> {
    let source = xml::check(body)?;
    let document = xml::parse(&source, "CORSConfiguration")?;
    let mut cors = Cors::default();
    for node in document.root().children() {
        match node.name() {
            "CORSRule" => cors.rules.push(read_rule(node)?),
            "ResponseVary" => {
                cors.response_vary = xml::text(node).parse().map_err(|_| xml::malformed())?;
            }
            _ => return Err(xml::malformed()),
        }
    }
    match cors.rules.len() {
        0 => Err(xml::malformed().with_ec("0034-00000002")),
        1..=MAX_RULES => Ok(cors),
        _ => {
            const MESSAGE: &str = "The CORS Rules num is beyond limit.";
            Err(Fault::new(400, "CORSRuleBeyondLimit", MESSAGE).with_ec("0034-00000006"))
        }
    }
}

fn read_rule(node: Element<'_, '_>) -> Result<Rule, Fault> {
    let mut rule = Rule::default();
    for child in node.children() {
        let (name, text) = (child.name(), xml::text(child));
        let (values, is_valid, must, ec) = match name {
            "AllowedOrigin" => {
                let must = "must be an origin with at most one *";
                (&mut rule.allowed_origins, is_pattern(&text), must, Some("0034-00000009"))
            }
            "AllowedMethod" => {
                let must = "must be GET, PUT, DELETE, POST or HEAD";
                let is_known = METHODS.contains(&text.as_str());
                (&mut rule.allowed_methods, is_known, must, Some("0034-00000011"))
            }
            "AllowedHeader" => {
                let must = "must be a header name with at most one *";
                (&mut rule.allowed_headers, is_pattern(&text) && is_header(&text), must, None)
            }
            "ExposeHeader" => {
                let must = "must be a header name without *";
                let is_name = is_header(&text) && !text.contains('*');
                (&mut rule.expose_headers, is_name, must, Some("0034-00000013"))
            }
            "MaxAgeSeconds" if rule.max_age_seconds.is_none() => {
                rule.max_age_seconds = Some(seconds(&text)?);
                continue;
            }
            _ => return Err(xml::malformed()),
        };
        if !is_valid {
            return Err(Fault { ec, ..invalid_argument(name, &text, must) });
        }
        values.push(text);
    }
    let is_whole = !rule.allowed_origins.is_empty() && !rule.allowed_methods.is_empty();
    is_whole.then_some(rule).ok_or_else(xml::malformed)
}

fn seconds(text: &str) -> Result<u32, Fault> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    seconds.ok_or_else(|| invalid_argument("MaxAgeSeconds", text, "must be a number of seconds"))
}

/// Returns whether a string is a valid pattern for origins or headers.
fn is_pattern(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    !text.is_empty() && is_plain && text.matches('*').count() <= 1
}

/// Returns whether a string is a token (RFC 9110 section 5.6.2), as header names are.
fn is_header(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}
