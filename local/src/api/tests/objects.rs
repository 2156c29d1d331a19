//! Objects and buckets.

use super::*;

#[test]
fn objects_can_be_stored_fetched_and_deleted() {
    let fixture = Fixture::new();
    let put =
        fixture.call_with("PUT", "/demo/a/b%20c.txt", &[("content-type", "text/x")], b"0123456789");
    assert_eq!(put.status, 200);
    assert_eq!(put.header("ETag"), Some("\"781E5E245D69B566979B86E28D23F2C7\""));
    let got = fixture.call("GET", "/demo/a/b%20c.txt", b"");
    assert_eq!((got.status, got.body.as_str()), (200, "0123456789"));
    assert_eq!(got.header("Content-Type"), Some("text/x"));
    assert_eq!(got.header("ETag"), put.header("ETag"));
    assert_eq!(got.header("Last-Modified"), Some("Sun, 22 Nov 2026 08:16:38 GMT"));
    let head = fixture.call("HEAD", "/demo/a/b%20c.txt?objectMeta", b"");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("Content-Length"), Some("10"));
    let part = fixture.call_with("GET", "/demo/a/b%20c.txt", &[("range", "bytes=2-4")], b"");
    assert_eq!((part.status, part.body.as_str()), (206, "234"));
    assert_eq!(part.header("Content-Range"), Some("bytes 2-4/10"));
    assert_eq!(part.header("Content-Length"), Some("3"));
    let tag = put.header("ETag").unwrap();
    let same = fixture.call_with("GET", "/demo/a/b%20c.txt", &[("if-none-match", tag)], b"");
    assert_eq!((same.status, same.body.as_str(), same.header("Content-Length")), (304, "", None));
    let named =
        "/demo/a/b%20c.txt?response-content-disposition=attachment&response-content-type=a/b";
    let named = fixture.call("GET", named, b"");
    assert_eq!(named.header("Content-Disposition"), Some("attachment"));
    assert_eq!(named.header("Content-Type"), Some("a/b"));
    for _ in 0..2 {
        assert_eq!(fixture.call("DELETE", "/demo/a/b%20c.txt", b"").status, 204);
    }
    assert_eq!(fixture.call("GET", "/demo/a/b%20c.txt", b"").error(), (404, "NoSuchKey".into()));
}

#[test]
fn scripts_in_objects_do_not_run_in_the_endpoints_origin() {
    let fixture = Fixture::new();
    const SANDBOX: Option<&str> = Some("sandbox; default-src 'none'");
    for (content_type, policy) in [
        ("text/HTML; charset=utf-8", SANDBOX),
        ("image/svg+xml", SANDBOX),
        ("text/xsl", SANDBOX),
        ("multipart/x-mixed-replace; boundary=x", SANDBOX),
        ("application/pdf", SANDBOX),
        ("video/mp4, text/html", SANDBOX),
        ("no type", SANDBOX),
        ("video/mp4", None),
    ] {
        fixture.call_with("PUT", "/demo/o", &[("content-type", content_type)], b"<script>");
        for target in ["/demo/o", "/demo/o?response-content-type=text/xsl"] {
            let policy = policy.or(target.ends_with("xsl").then_some(SANDBOX).flatten());
            let got = fixture.call("GET", target, b"");
            assert_eq!(got.header("Content-Security-Policy"), policy, "{content_type} {target}");
            assert_eq!(got.header("X-Content-Type-Options"), Some("nosniff"));
            assert_eq!(got.header("Cross-Origin-Resource-Policy"), Some("same-origin"));
        }
    }
    // The same applies to an object that is served as a signed playlist.
    let playlist = b"<script>alert(1)</script>\n1.ts\n";
    fixture.call_with("PUT", "/demo/p.html", &[("content-type", "text/html")], playlist);
    let signed = fixture.anonymous("GET", &presigned(1, "p.html", "x-oss-process=hls/sign"));
    assert_eq!((signed.status, signed.header("Content-Type")), (200, Some("text/html")));
    assert_eq!(signed.header("Content-Security-Policy"), SANDBOX);
}

#[test]
fn objects_are_listed_in_both_versions() {
    let fixture = Fixture::new();
    for key in ["a/1.ts", "a/2.ts", "b", "c%26%01"] {
        assert_eq!(fixture.call("PUT", &format!("/demo/{key}"), b"x").status, 200);
    }
    let all = fixture.call("GET", "/demo?encoding-type=url", b"");
    assert_eq!(all.texts("Key"), ["a%2F1.ts", "a%2F2.ts", "b", "c%26%01"]);
    assert_eq!(all.text("EncodingType").as_deref(), Some("url"));
    assert_eq!(all.texts("Owner").len(), 4);
    assert_eq!(all.texts("ETag")[0], "\"9DD4E461268C8034F5C8564E155C67A6\"");
    let raw = fixture.call("GET", "/demo?prefix=c", b"");
    assert_eq!(raw.error(), (400, "InvalidArgument".into()));
    assert_eq!(raw.text("ArgumentName").as_deref(), Some("encoding-type"));
    assert_eq!(fixture.call("DELETE", "/demo/c%26%01", b"").status, 204);
    assert_eq!(fixture.call("PUT", "/demo/c%26", b"x").status, 200);
    let folders = fixture.call("GET", "/demo?delimiter=/&max-keys=2", b"");
    assert_eq!(folders.texts("Prefix"), ["", "a/"]);
    assert_eq!(folders.texts("Key"), ["b"]);
    assert_eq!(folders.text("IsTruncated").as_deref(), Some("true"));
    let marker = folders.text("NextMarker").unwrap();
    let rest = fixture.call("GET", &format!("/demo?delimiter=/&marker={marker}"), b"");
    assert_eq!(rest.texts("Key").len(), 1);
    assert_eq!(rest.text("IsTruncated").as_deref(), Some("false"));

    let first = fixture.call("GET", "/demo?list-type=2&max-keys=3", b"");
    assert_eq!(first.text("KeyCount").as_deref(), Some("3"));
    assert_eq!(first.texts("Owner").len(), 0);
    let token = first.text("NextContinuationToken").unwrap();
    let next = format!("/demo?list-type=2&fetch-owner=true&continuation-token={token}");
    let next = fixture.call("GET", &next, b"");
    assert_eq!(next.texts("Owner").len(), 1);
    assert_eq!(next.text("IsTruncated").as_deref(), Some("false"));
    let after = fixture.call("GET", "/demo?list-type=2&start-after=a/2.ts", b"");
    assert_eq!(after.text("KeyCount").as_deref(), Some("2"));
    for target in
        ["/demo?encoding-type=x", "/demo?list-type=1", "/demo?list-type=2&continuation-token=!"]
    {
        assert_eq!(fixture.call("GET", target, b"").error(), (400, "InvalidArgument".into()));
    }
    let uploads = fixture.call("GET", "/demo?uploads&encoding-type=url", b"");
    assert_eq!(uploads.text("IsTruncated").as_deref(), Some("false"));
    assert_eq!(uploads.text("NextKeyMarker").as_deref(), Some(""));
}

#[test]
fn many_objects_can_be_deleted_at_once() {
    let fixture = Fixture::new();
    for key in ["a", "b%20%26", "c"] {
        fixture.call("PUT", &format!("/demo/{key}"), b"x");
    }
    let body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b &amp;</Key></Object>\
                 <Object><Key>none</Key></Object></Delete>";
    let response = fixture.call("POST", "/demo?delete&encoding-type=url", body);
    assert_eq!(response.texts("Key"), ["a", "b%20%26", "none"]);
    let quiet = b"<Delete><Quiet>true</Quiet><Object><Key>c</Key></Object></Delete>";
    let response = fixture.call("POST", "/demo?delete", quiet);
    assert_eq!((response.status, response.body.as_str()), (200, ""));
    assert_eq!(fixture.call("GET", "/demo", b"").texts("Key").len(), 0);
    let many = format!("<Delete>{}</Delete>", "<Object><Key>a</Key></Object>".repeat(1001));
    for body in ["<Delete/>", "<Delete><Object/></Delete>", &many] {
        let response = fixture.call("POST", "/demo?delete", body.as_bytes());
        assert_eq!(response.error(), (400, "MalformedXML".into()));
    }
}

#[test]
fn buckets_can_be_created_listed_and_deleted() {
    let fixture = Fixture::new();
    let put = fixture.call_with("PUT", "/third", &[("x-oss-acl", "public-read")], b"");
    assert_eq!((put.status, put.header("Location")), (200, Some("/third")));
    let info = fixture.call("GET", "/third?bucketInfo", b"");
    for (name, text) in [
        ("Name", "third"),
        ("Grant", "public-read"),
        ("Location", "oss-cn-hangzhou"),
        ("CreationDate", "2026-11-22T08:16:38.000Z"),
        ("StorageClass", "Standard"),
    ] {
        assert_eq!(info.text(name).as_deref(), Some(text));
    }
    let all = fixture.call("GET", "/", b"");
    assert_eq!(all.texts("Name"), ["demo", "live-demo-bucket", "third"]);
    let page = fixture.call("GET", "/?max-keys=1&marker=demo", b"");
    assert_eq!(page.texts("Name"), ["live-demo-bucket"]);
    assert_eq!(page.text("NextMarker").as_deref(), Some("live-demo-bucket"));
    assert_eq!(fixture.call("DELETE", "/third", b"").status, 204);
    assert_eq!(fixture.call("DELETE", "/third", b"").error(), (404, "NoSuchBucket".into()));
    fixture.put_channel("ch");
    assert_eq!(fixture.call("DELETE", "/demo", b"").error(), (409, "BucketNotEmpty".into()));
    let bad = fixture.call_with("PUT", "/fourth", &[("x-oss-acl", "open")], b"");
    assert_eq!(bad.error(), (400, "InvalidArgument".into()));
    assert_eq!(fixture.call("PUT", "/Fourth", b"").error(), (400, "InvalidBucketName".into()));
    assert_eq!(fixture.call("PUT", "/fourth", b"<x").error(), (400, "MalformedXML".into()));
}
