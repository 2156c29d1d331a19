//! Requests to a proxy, in absolute form (RFC 9112 section 3.2.2).

use super::proxy::Proxy;
use zeroize::Zeroizing;

/// Rewrites the requests on one connection to a proxy.
pub(super) struct AbsoluteForm {
    /// Scheme and authority of the target host.
    origin: String,
    credentials: Option<Zeroizing<String>>,
    /// Whether the next bytes start a request.
    is_at_start: bool,
}

impl AbsoluteForm {
    pub(super) fn new(origin: String, proxy: &Proxy) -> Self {
        let credentials = proxy.credentials().map(|text| Zeroizing::new(text.to_owned()));
        AbsoluteForm { origin, credentials, is_at_start: true }
    }

    /// Notes that a response arrives: the next bytes sent start a request.
    pub(super) fn response_started(&mut self) {
        self.is_at_start = true;
    }

    /// Rewrites the beginning of a request, which includes its whole first line. Returns
    /// `None` if these bytes do not start a request.
    pub(super) fn rewrite(&mut self, head: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if !std::mem::take(&mut self.is_at_start) {
            return None;
        }
        let line = head.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let method = head.iter().position(|byte| *byte == b' ')? + 1;
        let credentials = self.credentials.as_ref().map_or("", |credentials| credentials);
        let room = head.len() + self.origin.len() + credentials.len() + 64;
        let mut whole = Zeroizing::new(Vec::with_capacity(room));
        whole.extend_from_slice(&head[..method]);
        whole.extend_from_slice(self.origin.as_bytes());
        whole.extend_from_slice(&head[method..line]);
        if self.credentials.is_some() {
            whole.extend_from_slice(b"proxy-authorization: Basic ");
            whole.extend_from_slice(credentials.as_bytes());
            whole.extend_from_slice(b"\r\n");
        }
        whole.extend_from_slice(&head[line..]);
        Some(whole)
    }
}
