//! Requests of the vendor's own clients, beyond live channels.

use super::*;

#[test]
fn signature_and_bucket_are_checked_before_unsupported_operations_are_refused() {
    let fixture = Fixture::new();
    for (method, query) in
        [("GET", "policy"), ("PUT", "lifecycle"), ("POST", "x"), ("PATCH", ""), ("GET", "live&vod")]
    {
        let refused = fixture.call(method, &format!("/demo?{query}"), b"");
        assert!([501, 405, 400].contains(&refused.status), "{method} {query}: {}", refused.body);
        let absent = fixture.call(method, &format!("/none?{query}"), b"");
        assert_eq!(absent.error(), (404, "NoSuchBucket".into()), "{method} {query}");
        let unsigned = fixture.anonymous(method, &format!("/demo?{query}"));
        assert_eq!(unsigned.error(), (403, "AccessDenied".into()), "{method} {query}");
        let mut request = plain(method, &format!("/demo?{query}"), b"");
        fixture.sign(&mut request);
        request.headers.last_mut().unwrap().1.push('0');
        let response = fixture.send(&request);
        assert_eq!(response.error(), (403, "SignatureDoesNotMatch".into()), "{method} {query}");
    }
    fixture.store.create_bucket("demo", Acl::PublicRead).unwrap();
    let picture = fixture.anonymous("GET", "/demo/k?x-oss-process=image/resize,w_1");
    assert_eq!(picture.error(), (501, "NotImplemented".into()));
}

#[test]
fn the_acl_of_a_bucket_can_be_set_and_fetched() {
    let fixture = Fixture::new();
    fixture.call("PUT", "/demo/k", b"x");
    let shown = || fixture.call("GET", "/demo?acl", b"").text("Grant").unwrap();
    assert_eq!(shown(), "private");
    for (acl, status) in [("public-read", 200), ("private", 403), ("public-read-write", 200)] {
        let put = fixture.call_with("PUT", "/demo?acl", &[("x-oss-acl", acl)], b"");
        assert_eq!((put.status, put.header("Content-Length")), (200, Some("0")));
        assert_eq!(shown(), acl);
        assert_eq!(fixture.anonymous("GET", "/demo/k").status, status, "{acl}");
    }
    assert_eq!(
        fixture.call("GET", "/demo?acl", b"").xml(),
        "<AccessControlPolicy><Owner><ID>osslive</ID><DisplayName>osslive</DisplayName></Owner>\
         <AccessControlList><Grant>public-read-write</Grant></AccessControlList>\
         </AccessControlPolicy>"
    );
    for (headers, status) in
        [(&[("x-oss-acl", "open")][..], 400), (&[], 400), (&[("x-oss-grant", "a")], 501)]
    {
        assert_eq!(fixture.call_with("PUT", "/demo?acl", headers, b"").status, status);
    }
    assert_eq!(fixture.anonymous("PUT", "/demo?acl").status, 403, "only the owner sets it");
    let absent = fixture.call_with("PUT", "/none?acl", &[("x-oss-acl", "private")], b"");
    assert_eq!(absent.error(), (404, "NoSuchBucket".into()));
    // A bucket that is created again keeps its ACL, unless the request sets another.
    assert_eq!(fixture.call("PUT", "/demo", b"").status, 200);
    assert_eq!(shown(), "public-read-write");
}

#[test]
fn a_bucket_reports_its_existence_location_and_contents() {
    let fixture = Fixture::new();
    let head = |target: &str| fixture.call("HEAD", target, b"").status;
    assert_eq!([head("/demo"), head("/demo/"), head("/none")], [200, 200, 404]);
    assert_eq!(fixture.anonymous("HEAD", "/demo").status, 403);
    let location = fixture.call("GET", "/demo?location", b"");
    assert_eq!(location.xml(), "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>");
    for key in ["a", "b/c"] {
        fixture.call("PUT", &format!("/demo/{key}"), b"12345");
    }
    fixture.put_channel("one");
    fixture.put_channel("two");
    let stat = fixture.call("GET", "/demo?stat", b"");
    for (name, text) in [
        ("Storage", "10"),
        ("ObjectCount", "2"),
        ("MultipartUploadCount", "0"),
        ("LiveChannelCount", "2"),
        ("StandardObjectCount", "2"),
    ] {
        assert_eq!(stat.text(name).as_deref(), Some(text), "{name}");
    }
    let info = fixture.call("GET", "/demo?bucketInfo", b"");
    assert!(info.xml().contains(
        "<ServerSideEncryptionRule><SSEAlgorithm>None</SSEAlgorithm></ServerSideEncryptionRule>"
    ));
}

#[test]
fn a_bucket_with_unsupported_settings_is_not_created() {
    let fixture = Fixture::new();
    let put = |inner: &str| {
        let body = format!("<CreateBucketConfiguration>{inner}</CreateBucketConfiguration>");
        fixture.call("PUT", "/third", body.as_bytes()).error()
    };
    for (inner, status, code) in [
        ("<StorageClass>IA</StorageClass>", 501, "NotImplemented"),
        ("<DataRedundancyType>ZRS</DataRedundancyType>", 501, "NotImplemented"),
        ("<ObjectHashFunction>SHA-256</ObjectHashFunction>", 501, "NotImplemented"),
        (
            "<LocationConstraint>oss-us-west-1</LocationConstraint>",
            400,
            "InvalidLocationConstraint",
        ),
    ] {
        assert_eq!(put(inner), (status, code.into()), "{inner}");
        assert_eq!(fixture.call("HEAD", "/third", b"").status, 404, "{inner}");
    }
    let headers = [("x-oss-hns-status", "enabled")];
    assert_eq!(fixture.call_with("PUT", "/third", &headers, b"").status, 501);
    let inner = "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>\
                 <StorageClass>Standard</StorageClass><DataRedundancyType>LRS</DataRedundancyType>";
    assert_eq!(put(inner).0, 200);
}

const KEPT: &[(&str, &str)] = &[
    ("cache-control", "no-cache"),
    ("content-disposition", "attachment; filename=a.ts"),
    ("content-encoding", "gzip"),
    ("content-language", "zh"),
    ("expires", "Sun, 22 Nov 2026 08:16:38 GMT"),
    ("x-oss-meta-camera", "front door"),
    ("x-oss-meta-empty", ""),
];

#[test]
fn an_object_keeps_the_metadata_of_its_upload() {
    let fixture = Fixture::new();
    assert_eq!(fixture.call_with("PUT", "/demo/k", KEPT, b"123456789").status, 200);
    for method in ["GET", "HEAD"] {
        let got = fixture.call(method, "/demo/k", b"");
        for (name, value) in KEPT {
            assert_eq!(got.header(name), Some(*value), "{method} {name}");
        }
        assert_eq!(got.header("x-oss-hash-crc64ecma"), Some("11051210869376104954"));
    }
    let part = fixture.call_with("GET", "/demo/k", &[("range", "bytes=0-1")], b"");
    assert_eq!((part.status, part.header("x-oss-hash-crc64ecma")), (206, None));
    let other = fixture.call("GET", "/demo/k?response-content-encoding=identity", b"");
    assert_eq!(other.header("content-encoding"), Some("identity"));
    let long = "x".repeat(8 << 10);
    let response = fixture.call_with("PUT", "/demo/l", &[("x-oss-meta-a", &long)], b"");
    assert_eq!(response.error(), (400, "InvalidArgument".into()));
    // Unsupported headers are refused.
    for (method, name, value) in [
        ("PUT", "x-oss-object-acl", "public-read"),
        ("PUT", "x-oss-storage-class", "IA"),
        ("PUT", "x-oss-forbid-overwrite", "true"),
        ("PUT", "x-oss-server-side-encryption", "AES256"),
        ("PUT", "x-oss-callback", "e30="),
        ("PUT", "x-oss-traffic-limit", "819200"),
        ("GET", "x-oss-traffic-limit", "819200"),
        ("DELETE", "x-oss-meta-a", "b"),
    ] {
        let response = fixture.call_with(method, "/demo/k", &[(name, value)], b"x");
        assert_eq!(response.error(), (501, "NotImplemented".into()), "{method} {name}");
        assert_eq!(response.text("Header").as_deref(), Some(name));
    }
    let target = "/demo/k?x-oss-traffic-limit=819200";
    assert_eq!(fixture.call("GET", target, b"").error(), (501, "NotImplemented".into()));
}

#[test]
fn an_object_is_copied_with_its_metadata() {
    let fixture = Fixture::new();
    let put = fixture.call_with("PUT", "/demo/a%20b", KEPT, b"123456789");
    let copy = |target: &str, headers: &[(&str, &str)]| {
        let source = [("x-oss-copy-source", "/demo/a%20b")];
        fixture.call_with("PUT", target, &[&source[..], headers].concat(), b"")
    };
    let response = copy("/live-demo-bucket/copy", &[]);
    assert_eq!(response.text("ETag").as_deref(), put.header("ETag"), "{}", response.body);
    assert_eq!(response.text("LastModified").as_deref(), Some("2026-11-22T08:16:38.000Z"));
    let got = fixture.call("GET", "/live-demo-bucket/copy", b"");
    assert_eq!(
        (got.body.as_str(), got.header("x-oss-meta-camera")),
        ("123456789", Some("front door"))
    );
    let replace = [("x-oss-metadata-directive", "REPLACE"), ("x-oss-meta-b", "c")];
    assert_eq!(copy("/demo/a%20b", &replace).status, 200, "onto itself");
    let got = fixture.call("GET", "/demo/a%20b", b"");
    assert_eq!((got.body.as_str(), got.header("x-oss-meta-b")), ("123456789", Some("c")));
    assert_eq!(got.header("x-oss-meta-camera"), None);
    let tag = got.header("ETag").unwrap();
    assert_eq!(copy("/demo/c", &[("x-oss-copy-source-if-none-match", tag)]).status, 304);
    assert_eq!(copy("/demo/c", &[("x-oss-copy-source-if-match", "x")]).status, 412);
    assert_eq!(fixture.call("GET", "/demo/c", b"").status, 404);
    for (source, status) in [
        ("/demo/none", 404),
        ("/none-such/k", 404),
        ("demo", 400),
        ("/demo/", 400),
        ("/demo/%ff", 400),
        ("/demo/%", 400),
    ] {
        let response = fixture.call_with("PUT", "/demo/c", &[("x-oss-copy-source", source)], b"");
        assert_eq!(response.status, status, "{source}: {}", response.body);
    }
    // Write access to one bucket is not read access to the others.
    fixture.store.create_bucket("open", Acl::PublicReadWrite).unwrap();
    let mut request = plain("PUT", "/open/stolen", b"");
    request.headers.push(("x-oss-copy-source".into(), "/demo/a%20b".into()));
    assert_eq!(fixture.send(&request).error(), (403, "AccessDenied".into()));
}

#[test]
fn the_acl_of_an_object_is_that_of_its_bucket() {
    let fixture = Fixture::new();
    fixture.call("PUT", "/demo/k", b"x");
    assert_eq!(fixture.call("GET", "/demo/k?acl", b"").text("Grant").as_deref(), Some("default"));
    let put = |acl: &str| {
        fixture.call_with("PUT", "/demo/k?acl", &[("x-oss-object-acl", acl)], b"").error()
    };
    assert_eq!(put("default").0, 200);
    assert_eq!(put("private"), (501, "NotImplemented".into()));
    assert_eq!(fixture.call("GET", "/demo/none?acl", b"").error(), (404, "NoSuchKey".into()));
    assert_eq!(fixture.anonymous("GET", "/demo/k?acl").status, 403);
}

#[test]
fn every_error_has_its_ec_in_header_and_body() {
    let fixture = Fixture::new();
    fixture.put_channel("live");
    let _session = fixture.publish("live");
    for (method, target, ec) in [
        ("GET", "/demo/none?live", "0026-00000021"),
        ("DELETE", "/demo/live?live", "0044-00000201"),
        ("PUT", "/demo/live?live&status=enabled", "0044-00000201"),
        ("GET", "/demo/none", "0026-00000001"),
        ("PUT", "/demo?live", "0017-00000257"),
        ("GET", "/demo/a/b?live", "0017-00000260"),
        ("GET", "/demo/a/b?vod&startTime=1&endTime=2", "0044-00000302"),
        ("GET", "/demo/k?x-oss-process=hls/sign", "0044-00000410"),
    ] {
        let response = fixture.call(method, target, b"");
        assert_eq!(response.header("x-oss-ec"), Some(ec), "{method} {target}: {}", response.body);
        assert_eq!(response.text("EC").as_deref(), Some(ec));
    }
    assert_eq!(fixture.call("GET", "/demo/none", b"").text("Key").as_deref(), Some("none"));
    let head = fixture.call("HEAD", "/demo/none", b"");
    assert_eq!(head.header("x-oss-ec"), Some("0026-00000001"));
}

/// The vendor's SDK for C also sends the four bytes after the digest.
#[test]
fn a_digest_may_be_longer_than_an_md5() {
    let fixture = Fixture::new();
    let body = b"<Delete><Object><Key>a</Key></Object></Delete>";
    let digest = Md5::digest(body);
    let send = |digest: &[u8]| {
        let text = BASE64_STANDARD.encode(digest);
        fixture.call_with("POST", "/demo?delete", &[("content-md5", &text)], body).status
    };
    assert_eq!(send(&digest), 200);
    assert_eq!(send(&[&digest[..], b"more"].concat()), 200);
    assert_eq!(send(&digest[..15]), 400);
    assert_eq!(send(&[b"more", &digest[..]].concat()), 400);
}

#[test]
fn a_token_for_a_signed_playlist_is_checked_and_refused() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    fixture.record("ch", 1);
    let target = presigned(1, "ch/playlist.m3u8", "x-oss-process=hls/sign");
    let (path, query) = target.split_once('?').unwrap();
    let long = "a".repeat(101);
    for (token, status, ec) in [
        (long.as_str(), 400, Some("0044-00000401")),
        ("a b", 400, Some("0044-00000402")),
        ("a_b-c.1", 501, None),
    ] {
        let headers = [("x-oss-hls-sign-token", token)];
        let expires = (NOW + 60).to_string();
        let parts = Parts {
            method: "GET",
            bucket: "demo",
            key: "ch/playlist.m3u8",
            query: &[("x-oss-process", Some("hls/sign"))],
            headers: &headers,
        };
        let signature = v1::signature(&v1::Key::new(SECRET), &v1::string_to_sign(&parts, &expires));
        let signature = osslive::request::percent_encode(&signature).to_string();
        let unsigned = query.split("&Signature=").next().unwrap();
        let mut request = plain("GET", &format!("{path}?{unsigned}&Signature={signature}"), b"");
        request.headers.push(("x-oss-hls-sign-token".into(), token.into()));
        let response = fixture.send(&request);
        assert_eq!(
            (response.status, response.header("x-oss-ec")),
            (status, ec),
            "{}",
            response.body
        );
    }
}

/// The vendor's SDKs write character references that XML does not allow.
#[test]
fn keys_with_control_characters_can_be_deleted_in_a_batch() {
    let fixture = Fixture::new();
    let all: String = ('\u{1}'..='\u{1f}').collect();
    let key = osslive::request::percent_encode(&all).to_string();
    // In the forms that occur: hexadecimal, with leading zeros, decimal.
    let reference = |code| match code % 3 {
        0 => format!("&#x{code:02X};"),
        1 => format!("&#x{code:x};"),
        _ => format!("&#{code:03};"),
    };
    let references: String = (1..=0x1f).map(reference).collect();
    let body = format!("<Delete><Object><Key>{references}</Key></Object></Delete>");
    for query in ["delete", "delete&encoding-type=url"] {
        assert_eq!(fixture.call("PUT", &format!("/demo/{key}"), b"x").status, 200);
        let response = fixture.call("POST", &format!("/demo?{query}"), body.as_bytes());
        let is_encoded = query.contains("url");
        assert_eq!(response.status, if is_encoded { 200 } else { 400 }, "{}", response.body);
        let left = fixture.call("GET", "/demo?encoding-type=url", b"").texts("Key");
        if is_encoded {
            assert_eq!(response.texts("Key"), [key.as_str()]);
            assert_eq!(left.len(), 0);
        } else {
            assert_eq!(left, [key.as_str()], "a refused request deletes nothing");
        }
    }
    // The internal escape character is a valid character in a key, and nothing
    // else is mistaken for a reference.
    let odd = "\u{f8ff}\u{f8ff}01&amp;#1;&#x1;&#65;";
    let body = format!("<Delete><Object><Key>{odd}</Key></Object></Delete>");
    let response = fixture.call("POST", "/demo?delete&encoding-type=url", body.as_bytes());
    let expected = osslive::request::percent_encode("\u{f8ff}\u{f8ff}01&#1;\u{1}A").to_string();
    assert_eq!(response.texts("Key"), [expected]);
    for bad in ["&#0;", "&#x+1;", "&#xD800;", "&#;", "&#1", "<![CDATA[&#1;]]>&#1;"] {
        let body = format!("<Delete><Object><Key>a{bad}</Key></Object></Delete>");
        let response = fixture.call("POST", "/demo?delete", body.as_bytes());
        assert_eq!(response.error(), (400, "MalformedXML".into()), "{bad}");
    }
}

const BLOCKED: &[u8] = b"<PublicAccessBlockConfiguration><BlockPublicAccess>true\
    </BlockPublicAccess></PublicAccessBlockConfiguration>";
const OPEN: &[u8] = b"<PublicAccessBlockConfiguration><BlockPublicAccess>false\
    </BlockPublicAccess></PublicAccessBlockConfiguration>";

#[test]
fn blocked_public_access_overrides_the_acl() {
    let fixture = Fixture::new();
    fixture.call("PUT", "/demo/k", b"x");
    let is_blocked =
        || fixture.call("GET", "/demo?publicAccessBlock", b"").text("BlockPublicAccess").unwrap();
    let read = || fixture.anonymous("GET", "/demo/k").status;
    let publish =
        |acl: &str| fixture.call_with("PUT", "/demo?acl", &[("x-oss-acl", acl)], b"").error();
    assert_eq!(publish("public-read").0, 200);
    assert_eq!((is_blocked().as_str(), read()), ("false", 200));
    assert_eq!(fixture.call("PUT", "/demo?publicAccessBlock", BLOCKED).status, 200);
    assert_eq!((is_blocked().as_str(), read()), ("true", 403));
    assert_eq!(publish("public-read-write"), (403, "AccessDenied".into()));
    assert_eq!(publish("private").0, 200);
    assert_eq!(fixture.call("PUT", "/demo?publicAccessBlock", OPEN).status, 200);
    assert_eq!(publish("public-read").0, 200);
    assert_eq!((is_blocked().as_str(), read()), ("false", 200));
    fixture.call("PUT", "/demo?publicAccessBlock", BLOCKED);
    assert_eq!(fixture.call("DELETE", "/demo?publicAccessBlock", b"").status, 204);
    assert_eq!(read(), 200);
    let odd = b"<PublicAccessBlockConfiguration><BlockPublicAccess>x</BlockPublicAccess>\
                </PublicAccessBlockConfiguration>";
    assert_eq!(fixture.call("PUT", "/demo?publicAccessBlock", odd).status, 400);
}

#[test]
fn a_new_account_must_use_version_4_custom_domains_and_private_buckets() {
    let fixture = Fixture::of(Account::New, None);
    // Version 1, in header and URL, whether valid or not.
    let unsigned = fixture.call_unsigned_query("/demo", "live", "prefix=a");
    assert_eq!(unsigned.error(), (403, "AccessDenied".into()));
    assert_eq!(unsigned.header("x-oss-ec"), Some("0002-00000080"));
    let url = fixture.anonymous("GET", &presigned(1, "k", "live"));
    assert_eq!(url.header("x-oss-ec"), Some("0002-00000080"));
    // At the endpoint's own name, channels can be managed, but data not transferred.
    fixture.put_channel("ch");
    for (method, target) in
        [("PUT", "/demo/k"), ("GET", "/demo/k"), ("GET", "/demo/ch/playlist.m3u8")]
    {
        let response = fixture.call(method, target, b"");
        assert_eq!(response.error(), (400, "PublicEndpointForbidden".into()), "{method} {target}");
        assert_eq!(response.header("x-oss-ec"), Some("0048-00000401"));
    }
    assert_eq!(fixture.call("DELETE", "/demo/k", b"").status, 204);
    for (method, body) in [("PUT", &b"x"[..]), ("GET", b"")] {
        let mut request = plain(method, "/k", body);
        request.host = "live.example.com".into();
        fixture.sign(&mut request);
        assert_eq!(fixture.send(&request).status, 200, "{method}");
    }
    // New buckets block public access by default.
    let public = [("x-oss-acl", "public-read")];
    let closed = fixture.call_with("PUT", "/third", &public, b"");
    assert_eq!(closed.error(), (403, "AccessDenied".into()));
    assert_eq!(fixture.call("PUT", "/third", b"").status, 200);
    assert_eq!(fixture.call_with("PUT", "/third?acl", &public, b"").status, 403);
    assert_eq!(fixture.call("PUT", "/third?publicAccessBlock", OPEN).status, 200);
    assert_eq!(fixture.call_with("PUT", "/third?acl", &public, b"").status, 200);
}
