//! CORS rules: stored, returned, deleted and enforced.

use super::*;

/// The sample from the vendor's documentation, with another rule before it.
const RULES: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<CORSConfiguration>
  <CORSRule>
    <AllowedOrigin>http://first.example</AllowedOrigin>
    <AllowedMethod>GET</AllowedMethod>
  </CORSRule>
  <CORSRule>
    <AllowedOrigin>http://www.a.example</AllowedOrigin>
    <AllowedOrigin>http://*.b.example</AllowedOrigin>
    <AllowedMethod>GET</AllowedMethod>
    <AllowedMethod>PUT</AllowedMethod>
    <AllowedHeader>Authorization</AllowedHeader>
    <AllowedHeader>x-oss-*</AllowedHeader>
    <ExposeHeader>x-oss-test</ExposeHeader>
    <ExposeHeader>x-oss-test1</ExposeHeader>
    <MaxAgeSeconds>100</MaxAgeSeconds>
  </CORSRule>
  <ResponseVary>false</ResponseVary>
</CORSConfiguration>";

const READ_BACK: &str = "<CORSConfiguration><CORSRule>\
    <AllowedOrigin>http://first.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
    </CORSRule><CORSRule><AllowedOrigin>http://www.a.example</AllowedOrigin>\
    <AllowedOrigin>http://*.b.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
    <AllowedMethod>PUT</AllowedMethod><AllowedHeader>Authorization</AllowedHeader>\
    <AllowedHeader>x-oss-*</AllowedHeader><ExposeHeader>x-oss-test</ExposeHeader>\
    <ExposeHeader>x-oss-test1</ExposeHeader><MaxAgeSeconds>100</MaxAgeSeconds></CORSRule>\
    <ResponseVary>false</ResponseVary></CORSConfiguration>";

impl Fixture {
    fn with_rules() -> Fixture {
        let fixture = Fixture::new();
        assert_eq!(fixture.call("PUT", "/demo?cors", RULES).status, 200);
        assert_eq!(fixture.call("PUT", "/demo/k", b"x").status, 200);
        fixture
    }

    fn preflight(
        &self,
        target: &str,
        origin: &str,
        method: &str,
        headers: Option<&str>,
    ) -> TestResponse {
        let mut request = plain("OPTIONS", target, b"");
        let mut add = |name: &str, value: &str| request.headers.push((name.into(), value.into()));
        add("origin", origin);
        add("access-control-request-method", method);
        headers.iter().for_each(|headers| add("access-control-request-headers", headers));
        self.send(&request)
    }
}

fn grants(response: &TestResponse) -> Vec<(&str, &str)> {
    let is_grant = |name: &str| name.starts_with("Access-Control-") || name == "Vary";
    let headers = response.headers.iter().filter(|(name, _)| is_grant(name));
    headers.map(|(name, value)| (name.as_ref(), value.as_str())).collect()
}

#[test]
fn a_configuration_can_be_stored_fetched_replaced_and_deleted() {
    let fixture = Fixture::with_rules();
    assert_eq!(fixture.call("GET", "/demo?cors", b"").xml(), READ_BACK);
    let other = b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>\
        <AllowedMethod>HEAD</AllowedMethod></CORSRule><ResponseVary>true</ResponseVary>\
        </CORSConfiguration>";
    assert_eq!(fixture.call("PUT", "/demo?cors", other).status, 200);
    let got = fixture.call("GET", "/demo?cors", b"");
    assert_eq!(
        (got.texts("AllowedOrigin"), got.text("ResponseVary")),
        (vec!["*".into()], Some("true".into()))
    );
    for _ in 0..2 {
        assert_eq!(fixture.call("DELETE", "/demo?cors", b"").status, 204);
    }
    let none = fixture.call("GET", "/demo?cors", b"");
    assert_eq!(none.error(), (404, "NoSuchCORSConfiguration".into()));
    assert_eq!(none.text("Message").as_deref(), Some("The CORS Configuration does not exist."));
    assert_eq!(none.header("x-oss-ec"), Some("0034-00000001"));
    assert_eq!(fixture.call("GET", "/none?cors", b"").error(), (404, "NoSuchBucket".into()));
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(fixture.anonymous(method, "/demo?cors").status, 403, "{method}");
    }
}

#[test]
fn rules_survive_a_restart_and_a_change_of_the_acl() {
    let fixture = Fixture::with_rules();
    fixture.store.create_bucket("demo", Acl::PublicRead).unwrap();
    let Fixture { service, store, _folder, .. } = fixture;
    drop((service, store));
    let store = Store::open(_folder.path(), Durability::Nothing, Clock::system()).unwrap();
    let bucket = store.bucket("demo").unwrap();
    assert_eq!((bucket.acl, bucket.cors.unwrap().rules.len()), (Acl::PublicRead, 2));
    assert_eq!(store.bucket("live-demo-bucket").unwrap().cors, None);
}

#[test]
fn an_invalid_configuration_is_refused_and_changes_nothing() {
    let fixture = Fixture::with_rules();
    let rule = |content: &str| {
        format!("<CORSConfiguration><CORSRule>{content}</CORSRule></CORSConfiguration>")
    };
    let origin = "<AllowedOrigin>*</AllowedOrigin>";
    let method = "<AllowedMethod>GET</AllowedMethod>";
    let with = |more: &str| rule(&format!("{origin}{method}{more}"));
    let many = format!("<CORSRule>{origin}{method}</CORSRule>").repeat(21);
    for (body, code, ec) in [
        (String::new(), "MalformedXML", None),
        ("<CORSConfiguration/>".into(), "MalformedXML", Some("0034-00000002")),
        ("<CORSRules/>".into(), "MalformedXML", None),
        (rule(origin), "MalformedXML", None),
        (rule(method), "MalformedXML", None),
        (with("<ID>1</ID>"), "MalformedXML", None),
        (
            with("<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>2</MaxAgeSeconds>"),
            "MalformedXML",
            None,
        ),
        (with("</CORSRule><CORSRule>"), "MalformedXML", None),
        (with("</CORSRule><ResponseVary>yes</ResponseVary><CORSRule>"), "MalformedXML", None),
        (
            with("<AllowedOrigin>http://*.*</AllowedOrigin>"),
            "InvalidArgument",
            Some("0034-00000009"),
        ),
        (with("<AllowedOrigin></AllowedOrigin>"), "InvalidArgument", Some("0034-00000009")),
        (with("<AllowedMethod>TEST</AllowedMethod>"), "InvalidArgument", Some("0034-00000011")),
        (with("<AllowedMethod>get</AllowedMethod>"), "InvalidArgument", Some("0034-00000011")),
        (with("<AllowedMethod></AllowedMethod>"), "InvalidArgument", Some("0034-00000011")),
        (with("<AllowedHeader>x-*-*</AllowedHeader>"), "InvalidArgument", None),
        (with("<AllowedHeader>a: b</AllowedHeader>"), "InvalidArgument", None),
        (with("<ExposeHeader>*</ExposeHeader>"), "InvalidArgument", Some("0034-00000013")),
        (
            with("<ExposeHeader>a&#13;&#10;b</ExposeHeader>"),
            "InvalidArgument",
            Some("0034-00000013"),
        ),
        (with("<MaxAgeSeconds>-1</MaxAgeSeconds>"), "InvalidArgument", None),
        (with("<MaxAgeSeconds>soon</MaxAgeSeconds>"), "InvalidArgument", None),
        (
            format!("<CORSConfiguration>{many}</CORSConfiguration>"),
            "CORSRuleBeyondLimit",
            Some("0034-00000006"),
        ),
        (with(&" ".repeat(16 << 10)), "EntityTooLarge", None),
    ] {
        let response = fixture.call("PUT", "/demo?cors", body.as_bytes());
        assert_eq!(
            (response.error(), response.header("x-oss-ec")),
            ((400, code.into()), ec),
            "{body}"
        );
    }
    assert_eq!(fixture.call("GET", "/demo?cors", b"").xml(), READ_BACK);
    let twenty = format!("<CORSRule>{origin}{method}</CORSRule>").repeat(20);
    let twenty = format!("<CORSConfiguration>{twenty}</CORSConfiguration>");
    assert_eq!(fixture.call("PUT", "/demo?cors", twenty.as_bytes()).status, 200);
}

#[test]
fn a_preflight_request_needs_a_rule_but_no_signature() {
    let fixture = Fixture::with_rules();
    let response = fixture.preflight(
        "/demo/k",
        "http://www.a.example",
        "PUT",
        Some("x-oss-date, authorization"),
    );
    assert_eq!((response.status, response.body.as_str()), (200, ""));
    assert_eq!(
        grants(&response),
        [
            ("Vary", "Origin"),
            ("Access-Control-Allow-Origin", "http://www.a.example"),
            ("Access-Control-Expose-Headers", "x-oss-test, x-oss-test1"),
            ("Access-Control-Allow-Methods", "PUT"),
            ("Access-Control-Allow-Headers", "x-oss-date, authorization"),
            ("Access-Control-Max-Age", "100"),
        ]
    );
    let response = fixture.preflight("/demo", "http://x.b.example", "GET", None);
    assert_eq!((response.status, response.header("Access-Control-Allow-Headers")), (200, None));
    for (target, origin, method, headers, ec) in [
        ("/demo/k", "http://www.a.example", "DELETE", None, "0003-00000602"),
        ("/demo/k", "http://www.a.example", "PUT", Some("x-oss-date, range"), "0003-00000602"),
        ("/demo/k", "https://www.a.example", "GET", None, "0003-00000602"),
        ("/demo/k", "http://first.example", "PUT", None, "0003-00000602"),
        ("/demo/k", "null", "GET", None, "0003-00000602"),
        ("/live-demo-bucket/k", "http://www.a.example", "GET", None, "0003-00000601"),
        ("/none/k", "http://www.a.example", "GET", None, "0003-00000601"),
        ("/", "http://www.a.example", "GET", None, "0003-00000601"),
    ] {
        let response = fixture.preflight(target, origin, method, headers);
        assert_eq!(response.error(), (403, "AccessForbidden".into()), "{target} {origin} {method}");
        assert_eq!(
            (grants(&response), response.header("x-oss-ec")),
            (vec![("Vary", "Origin")], Some(ec))
        );
        let message = response.text("Message").unwrap();
        assert!(
            message.starts_with("CORSResponse: This CORS request is not allowed. "),
            "{message}"
        );
    }
}

#[test]
fn a_preflight_request_must_have_an_origin_and_a_method() {
    let fixture = Fixture::with_rules();
    let mut request = plain("OPTIONS", "/demo/k", b"");
    let response = fixture.send(&request);
    assert_eq!(response.error(), (400, "BadRequest".into()));
    assert_eq!(response.header("x-oss-ec"), Some("0034-00000101"));
    request.headers.push(("origin".into(), "http://www.a.example".into()));
    let response = fixture.send(&request);
    assert_eq!(response.error(), (400, "BadRequest".into()));
    assert_eq!(response.header("x-oss-ec"), Some("0034-00000102"));
}

#[test]
fn the_first_matching_rule_applies_to_responses_and_errors() {
    let fixture = Fixture::with_rules();
    let origin = |origin| [("origin", origin), ("sec-fetch-site", "cross-site")];
    let got = fixture.call_with("GET", "/demo/k", &origin("http://www.a.example"), b"");
    assert_eq!((got.status, got.body.as_str()), (200, "x"));
    let granted = [
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", "http://www.a.example"),
        ("Access-Control-Expose-Headers", "x-oss-test, x-oss-test1"),
    ];
    assert_eq!(grants(&got), granted);
    assert_eq!(got.header("Cross-Origin-Resource-Policy"), None);
    let missing = fixture.call_with("GET", "/demo/none", &origin("http://www.a.example"), b"");
    assert_eq!((missing.status, grants(&missing)), (404, granted.to_vec()));
    let first = fixture.call_with("GET", "/demo/k", &origin("http://first.example"), b"");
    assert_eq!(first.header("Access-Control-Expose-Headers"), None);
    // A rule grants no access: a signature is still required.
    let mut unsigned = plain("GET", "/demo/k", b"");
    unsigned.headers.push(("origin".into(), "http://first.example".into()));
    assert_eq!(fixture.send(&unsigned).error(), (403, "AccessDenied".into()));
    let refused = fixture.call_with("DELETE", "/demo/k", &origin("http://www.a.example"), b"");
    assert_eq!(refused.error(), (403, "AccessForbidden".into()));
    assert_eq!(fixture.call("GET", "/demo/k", b"").status, 200, "it was not deleted");
}

#[test]
fn a_bucket_can_add_vary_origin_to_every_response() {
    let fixture = Fixture::with_rules();
    assert_eq!(grants(&fixture.call("GET", "/demo/k", b"")), []);
    let rules = String::from_utf8_lossy(RULES).replace("false", "true");
    assert_eq!(fixture.call("PUT", "/demo?cors", rules.as_bytes()).status, 200);
    assert_eq!(grants(&fixture.call("GET", "/demo/k", b"")), [("Vary", "Origin")]);
    assert_eq!(grants(&fixture.call("GET", "/demo/none", b"")), [("Vary", "Origin")]);
    assert_eq!(grants(&fixture.call("GET", "/", b"")), []);
}

#[test]
fn a_rule_for_all_origins_is_sent_as_an_asterisk() {
    let fixture = Fixture::with_rules();
    let any = b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>\
        <AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";
    assert_eq!(fixture.call("PUT", "/demo?cors", any).status, 200);
    for origin in ["https://anywhere.example", "null"] {
        let got = fixture.call_with("GET", "/demo/k", &[("origin", origin)], b"");
        assert_eq!((got.status, got.header("Access-Control-Allow-Origin")), (200, Some("*")));
    }
    // The origin must still be a single one, and is required.
    for header in [("origin", "http://a,http://b"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(fixture.call_with("GET", "/demo/k", &[header], b"").status, 403, "{header:?}");
    }
}

#[test]
fn the_configured_origin_may_play_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    fixture.record("ch", 1);
    fixture.call("PUT", "/demo/k.txt", b"x");
    let player = [("origin", "http://player.example"), ("sec-fetch-site", "cross-site")];
    for (target, status) in [
        ("/demo/ch/playlist.m3u8".to_owned(), 200),
        (format!("/demo/ch/{NOW}000.ts"), 200),
        ("/demo/none.ts".into(), 404),
        ("/demo/k.txt".into(), 403),
        ("/demo/playlist.m3u8?live".into(), 403),
        ("/demo/a.m3u8?vod&startTime=1&endTime=2".into(), 403),
        ("/demo/a.m3u8?acl".into(), 403),
        ("/demo?live".into(), 403),
        ("/demo".into(), 403),
        ("/".into(), 403),
    ] {
        for method in ["GET", "HEAD"] {
            let got = fixture.call_with(method, &target, &player, b"");
            let preflight =
                fixture.preflight(&target, "http://player.example", method, Some("range"));
            let is_allowed = status != 403;
            assert_eq!(preflight.status, if is_allowed { 200 } else { 403 }, "{target}");
            if method == "GET" {
                assert_eq!(got.status, status, "{target}");
            }
            for response in [got, preflight] {
                let origin = response.header("Access-Control-Allow-Origin");
                assert_eq!(origin, is_allowed.then_some("http://player.example"), "{target}");
            }
        }
        for method in ["PUT", "DELETE", "POST"] {
            assert_eq!(fixture.call_with(method, &target, &player, b"x").status, 403, "{target}");
            let preflight = fixture.preflight(&target, "http://player.example", method, None);
            assert_eq!(preflight.status, 403, "{method} {target}");
        }
    }
    let mut signed = plain("GET", &presigned(1, "ch/playlist.m3u8", "x-oss-process=hls/sign"), b"");
    signed.headers.extend(player.map(|(name, value)| (name.into(), value.into())));
    assert_eq!(fixture.send(&signed).status, 200);
}
