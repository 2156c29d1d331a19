//! Observations of temporary (STS) credentials.

use super::experiment::{Experiment, Names, probe};
use super::observation::Need;
use super::observation::Source::{Documented, Inferred};
use super::request_spec::{RequestSpec, Scheme, Token};

fn list(n: &Names<'_>) -> RequestSpec {
    RequestSpec::get("").live().param("prefix", &n.name)
}

pub(super) fn all() -> Vec<Experiment> {
    let case = |id, title, source, scheme, token| {
        probe(id, title, source, move |n| list(n).scheme(scheme).signed(|s| s.token = token))
            .needs(&[Need::Token, Need::Version4])
    };
    vec![
        case("sts-header", "the token in a header", Documented, Scheme::HeaderV4, Token::Right),
        case("sts-url", "the token in a URL", Documented, Scheme::UrlV4, Token::Right),
        case("sts-token-missing", "no token", Inferred, Scheme::HeaderV4, Token::Missing),
        case("sts-token-wrong", "a wrong token", Documented, Scheme::HeaderV4, Token::Wrong),
        case(
            "sts-url-token-wrong",
            "a wrong token in a URL",
            Documented,
            Scheme::UrlV4,
            Token::Wrong,
        ),
        probe("token-of-permanent-key", "a token with a permanent access key", Documented, |n| {
            list(n).scheme(Scheme::HeaderV4).signed(|s| s.token = Token::Wrong)
        })
        .needs(&[Need::Version4]),
    ]
}
