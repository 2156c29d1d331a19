"""Drives a live channel endpoint with oss2, the vendor's SDK for Python.

    oss2_client.py operations         every operation that needs no encoder
    oss2_client.py create CHANNEL     creates a channel with fragments of two seconds
    oss2_client.py url CHANNEL        prints only a signed publish URL
    oss2_client.py live CHANNEL WIDTH HEIGHT RATE
                                      checks while an encoder publishes
    oss2_client.py names_listed       prints the names of all channels, as JSON
    oss2_client.py faults FILE        makes a call with each set of rules in a file, and
                                      prints the outcomes as JSON: right, wrong or endless
    oss2_client.py ended CHANNEL      checks after the encoder has disconnected
    oss2_client.py disable CHANNEL    disables the channel

Every check prints a line that starts with PASS or FAIL; the exit status is 1 if
any fails. The endpoint and the credentials come from the environment:

    OSS_ENDPOINT, OSS_BUCKET, OSS_REGION, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET
    OSS_SIGNATURE              v1 or v4
    OSS_STS_ACCESS_KEY_ID, OSS_STS_ACCESS_KEY_SECRET, OSS_STS_TOKEN
    OSS_AS_STS                 if set, `create`, `url`, ... use the temporary key
"""

import json
import os
import re
import sys
import threading
import time
from datetime import datetime, timedelta
from unittest import mock
from urllib.parse import quote, unquote, urlsplit

import oss2
import requests
from oss2.models import LiveChannelInfo, LiveChannelInfoTarget

TIMEOUT = 10  # seconds, for every request
DAY = 86400

ENDPOINT = os.environ["OSS_ENDPOINT"]
BUCKET = os.environ["OSS_BUCKET"]
REGION = os.environ.get("OSS_REGION", "cn-hangzhou")
KEY_ID = os.environ["OSS_ACCESS_KEY_ID"]
KEY_SECRET = os.environ["OSS_ACCESS_KEY_SECRET"]
STS_ID = os.environ.get("OSS_STS_ACCESS_KEY_ID", "")
STS_SECRET = os.environ.get("OSS_STS_ACCESS_KEY_SECRET", "")
STS_TOKEN = os.environ.get("OSS_STS_TOKEN", "")
VERSION = os.environ.get("OSS_SIGNATURE", "v4")

PREFIX = "py-" + VERSION + "-"
failures = 0


# --- checks ------------------------------------------------------------------


def check(name, holds, seen=""):
    """Prints a line: PASS or FAIL, the name of the check, and on failure the value."""
    global failures
    if holds:
        print("PASS " + name, flush=True)
    else:
        failures += 1
        print("FAIL " + name + ": saw " + repr(seen), flush=True)


def equal(name, seen, expected):
    check(name, seen == expected, "%r, expected %r" % (seen, expected))


def refused(name, code, call, status=None, ec=None):
    """Checks that the call fails with this code (or one of a tuple of codes)."""
    codes = code if isinstance(code, tuple) else (code,)
    try:
        result = call()
    except oss2.exceptions.ServerError as error:
        seen = (error.status, error.code, error.ec, error.message)
        check(
            name + " is " + "/".join(codes),
            error.code in codes
            and status in (None, error.status)
            and ec in (None, error.ec)
            and re.fullmatch("[0-9A-F]{24}", error.request_id) is not None,
            seen + (error.request_id,),
        )
    except oss2.exceptions.OssError as error:
        check(name + " is " + "/".join(codes), False, error)
    else:
        check(name + " is " + "/".join(codes), False, result)


def section(title, body, *arguments):
    """Runs a group of checks; an exception of the SDK is one FAIL."""
    try:
        body(*arguments)
    except Exception as error:  # any exception for an invalid response
        check(title + " completes", False, error)


# --- clients -----------------------------------------------------------------


def auth(key_id=KEY_ID, secret=KEY_SECRET, token=None):
    if token is not None:
        return oss2.StsAuth(key_id, secret, token, auth_version=VERSION)
    return oss2.make_auth(key_id, secret, VERSION)


def bucket(credentials=None, name=BUCKET, endpoint=ENDPOINT):
    return oss2.Bucket(
        credentials or auth(), endpoint, name, connect_timeout=TIMEOUT, region=REGION
    )


def sts_bucket(token=STS_TOKEN):
    return bucket(auth(STS_ID, STS_SECRET, token))


def chosen_bucket():
    return sts_bucket() if os.environ.get("OSS_AS_STS") else bucket()


def get(url):
    return requests.get(url, timeout=TIMEOUT, allow_redirects=False)


def config(description="", status="enabled", **target):
    return LiveChannelInfo(status, description, LiveChannelInfoTarget(**target))


def span():
    now = int(time.time())
    return now - 3600, now + 3600


def tampered(url):
    """Returns the URL with one character of its signature changed."""
    head, mark, tail = re.split("(ignature=)", url, maxsplit=1)
    return head + mark + ("1" if tail[0] == "0" else "0") + tail[1:]


# --- operations that need no encoder -------------------------------------------


def life_of_a_channel(oss):
    name = PREFIX + "life"
    made = oss.create_live_channel(name, config("front door"))
    base = ENDPOINT.split("://")[1] + "/" + BUCKET
    equal("put returns 200", made.resp.status, 200)
    equal("put returns the publish URL", made.publish_url, "rtmp://%s/live/%s" % (base, name))
    equal("put returns the play URL", made.play_url, "http://%s/%s/playlist.m3u8" % (base, name))
    check(
        "a response has a request id of 24 digits",
        re.fullmatch("[0-9A-F]{24}", made.request_id) is not None,
        made.request_id,
    )

    info = oss.get_live_channel(name)
    equal(
        "get returns the settings, with the defaults",
        (info.description, info.status, info.target.type, info.target.frag_duration,
         info.target.frag_count, info.target.playlist_name),
        ("front door", "enabled", "HLS", "5", "3", "playlist.m3u8"),
    )
    stat = oss.get_live_channel_stat(name)
    equal("a new channel is Idle", (stat.status, stat.video, stat.audio), ("Idle", None, None))
    equal("a new channel has no history", oss.get_live_channel_history(name).records, [])

    equal("disabling returns 200", oss.put_live_channel_status(name, "disabled").status, 200)
    equal("disabling again succeeds", oss.put_live_channel_status(name, "disabled").status, 200)
    equal("a disabled channel is shown as disabled", oss.get_live_channel(name).status, "disabled")
    equal("its stat is Disabled", oss.get_live_channel_stat(name).status, "Disabled")
    listed = oss.list_live_channel(prefix=name).channels
    equal("also in the list", [c.status for c in listed], ["disabled"])
    oss.put_live_channel_status(name, "enabled")
    equal("enabled again it is Idle", oss.get_live_channel_stat(name).status, "Idle")

    oss.create_live_channel(
        name, config("second", "disabled", frag_duration=7, frag_count=9, playlist_name="tv.m3u8")
    )
    info = oss.get_live_channel(name)
    equal(
        "put again replaces the settings",
        (info.description, info.status, info.target.frag_duration, info.target.frag_count,
         info.target.playlist_name),
        ("second", "disabled", "7", "9", "tv.m3u8"),
    )

    equal("delete returns 204", oss.delete_live_channel(name).status, 204)
    equal("delete again returns 204", oss.delete_live_channel(name).status, 204)
    refused("get after delete", "NoSuchLiveChannel", lambda: oss.get_live_channel(name), 404)


def descriptions(oss):
    name = PREFIX + "description"
    for text in ("<b> & \"quotes\" ' ]]>", "直播频道 📺 é", "é" * 64, "x" * 128):
        oss.create_live_channel(name, config(text))
        equal("description %.20s... is returned" % text, oss.get_live_channel(name).description, text)
        equal(
            "description %.20s... is listed" % text,
            [c.description for c in oss.list_live_channel(prefix=name).channels],
            [text],
        )
    for text in ("x" * 129, "é" * 65):
        refused(
            "a description of %d bytes" % len(text.encode()),
            "InvalidArgument",
            lambda text=text: oss.create_live_channel(name, config(text)),
            400,
            "0044-00000001",
        )
    oss.delete_live_channel(name)


def names(oss):
    long = PREFIX + "n" * (63 - len(PREFIX))
    odd = ["live channel 2", "直播频道-1", "a+b %41%2F&c=d;e#f?g", "~!*'()@$,:", "cam.mp4", "é" * 20]
    for name in [PREFIX + text for text in odd] + [long]:
        label = "channel %s: " % name
        made = oss.create_live_channel(name, config(name))
        equal(
            label + "the publish URL names it",
            unquote(urlsplit(made.publish_url).path),
            "/%s/live/%s" % (BUCKET, name),
        )
        equal(label + "get", oss.get_live_channel(name).description, name)
        equal(label + "stat", oss.get_live_channel_stat(name).status, "Idle")
        equal(label + "history", oss.get_live_channel_history(name).records, [])
        equal(label + "status", oss.put_live_channel_status(name, "disabled").status, 200)
        listed = oss.list_live_channel(prefix=name).channels
        equal(label + "list", [c.name for c in listed], [name])
        equal(label + "delete", oss.delete_live_channel(name).status, 204)
        refused(label + "stat after", "NoSuchLiveChannel", lambda: oss.get_live_channel_stat(name), 404)

    for label, name in (("a name of 64 bytes", long + "n"), ("a name with a slash", PREFIX + "a/b")):
        refused(label, "InvalidChannelName", lambda: oss.create_live_channel(name, config()), 400)
    refused("delete with a name of 65 bytes", "InvalidChannelName",
            lambda: oss.delete_live_channel(long + "nn"), 400)


def settings_refused(oss):
    name = PREFIX + "settings"

    def bad(label, ec, **settings):
        refused(
            label, "InvalidArgument",
            lambda: oss.create_live_channel(name, config(**settings)), 400, ec,
        )

    bad("status paused", "0044-00000002", status="paused")
    bad("type RTMP", "0044-00000013", type="RTMP")
    bad("type hls", "0044-00000013", type="hls")
    for value in (0, -1, 101, "five"):
        bad("FragDuration %s" % value, "0044-00000014", frag_duration=value)
        bad("FragCount %s" % value, "0044-00000015", frag_count=value)
    bad("a playlist with a slash", "0044-00000016", playlist_name="a/b.m3u8")
    bad("a playlist name of 129 bytes", "0044-00000017", playlist_name="p" * 124 + ".m3u8")
    bad("a playlist without .m3u8", "0044-00000018", playlist_name="playlist.ts")
    for label, body in (("half an element", "<LiveChannelConfiguration>"), ("not XML", "hello")):
        refused(label, "MalformedXML", lambda: oss.create_live_channel(name, body), 400)
    refused("get of a channel that does not exist", "NoSuchLiveChannel", lambda: oss.get_live_channel(name), 404)

    oss.create_live_channel(name, config(frag_duration=100, frag_count=100, playlist_name="a.m3u8"))
    check("the largest settings are accepted", True)
    refused("status paused by query", "InvalidArgument",
            lambda: oss.put_live_channel_status(name, "paused"), 400)
    equal("a rejected change changes nothing", oss.get_live_channel(name).status, "enabled")
    oss.delete_live_channel(name)


def missing_things(oss):
    name = PREFIX + "missing"
    for label, call in (
        ("get", oss.get_live_channel),
        ("stat", oss.get_live_channel_stat),
        ("history", oss.get_live_channel_history),
        ("status", lambda name: oss.put_live_channel_status(name, "enabled")),
    ):
        refused(label + " of a missing channel", "NoSuchLiveChannel", lambda: call(name), 404)
    refused("a missing object", "NoSuchKey", lambda: oss.get_object(name + "/playlist.m3u8"), 404)
    refused("HEAD of a missing object", "NoSuchKey", lambda: oss.head_object(name), 404)

    elsewhere = bucket(name="no-such-bucket-" + VERSION)
    for label, call in (
        ("put", lambda: elsewhere.create_live_channel(name, config())),
        ("get", lambda: elsewhere.get_live_channel(name)),
        ("list", elsewhere.list_live_channel),
        ("history", lambda: elsewhere.get_live_channel_history(name)),
    ):
        refused(label + " in a missing bucket", "NoSuchBucket", call, 404)
    refused("an unsupported operation", "NotImplemented", lambda: oss.get_bucket_website())


def vod_refused(oss):
    name = PREFIX + "vod"
    start, end = span()
    oss.create_live_channel(name, config())
    for label, channel in (("a channel without recordings", name), ("no channel", name + "-none")):
        for verb, call in (
            ("post vod", lambda: oss.post_vod_playlist(channel, "vod.m3u8", start, end)),
            ("get vod", lambda: oss.get_vod_playlist(channel, start, end)),
        ):
            refused(verb + ", " + label, "InvalidArgument", call, 400, "0044-00000308")
    for label, times, ec in (
        ("a span that ends before it starts", (end, start), "0044-00000306"),
        ("an empty span", (start, start), "0044-00000308"),
        ("a span of more than a day", (start, start + DAY + 1), "0044-00000307"),
        ("a start time that is not a number", ("yesterday", end), "0044-00000304"),
        ("an end time that is not a number", (start, "tomorrow"), "0044-00000305"),
    ):
        refused("post vod, " + label, "InvalidArgument",
                lambda: oss.post_vod_playlist(name, "vod.m3u8", *times), 400, ec)
        refused("get vod, " + label, "InvalidArgument",
                lambda: oss.get_vod_playlist(name, *times), 400, ec)
    refused("post vod, a playlist without .m3u8", ("InvalidArgument", "InvalidRequest"),
            lambda: oss.post_vod_playlist(name, "vod.txt", start, end), 400)
    oss.delete_live_channel(name)


def paging(oss):
    """With 250 channels, whose byte order differs from their numeric order."""
    expected = [PREFIX + "page-%d" % n for n in range(250)]
    for name in expected:
        oss.create_live_channel(name, config())
    expected.sort()
    family = PREFIX + "page-"

    first = oss.list_live_channel(prefix=family)
    equal("the first page has a hundred", len(first.channels), 100)
    check("the first page is truncated", first.is_truncated, first.is_truncated)
    equal("the next marker is the last name", first.next_marker, first.channels[-1].name)
    equal("the response repeats the request", (first.prefix, first.marker, first.max_keys), (family, "", 100))

    walked = list(oss2.LiveChannelIterator(oss, prefix=family))
    equal("all pages return every channel once, in byte order", [c.name for c in walked], expected)
    walked = list(oss2.LiveChannelIterator(oss, prefix=family, max_keys=7))
    equal("pages of seven return the same", [c.name for c in walked], expected)
    whole = oss.list_live_channel(prefix=family, max_keys=1000)
    equal("a thousand at once", [c.name for c in whole.channels], expected)
    equal("the full list is not truncated", whole.is_truncated, False)
    exact = oss.list_live_channel(prefix=family, max_keys=250)
    equal("a page with all channels is not truncated", (len(exact.channels), exact.is_truncated), (250, False))

    listed = whole.channels[0]
    base = ENDPOINT.split("://")[1] + "/" + BUCKET
    equal("a listed channel has its URLs", (listed.publish_url, listed.play_url),
          ("rtmp://%s/live/%s" % (base, listed.name), "http://%s/%s/playlist.m3u8" % (base, listed.name)))
    check("and its modification time", abs(time.time() - listed.last_modified) < 600, listed.last_modified)

    def after(marker, keys=1):
        return [c.name for c in oss.list_live_channel(family, marker, keys).channels]

    equal("a marker is exclusive", after(expected[9]), [expected[10]])
    equal("a marker need not exist", after(expected[9] + "!"), [expected[10]])
    equal("nothing after the last", after(expected[-1]), [])
    one = oss.list_live_channel(PREFIX + "page-24")
    equal("a longer prefix narrows", [c.name for c in one.channels],
          [n for n in expected if n.startswith(PREFIX + "page-24")])
    equal("a prefix without channels", oss.list_live_channel(PREFIX + "直播 &").channels, [])

    for keys in (0, -1, 1001, "ten"):
        refused("max-keys %s" % keys, "InvalidArgument",
                lambda: oss.list_live_channel(max_keys=keys), 400)
    refused("a prefix of 1025 bytes", "InvalidArgument",
            lambda: oss.list_live_channel(prefix="p" * 1025), 400, "0044-00000102")
    for name in expected:
        oss.delete_live_channel(name)
    equal("deleted channels are not listed", oss.list_live_channel(family).channels, [])


def credentials():
    def list_as(*key):
        return lambda: bucket(auth(*key)).list_live_channel()

    refused("a wrong secret", "SignatureDoesNotMatch", list_as(KEY_ID, "not-the-secret"), 403)
    refused("an unknown key", "InvalidAccessKeyId", list_as("LTAI5tNobody", KEY_SECRET), 403)
    nobody = bucket(oss2.AnonymousAuth())
    for label, call in (
        ("list", nobody.list_live_channel),
        ("put", lambda: nobody.create_live_channel(PREFIX + "anonymous", config())),
        ("delete", lambda: nobody.delete_live_channel(PREFIX + "anonymous")),
    ):
        refused("an anonymous " + label, "AccessDenied", call, 403)

    for label, minutes in (("ahead", 16), ("behind", -16)):
        with shifted_clock(timedelta(minutes=minutes)):
            refused("a clock 16 minutes " + label, "RequestTimeTooSkewed",
                    list_as(), 403, "0002-00000504")
    with shifted_clock(timedelta(minutes=10)):
        equal("a clock ten minutes ahead is tolerated", bucket().list_live_channel().status, 200)

    if not STS_ID:
        return
    name = PREFIX + "sts"
    sts = sts_bucket()
    equal("STS: put", sts.create_live_channel(name, config()).resp.status, 200)
    equal("STS: stat", sts.get_live_channel_stat(name).status, "Idle")
    equal("STS: list", [c.name for c in sts.list_live_channel(name).channels], [name])
    equal("STS: a presigned GET", get(sts.sign_url("GET", name, 60, params={"live": ""})).status_code, 200)
    equal("STS: delete", sts.delete_live_channel(name).status, 204)
    wrong = ("InvalidSecurityToken", "AccessKeyIdAndSecurityTokenNotMatch")
    refused("STS: a wrong token", wrong, lambda: sts_bucket(STS_TOKEN + "x").list_live_channel(), 403)
    refused("STS: no token", wrong + ("InvalidAccessKeyId",),
            lambda: bucket(auth(STS_ID, STS_SECRET)).list_live_channel(), 403)
    refused("STS: a wrong secret", "SignatureDoesNotMatch",
            lambda: bucket(auth(STS_ID, "wrong", STS_TOKEN)).list_live_channel(), 403)


def shifted_clock(by):
    """Shifts the clock of oss2, which has no option for that."""

    class Shifted(datetime):
        @classmethod
        def utcnow(cls):
            return datetime.utcnow() + by

    http_date = oss2.utils.http_date
    late = lambda: http_date(time.time() + by.total_seconds())
    return mock.patch.multiple("oss2.auth", datetime=Shifted, utils=Wrapped(oss2.utils, http_date=late))


class Wrapped:
    """A module with some of its names replaced."""

    def __init__(self, module, **names):
        self.module, self.names = module, names

    def __getattr__(self, name):
        return self.names.get(name) or getattr(self.module, name)


def objects(oss):
    for key in (PREFIX + "object.txt", PREFIX + "片段 1/a b+c&d=é?.ts"):
        body = os.urandom(70_000)
        oss.put_object(key, body)
        label = "object %s: " % key
        check(label + "get", oss.get_object(key).read() == body)
        check(label + "a range", oss.get_object(key, byte_range=(10, 99)).read() == body[10:100])
        head = oss.head_object(key)
        equal(label + "head", (head.content_length, len(head.etag)), (len(body), 32))
        listed = [o.key for o in oss2.ObjectIterator(oss, prefix=key)]
        equal(label + "list", listed, [key])
        listed = [o.key for o in oss2.ObjectIteratorV2(oss, prefix=key)]
        equal(label + "list, second version", listed, [key])
        url = oss.sign_url("GET", key, 60)
        check(label + "a presigned GET", get(url).content == body)
        check(label + "the same with slashes", get(oss.sign_url("GET", key, 60, slash_safe=True)).content == body)
        reply = get(tampered(url))
        check(label + "one byte of the signature changed",
              reply.status_code == 403 and b"SignatureDoesNotMatch" in reply.content, reply.content[:200])
        reply = get(url.split("?")[0])
        check(label + "no signature", reply.status_code == 403 and b"AccessDenied" in reply.content,
              reply.content[:200])
        url = oss.sign_url("GET", key, -3600)
        reply = get(url)
        check(label + "an expired URL", reply.status_code in (400, 403) and b"<Code>" in reply.content,
              reply.content[:200])
        oss.delete_object(key)
        check(label + "gone", not oss.object_exists(key))
    keys = [PREFIX + "batch/%d" % n for n in range(5)]
    for key in keys:
        oss.put_object(key, b"x")
    equal("batch delete returns the deleted keys", sorted(oss.batch_delete_objects(keys).deleted_keys), keys)
    equal("and they are gone", list(oss2.ObjectIterator(oss, prefix=PREFIX + "batch/")), [])


def buckets(oss):
    service = oss2.Service(auth(), ENDPOINT, connect_timeout=TIMEOUT, region=REGION)
    check("the bucket is listed", BUCKET in [b.name for b in service.list_buckets().buckets])
    equal("the bucket's info", oss.get_bucket_info().name, BUCKET)

    name = "py-temporary-" + VERSION
    other = bucket(name=name)
    equal("a bucket is created", other.create_bucket().status, 200)
    check("and listed", name in [b.name for b in service.list_buckets().buckets])
    other.create_live_channel("inside", config())
    equal("a channel belongs to its bucket", [c.name for c in other.list_live_channel().channels], ["inside"])
    refused("the channel in the first bucket", "NoSuchLiveChannel", lambda: oss.get_live_channel("inside"), 404)
    refused("deleting a bucket with a channel", "BucketNotEmpty", other.delete_bucket, 409)
    other.delete_live_channel("inside")
    other.put_object("object", b"x")
    refused("deleting a bucket with an object", "BucketNotEmpty", other.delete_bucket, 409)
    other.delete_object("object")
    equal("deleting an empty bucket", other.delete_bucket().status, 204)
    refused("the bucket afterwards", "NoSuchBucket", other.get_bucket_info, 404)


def cors(oss):
    refused("CORS rules before any were put", "NoSuchCORSConfiguration", oss.get_bucket_cors, 404, "0034-00000001")
    first = oss2.models.CorsRule(["http://first.example"], ["GET"])
    second = oss2.models.CorsRule(
        ["http://*.example", "https://second.example:8443"], ["GET", "PUT"], ["x-oss-*", "Range"], ["ETag", "x-oss-request-id"], 60
    )
    equal("putting rules", oss.put_bucket_cors(oss2.models.BucketCors([first, second])).status, 200)
    rules = oss.get_bucket_cors().rules
    fields = ("allowed_origins", "allowed_methods", "allowed_headers", "expose_headers", "max_age_seconds")
    for name in fields:
        got, put = ([getattr(rule, name) for rule in side] for side in (rules, [first, second]))
        equal("the rules' " + name, got, put)

    key = PREFIX + "cors.txt"
    oss.put_object(key, b"x")
    signed = oss.sign_url("GET", key, 60)
    ask = {"Origin": "http://www.example", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-oss-date"}
    preflight = requests.options(signed, headers=ask, timeout=TIMEOUT)
    equal("a preflight", (preflight.status_code, preflight.headers.get("Access-Control-Allow-Origin")), (200, "http://www.example"))
    equal("its maximum age", preflight.headers.get("Access-Control-Max-Age"), "60")
    got = requests.get(signed, headers={"Origin": "http://www.example"}, timeout=TIMEOUT)
    equal("a request from the site", (got.status_code, got.headers.get("Access-Control-Expose-Headers")), (200, "ETag, x-oss-request-id"))
    for label, other in (("another origin", {"Origin": "https://www.example"}), ("another method", {"Access-Control-Request-Method": "DELETE"})):
        reply = requests.options(signed, headers={**ask, **other}, timeout=TIMEOUT)
        check(label, reply.status_code == 403 and b"AccessForbidden" in reply.content, reply.content)

    bad = oss2.models.CorsRule(["http://*.*"], ["GET"])
    refused("an origin with two asterisks", "InvalidArgument", lambda: oss.put_bucket_cors(oss2.models.BucketCors([bad])), 400)
    many = oss2.models.BucketCors([first] * 21)
    refused("21 rules", "CORSRuleBeyondLimit", lambda: oss.put_bucket_cors(many), 400)
    refused("no rules", "MalformedXML", lambda: oss.put_bucket_cors(oss2.models.BucketCors([])), 400)
    equal("rejected rules change nothing", len(oss.get_bucket_cors().rules), 2)
    equal("deleting them", oss.delete_bucket_cors().status, 204)
    refused("CORS rules afterwards", "NoSuchCORSConfiguration", oss.get_bucket_cors, 404)
    reply = requests.get(signed, headers={"Origin": "http://www.example"}, timeout=TIMEOUT)
    equal("a request from the site afterwards", (reply.status_code, b"AccessForbidden" in reply.content), (403, True))
    oss.delete_object(key)


def around_channels(oss):
    """Other operations that programs perform on a bucket with channels."""
    equal("the ACL of a bucket", oss.get_bucket_acl().acl, "private")
    oss.put_bucket_acl("public-read")
    equal("the ACL that was set", oss.get_bucket_acl().acl, "public-read")
    oss.put_bucket_acl("private")
    info = oss.get_bucket_info()
    equal("no encryption by the server", info.bucket_encryption_rule.sse_algorithm, None)
    equal("the location", oss.get_bucket_location().location, "oss-" + REGION)
    oss.create_live_channel(PREFIX + "counted", config())
    stat = oss.get_bucket_stat()
    check("the channels are counted", stat.live_channel_count >= 1, stat.live_channel_count)
    oss.delete_live_channel(PREFIX + "counted")

    key = PREFIX + "kept.bin"
    kept = {"x-oss-meta-camera": "front", "Cache-Control": "no-cache", "Expires": "never"}
    put = oss.put_object(key, b"123456789", headers=kept)
    equal("an upload has its CRC", put.crc, 0x995DC9BBDF1939FA)
    got = oss.get_object(key)
    equal("an object keeps its metadata",
          [got.headers.get(name) for name in kept], list(kept.values()))
    equal("its content is checked by CRC", (got.read(), got.client_crc), (b"123456789", got.server_crc))
    copied = oss.copy_object(BUCKET, key, key + "+ copy")
    equal("a copy has the ETag of its source", copied.etag, put.etag)
    equal("and its metadata", oss.head_object(key + "+ copy").headers["x-oss-meta-camera"], "front")
    equal("the ACL of an object", oss.get_object_acl(key).acl, "default")
    refused("an object's own ACL", "NotImplemented", lambda: oss.put_object_acl(key, "private"), 501)
    refused("an upload to another storage class", "NotImplemented",
            lambda: oss.put_object(key, b"x", headers={"x-oss-storage-class": "IA"}), 501)
    refused("a copy of a missing object", "NoSuchKey",
            lambda: oss.copy_object(BUCKET, PREFIX + "none", key), 404, "0026-00000001")
    nobody = bucket(oss2.AnonymousAuth())
    refused("a large upload without permission", "AccessDenied",
            lambda: nobody.put_object(key, b"x" * (4 << 20)), 403)

    odd = PREFIX + "\n\t&<>'\" "
    oss.put_object(odd, b"x")
    keys = [key, key + "+ copy", odd]
    equal("deleting many", sorted(oss.batch_delete_objects(keys).deleted_keys), sorted(keys))
    equal("leaves none", list(oss2.ObjectIterator(oss, prefix=PREFIX + "kept")), [])

    ambiguous = PREFIX + "a?live&status=disabled"
    if VERSION == "v1":
        refused("a name that looks like an operation", "InvalidArgument",
                lambda: oss.put_object(ambiguous, b"x"), 400)
    else:
        equal("a name that looks like an operation", oss.put_object(ambiguous, b"x").status, 200)
        oss.delete_object(ambiguous)


def edges(oss):
    """Edge cases of objects and buckets, from the vendor's test suites."""
    key = PREFIX + "edges.ts"
    url = oss.sign_url("PUT", key, 60)
    put = requests.put(url, data=b"0123456789", timeout=TIMEOUT)
    equal("an upload without a type", put.status_code, 200)
    checksum = oss2.utils.Crc64()
    checksum.update(b"0123456789")
    equal("its CRC in the response", put.headers.get("x-oss-hash-crc64ecma"), str(checksum.crc))
    equal("it has the default type", oss.head_object(key).headers["Content-Type"], "application/octet-stream")
    url = oss.sign_url("GET", key, 60)
    for bytes_range, status, body in (
        ("bytes=-3", 206, b"789"), ("bytes=8-", 206, b"89"), ("bytes=-0", 416, None), ("bytes=99-", 200, b"0123456789"),
    ):
        reply = requests.get(url, headers={"Range": bytes_range}, timeout=TIMEOUT)
        check("a range of %s" % bytes_range,
              reply.status_code == status and (reply.content == body if body else b"InvalidRange" in reply.content),
              (reply.status_code, reply.content[:200]))
    gone = get(oss.sign_url("GET", PREFIX + "gone", 60))
    check("a key that does not exist is named", ("<Key>%sgone</Key>" % PREFIX).encode() in gone.content, gone.content)
    oss.delete_object(key)

    # The SDK has no method for it, only the internal one.
    equal("HEAD of the bucket", oss._do("HEAD", BUCKET, "").status, 200)
    none = "py-no-such-bucket"
    refused("HEAD of a bucket that does not exist", "NoSuchBucket",
            lambda: bucket(name=none)._do("HEAD", none, ""), 404)
    refused("a marker of 1025 bytes", "InvalidArgument",
            lambda: oss.list_live_channel(marker="x" * 1025), 400, "0044-00000103")
    if VERSION == "v4":
        elsewhere = oss2.Bucket(auth(), ENDPOINT, BUCKET, connect_timeout=TIMEOUT, region="cn-elsewhere")
        refused("a signature for another region", "InvalidArgument",
                elsewhere.list_live_channel, 400, "0002-00000226")


def by_name(oss):
    """`localhost` uses path style, like an IP address."""
    local = ENDPOINT.replace("127.0.0.1", "localhost")
    name = PREFIX + "by-name"
    named = bucket(endpoint=local)
    made = named.create_live_channel(name, config())
    equal("the URLs follow the request's host", made.publish_url,
          "rtmp://%s/%s/live/%s" % (local.split("://")[1], BUCKET, name))
    equal("and the channel is the same", oss.get_live_channel_stat(name).status, "Idle")
    oss.delete_live_channel(name)


def operations():
    oss = bucket()
    section("the life of a channel", life_of_a_channel, oss)
    section("descriptions", descriptions, oss)
    section("names", names, oss)
    section("settings that are rejected", settings_refused, oss)
    section("missing things", missing_things, oss)
    section("vod that is rejected", vod_refused, oss)
    section("paging", paging, oss)
    section("credentials", credentials)
    section("objects", objects, oss)
    section("buckets", buckets, oss)
    section("CORS", cors, oss)
    section("other operations on buckets with channels", around_channels, oss)
    section("edge cases of objects and buckets", edges, oss)
    section("the endpoint by name", by_name, oss)


# --- with an encoder -----------------------------------------------------------


def create(channel):
    made = chosen_bucket().create_live_channel(channel, config(frag_duration=2, frag_count=3))
    equal("the channel is created", made.resp.status, 200)


def url(channel):
    print(chosen_bucket().sign_rtmp_url(channel, "playlist.m3u8", 600), flush=True)


def until(seconds, condition):
    """Retries until the result is true or the time is up."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.1)


def names_listed():
    """Prints the names of all channels, in pages of seven."""
    channels = oss2.LiveChannelIterator(chosen_bucket(), max_keys=7)
    print(json.dumps([channel.name for channel in channels]))


def faults(path):
    """Gets a status with each set of rules of the local endpoint. Does not wait for calls of more
    than three seconds."""
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)
    print(json.dumps({row["name"]: outcome(row["rules"]) for row in rows}))


def outcome(rules):
    control = ENDPOINT + "/_osslive/control/faults"
    header = {"x-osslive-control": "1"}
    for rule in rules:
        answer = requests.post(control, json=rule, headers=header, timeout=TIMEOUT)
        assert answer.status_code == 201, answer.text
    seen = []

    def call():
        try:
            oss = oss2.Bucket(auth(), ENDPOINT, BUCKET, region=REGION, connect_timeout=1)
            seen.append("right" if oss.get_live_channel_stat("c").status == "Live" else "wrong")
        except Exception:
            seen.append("wrong")

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(3)
    hits = [fault["hits"] for fault in requests.get(control, headers=header, timeout=TIMEOUT).json()["faults"]]
    requests.delete(control, headers=header, timeout=TIMEOUT)
    assert hits[0] > 0, "no rule was applied"
    return seen[0] if seen else "endless"


def live(channel, width, height, rate):
    oss = chosen_bucket()

    def measured():
        stat = oss.get_live_channel_stat(channel)
        ready = stat.status == "Live" and stat.video and stat.audio and stat.video.bandwidth
        return stat if ready else None

    stat = until(15, measured)
    check("the channel is Live with video and audio", stat is not None,
          oss.get_live_channel_stat(channel).status)
    if stat is None:
        return
    equal("the video's size", (stat.video.width, stat.video.height), (int(width), int(height)))
    check("the frame rate", abs(stat.video.frame_rate - int(rate)) <= 1, stat.video.frame_rate)
    equal("the codecs", (stat.video.codec, stat.audio.codec), ("H264", "AAC"))
    check("the sample rate", stat.audio.sample_rate in (44100, 48000), stat.audio.sample_rate)
    check("the encoder's address", re.fullmatch(r"127\.0\.0\.1:\d+", stat.remote_addr) is not None,
          stat.remote_addr)
    check("the time of its connection", abs(time.time() - stat.connected_time) < 120, stat.connected_time)
    equal("no session has ended yet", oss.get_live_channel_history(channel).records, [])
    for label, call in (
        ("put", lambda: oss.create_live_channel(channel, config())),
        ("delete", lambda: oss.delete_live_channel(channel)),
        ("enable", lambda: oss.put_live_channel_status(channel, "enabled")),
    ):
        refused(label + " while live", "ChannelStillLive", call, 409)
    equal("still Live", oss.get_live_channel_stat(channel).status, "Live")


def disable(channel):
    oss = chosen_bucket()
    equal("disabling a live channel returns 200", oss.put_live_channel_status(channel, "disabled").status, 200)
    check("the channel becomes Disabled",
          until(15, lambda: oss.get_live_channel_stat(channel).status == "Disabled"))


def ended(channel):
    oss = chosen_bucket()
    check("the channel is no longer Live",
          until(15, lambda: oss.get_live_channel_stat(channel).status != "Live"))
    records = until(5, lambda: oss.get_live_channel_history(channel).records)
    equal("the history has the session", len(records), 1)
    if records:
        record = records[0]
        check("it ended after it started", record.start_time < record.end_time, vars(record))
        check("it has the encoder's address", record.remote_addr.startswith("127.0.0.1:"), record.remote_addr)

    start, end = span()
    equal("post vod", oss.post_vod_playlist(channel, "vod 1.m3u8", start, end).status, 200)
    key = channel + "/vod 1.m3u8"
    text = oss.get_object(key).read().decode()
    check("the playlist is complete", text.startswith("#EXTM3U") and text.rstrip().endswith("#EXT-X-ENDLIST"), text)
    equal("get vod returns the same", oss.get_vod_playlist(channel, start, end).playlist, text)
    fragments = [line for line in text.splitlines() if line and not line.startswith("#")]
    check("fragments are named by their start in milliseconds",
          fragments and all(re.fullmatch(r"\d{13}\.ts", name) for name in fragments), fragments)
    for name in fragments:
        body = oss.get_object(channel + "/" + name).read()
        check("fragment %s is a transport stream" % name,
              body and len(body) % 188 == 0 and set(body[::188]) == {0x47}, len(body))
    listed = [o.key for o in oss2.ObjectIterator(oss, prefix=channel + "/")]
    check("the fragments are listed as objects",
          all(channel + "/" + name in listed for name in fragments + ["vod 1.m3u8", "playlist.m3u8"]), listed)
    window = oss.get_object(channel + "/playlist.m3u8").read().decode()
    names_in_window = [line for line in window.splitlines() if line.endswith(".ts")]
    equal("the live playlist holds the newest fragments", names_in_window, fragments[-3:])

    first = get(oss.sign_url("GET", channel + "/" + fragments[0], 60))
    check("a fragment by presigned URL", first.status_code == 200 and first.content[:1] == b"G", first.status_code)
    signed = get(oss.sign_url("GET", key, 60, params={"x-oss-process": "hls/sign"})).text
    addresses = [line for line in signed.splitlines() if line and not line.startswith("#")]
    equal("hls/sign signs every fragment", len(addresses), len(fragments))
    folder = "%s/%s/%s/" % (ENDPOINT, BUCKET, quote(channel))
    for address in addresses:
        reply = get(address if "://" in address else folder + address)
        check("a fragment by a URL of hls/sign", reply.status_code == 200 and reply.content[:1] == b"G",
              (address, reply.status_code))
    refused("vod of a time without recordings", "InvalidArgument",
            lambda: oss.post_vod_playlist(channel, "none.m3u8", start - DAY, end - DAY), 400, "0044-00000308")
    equal("deleting the channel", oss.delete_live_channel(channel).status, 204)
    check("its recordings remain", oss.object_exists(channel + "/" + fragments[0]))


COMMANDS = {f.__name__: f for f in (operations, create, url, names_listed, faults, live, disable, ended)}

if __name__ == "__main__":
    command, arguments = (sys.argv[1:2] or ["operations"])[0], sys.argv[2:]
    if command not in COMMANDS:
        sys.exit(__doc__)
    if command in ("operations", "url", "names_listed", "faults"):
        COMMANDS[command](*arguments)
    else:
        section(command, COMMANDS[command], *arguments)
    if failures:
        sys.exit("%d checks failed" % failures)
