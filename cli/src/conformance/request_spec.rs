//! A request whose response is observed: its contents, its signature, and what is
//! recorded.

/// A channel configuration with only the type.
pub(super) const MINIMAL: &str = "<Target><Type>HLS</Type></Target>";

/// A request.
#[derive(Debug, Clone)]
pub(super) struct RequestSpec {
    pub(super) method: &'static str,
    /// A bucket other than the one under observation.
    pub(super) bucket: Option<String>,
    pub(super) key: String,
    /// The path, if it is not the percent-encoded key.
    pub(super) raw_key: Option<String>,
    pub(super) query: Vec<(String, Option<String>)>,
    /// Text appended to the query as is, and not signed.
    pub(super) raw_query: &'static str,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the body is sent in chunks, without a length.
    pub(super) is_chunked: bool,
    pub(super) signing: Signing,
    pub(super) see: Vec<See>,
}

/// How a request is signed.
#[derive(Debug, Clone, Default)]
pub(super) struct Signing {
    pub(super) scheme: Scheme,
    pub(super) date: Date,
    /// The lifetime of a URL, in seconds.
    pub(super) expires: i64,
    pub(super) key_id: Option<&'static str>,
    pub(super) region: Option<&'static str>,
    pub(super) product: Option<&'static str>,
    pub(super) additional_headers: &'static [&'static str],
    pub(super) token: Token,
    /// Changes to the Authorization header, or to the query of a signed URL, after
    /// signing.
    pub(super) alter: Option<fn(String) -> String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Scheme {
    /// An Authorization header, with the signature version of the command line.
    #[default]
    Default,
    Anonymous,
    HeaderV1,
    HeaderV4,
    UrlV1,
    UrlV4,
}

/// The date of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Date {
    #[default]
    Now,
    /// This many seconds from now.
    Off(i64),
    /// A string that is not a date.
    Text(&'static str),
    Missing,
    /// In the header `Date` instead of `x-oss-date`, or vice versa.
    OtherHeader,
}

/// The token of temporary credentials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Token {
    #[default]
    Right,
    Wrong,
    Missing,
}

/// What is recorded of a response, in addition to status, code, EC, type and
/// outline.
#[derive(Debug, Clone, Copy)]
pub(super) enum See {
    /// The text of an element, given by its path.
    Text(&'static str),
    /// Whether an element exists, instead of the whole outline.
    Has(&'static str),
    /// Whether an element is a whole number, instead of its text.
    Number(&'static str),
    /// Whether an element is an address, instead of its text.
    Address(&'static str),
    Header(&'static str),
    /// The code in the header that carries the error if there is no body.
    ErrorHeader,
    /// The number of the root's children with this name.
    Count(&'static str),
    /// The tags and entries of a playlist.
    Playlist,
    /// The body itself.
    Body,
    /// Only the named headers, including missing ones.
    HeadersOnly,
}

impl RequestSpec {
    pub(super) fn new(method: &'static str, key: impl Into<String>) -> Self {
        RequestSpec {
            method,
            bucket: None,
            key: key.into(),
            raw_key: None,
            query: Vec::new(),
            raw_query: "",
            headers: Vec::new(),
            body: Vec::new(),
            is_chunked: false,
            signing: Signing { expires: 300, ..Signing::default() },
            see: Vec::new(),
        }
    }

    pub(super) fn get(key: impl Into<String>) -> Self {
        RequestSpec::new("GET", key)
    }

    pub(super) fn put(key: impl Into<String>) -> Self {
        RequestSpec::new("PUT", key)
    }

    pub(super) fn post(key: impl Into<String>) -> Self {
        RequestSpec::new("POST", key)
    }

    pub(super) fn delete(key: impl Into<String>) -> Self {
        RequestSpec::new("DELETE", key)
    }

    /// A parameter without a value.
    pub(super) fn flag(mut self, name: &str) -> Self {
        self.query.push((name.to_owned(), None));
        self
    }

    pub(super) fn param(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), Some(value.to_string())));
        self
    }

    /// The sub-resource of all channel operations.
    pub(super) fn live(self) -> Self {
        self.flag("live")
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn scheme(mut self, scheme: Scheme) -> Self {
        self.signing.scheme = scheme;
        self
    }

    pub(super) fn signed(mut self, change: impl FnOnce(&mut Signing)) -> Self {
        change(&mut self.signing);
        self
    }

    pub(super) fn see(mut self, what: &[See]) -> Self {
        self.see.extend_from_slice(what);
        self
    }
}

/// Creates a request that puts a channel with these children in its configuration.
pub(super) fn put(name: &str, configuration: &str) -> RequestSpec {
    RequestSpec::put(name).live().body(document(configuration))
}

/// Returns a configuration with these children.
pub(super) fn document(children: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <LiveChannelConfiguration>{children}</LiveChannelConfiguration>"
    )
}
