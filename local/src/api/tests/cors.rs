//! CORS rules: put, got, deleted, and kept to.

use super::*;

/// The sample of the vendor's documentation, with a rule that comes first.
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

impl World {
    fn with_rules() -> World {
        let world = World::new();
        assert_eq!(world.call("PUT", "/demo?cors", RULES).status, 200);
        assert_eq!(world.call("PUT", "/demo/k", b"x").status, 200);
        world
    }

    fn preflight(&self, target: &str, origin: &str, method: &str, headers: Option<&str>) -> Reply {
        let mut request = plain("OPTIONS", target, b"");
        let mut add = |name: &str, value: &str| request.headers.push((name.into(), value.into()));
        add("origin", origin);
        add("access-control-request-method", method);
        headers.iter().for_each(|headers| add("access-control-request-headers", headers));
        self.send(&request)
    }
}

fn grants(reply: &Reply) -> Vec<(&str, &str)> {
    let is_grant = |name: &str| name.starts_with("Access-Control-") || name == "Vary";
    let headers = reply.headers.iter().filter(|(name, _)| is_grant(name));
    headers.map(|(name, value)| (name.as_ref(), value.as_str())).collect()
}

#[test]
fn a_configuration_is_put_got_replaced_and_deleted() {
    let world = World::with_rules();
    assert_eq!(world.call("GET", "/demo?cors", b"").xml(), READ_BACK);
    let other = b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>\
        <AllowedMethod>HEAD</AllowedMethod></CORSRule><ResponseVary>true</ResponseVary>\
        </CORSConfiguration>";
    assert_eq!(world.call("PUT", "/demo?cors", other).status, 200);
    let got = world.call("GET", "/demo?cors", b"");
    assert_eq!(
        (got.texts("AllowedOrigin"), got.text("ResponseVary")),
        (vec!["*".into()], Some("true".into()))
    );
    for _ in 0..2 {
        assert_eq!(world.call("DELETE", "/demo?cors", b"").status, 204);
    }
    let none = world.call("GET", "/demo?cors", b"");
    assert_eq!(none.error(), (404, "NoSuchCORSConfiguration".into()));
    assert_eq!(none.text("Message").as_deref(), Some("The CORS Configuration does not exist."));
    assert_eq!(none.header("x-oss-ec"), Some("0034-00000001"));
    assert_eq!(world.call("GET", "/none?cors", b"").error(), (404, "NoSuchBucket".into()));
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(world.anonymous(method, "/demo?cors").status, 403, "{method}");
    }
}

#[test]
fn rules_outlive_the_process_and_a_change_of_the_acl() {
    let world = World::with_rules();
    world.store.create_bucket("demo", Acl::PublicRead).unwrap();
    let World { service, store, _folder, .. } = world;
    drop((service, store));
    let store = Store::open(_folder.path(), Durability::Nothing, Clock::system()).unwrap();
    let bucket = store.bucket("demo").unwrap();
    assert_eq!((bucket.acl, bucket.cors.unwrap().rules.len()), (Acl::PublicRead, 2));
    assert_eq!(store.bucket("live-demo-bucket").unwrap().cors, None);
}

#[test]
fn what_is_no_configuration_is_refused_and_changes_nothing() {
    let world = World::with_rules();
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
        let reply = world.call("PUT", "/demo?cors", body.as_bytes());
        assert_eq!((reply.error(), reply.header("x-oss-ec")), ((400, code.into()), ec), "{body}");
    }
    assert_eq!(world.call("GET", "/demo?cors", b"").xml(), READ_BACK);
    let twenty = format!("<CORSRule>{origin}{method}</CORSRule>").repeat(20);
    let twenty = format!("<CORSConfiguration>{twenty}</CORSConfiguration>");
    assert_eq!(world.call("PUT", "/demo?cors", twenty.as_bytes()).status, 200);
}

#[test]
fn a_preflight_needs_no_signature_but_a_rule() {
    let world = World::with_rules();
    let reply = world.preflight(
        "/demo/k",
        "http://www.a.example",
        "PUT",
        Some("x-oss-date, authorization"),
    );
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    assert_eq!(
        grants(&reply),
        [
            ("Vary", "Origin"),
            ("Access-Control-Allow-Origin", "http://www.a.example"),
            ("Access-Control-Expose-Headers", "x-oss-test, x-oss-test1"),
            ("Access-Control-Allow-Methods", "PUT"),
            ("Access-Control-Allow-Headers", "x-oss-date, authorization"),
            ("Access-Control-Max-Age", "100"),
        ]
    );
    let reply = world.preflight("/demo", "http://x.b.example", "GET", None);
    assert_eq!((reply.status, reply.header("Access-Control-Allow-Headers")), (200, None));
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
        let reply = world.preflight(target, origin, method, headers);
        assert_eq!(reply.error(), (403, "AccessForbidden".into()), "{target} {origin} {method}");
        assert_eq!(
            (grants(&reply), reply.header("x-oss-ec")),
            (vec![("Vary", "Origin")], Some(ec))
        );
        let message = reply.text("Message").unwrap();
        assert!(
            message.starts_with("CORSResponse: This CORS request is not allowed. "),
            "{message}"
        );
    }
}

#[test]
fn a_preflight_names_origin_and_method() {
    let world = World::with_rules();
    let mut request = plain("OPTIONS", "/demo/k", b"");
    let reply = world.send(&request);
    assert_eq!(reply.error(), (400, "BadRequest".into()));
    assert_eq!(reply.header("x-oss-ec"), Some("0034-00000101"));
    request.headers.push(("origin".into(), "http://www.a.example".into()));
    let reply = world.send(&request);
    assert_eq!(reply.error(), (400, "BadRequest".into()));
    assert_eq!(reply.header("x-oss-ec"), Some("0034-00000102"));
}

#[test]
fn the_first_rule_that_matches_answers_a_request_and_its_errors() {
    let world = World::with_rules();
    let origin = |origin| [("origin", origin), ("sec-fetch-site", "cross-site")];
    let got = world.call_with("GET", "/demo/k", &origin("http://www.a.example"), b"");
    assert_eq!((got.status, got.body.as_str()), (200, "x"));
    let granted = [
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", "http://www.a.example"),
        ("Access-Control-Expose-Headers", "x-oss-test, x-oss-test1"),
    ];
    assert_eq!(grants(&got), granted);
    assert_eq!(got.header("Cross-Origin-Resource-Policy"), None);
    let missing = world.call_with("GET", "/demo/none", &origin("http://www.a.example"), b"");
    assert_eq!((missing.status, grants(&missing)), (404, granted.to_vec()));
    let first = world.call_with("GET", "/demo/k", &origin("http://first.example"), b"");
    assert_eq!(first.header("Access-Control-Expose-Headers"), None);
    // A rule is no right: the signature counts as ever.
    let mut unsigned = plain("GET", "/demo/k", b"");
    unsigned.headers.push(("origin".into(), "http://first.example".into()));
    assert_eq!(world.send(&unsigned).error(), (403, "AccessDenied".into()));
    let refused = world.call_with("DELETE", "/demo/k", &origin("http://www.a.example"), b"");
    assert_eq!(refused.error(), (403, "AccessForbidden".into()));
    assert_eq!(world.call("GET", "/demo/k", b"").status, 200, "it was not deleted");
}

#[test]
fn a_bucket_may_say_of_every_response_that_it_varies() {
    let world = World::with_rules();
    assert_eq!(grants(&world.call("GET", "/demo/k", b"")), []);
    let rules = String::from_utf8_lossy(RULES).replace("false", "true");
    assert_eq!(world.call("PUT", "/demo?cors", rules.as_bytes()).status, 200);
    assert_eq!(grants(&world.call("GET", "/demo/k", b"")), [("Vary", "Origin")]);
    assert_eq!(grants(&world.call("GET", "/demo/none", b"")), [("Vary", "Origin")]);
    assert_eq!(grants(&world.call("GET", "/", b"")), []);
}

#[test]
fn a_page_of_any_origin_is_told_so() {
    let world = World::with_rules();
    let any = b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>\
        <AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";
    assert_eq!(world.call("PUT", "/demo?cors", any).status, 200);
    for origin in ["https://anywhere.example", "null"] {
        let got = world.call_with("GET", "/demo/k", &[("origin", origin)], b"");
        assert_eq!((got.status, got.header("Access-Control-Allow-Origin")), (200, Some("*")));
    }
    // An origin is one origin still, and a site without one stays out.
    for header in [("origin", "http://a,http://b"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(world.call_with("GET", "/demo/k", &[header], b"").status, 403, "{header:?}");
    }
}

#[test]
fn the_endpoints_own_rule_lets_a_page_play_and_nothing_else() {
    let world = World::new();
    world.put_channel("ch");
    world.record("ch", 1);
    world.call("PUT", "/demo/k.txt", b"x");
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
            let got = world.call_with(method, &target, &player, b"");
            let preflight =
                world.preflight(&target, "http://player.example", method, Some("range"));
            let is_allowed = status != 403;
            assert_eq!(preflight.status, if is_allowed { 200 } else { 403 }, "{target}");
            if method == "GET" {
                assert_eq!(got.status, status, "{target}");
            }
            for reply in [got, preflight] {
                let origin = reply.header("Access-Control-Allow-Origin");
                assert_eq!(origin, is_allowed.then_some("http://player.example"), "{target}");
            }
        }
        for method in ["PUT", "DELETE", "POST"] {
            assert_eq!(world.call_with(method, &target, &player, b"x").status, 403, "{target}");
            let preflight = world.preflight(&target, "http://player.example", method, None);
            assert_eq!(preflight.status, 403, "{method} {target}");
        }
    }
    let mut signed = plain("GET", &presigned(1, "ch/playlist.m3u8", "x-oss-process=hls/sign"), b"");
    signed.headers.extend(player.map(|(name, value)| (name.into(), value.into())));
    assert_eq!(world.send(&signed).status, 200);
}
