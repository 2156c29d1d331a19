//! Error responses.

use crate::fault::Fault;
use crate::http::{Request, Response};
use crate::xml::Writer;
use base64::prelude::{BASE64_STANDARD, Engine};

/// The maximum length of `x-oss-err`: some clients accept only 16 KiB of headers.
pub(super) const MAX_ERR_HEADER: usize = 8 << 10;

/// The content of an error response.
pub(super) struct ErrorContent<'a> {
    pub(super) status: u16,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) ec: Option<&'a str>,
    pub(super) details: &'a [(&'static str, String)],
}

/// Returns the error response for a fault.
pub(super) fn refusal(request: &Request, fault: &Fault, request_id: &str) -> Response {
    let Fault { status, code, ref message, ec, ref details } = *fault;
    refuse_in(request, &ErrorContent { status, code, message, ec, details }, request_id)
}

/// Returns an error response with this content.
pub(super) fn refuse_in(request: &Request, fault: &ErrorContent<'_>, request_id: &str) -> Response {
    let document = error_document(fault, request_id, &request.host);
    let mut response = Response { status: fault.status, ..Response::xml(document.clone()) };
    if let Some(ec) = fault.ec {
        response = response.with("x-oss-ec", ec);
    }
    if fault.code == "ServiceUnavailable" {
        response = response.with("Retry-After", "1");
    }
    if fault.code == "MethodNotAllowed" {
        response = response.with("Allow", "GET DELETE HEAD PUT POST OPTIONS");
    }
    if request.method == "HEAD" {
        let mut encoded = BASE64_STANDARD.encode(document);
        if encoded.len() > MAX_ERR_HEADER {
            let brief = ErrorContent { details: &[], ..*fault };
            encoded = BASE64_STANDARD.encode(error_document(&brief, request_id, ""));
        }
        response = response.with("x-oss-err", encoded);
    }
    response
}

/// Returns the body of an error response.
fn error_document(fault: &ErrorContent<'_>, request_id: &str, host_id: &str) -> String {
    Writer::document("Error", |xml| {
        xml.text("Code", fault.code);
        xml.text("Message", fault.message);
        xml.text("RequestId", request_id);
        xml.text("HostId", host_id);
        for (name, value) in fault.details {
            xml.text(name, value);
        }
        if let Some(ec) = fault.ec {
            xml.text("EC", ec);
            xml.text("RecommendDoc", format_args!("https://api.aliyun.com/troubleshoot?q={ec}"));
        }
    })
}
