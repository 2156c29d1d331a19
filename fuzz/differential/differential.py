"""Compares how this SDK and the vendor's parse the service's responses.

    differential.py READER [COUNT [SEED]]

Mutates valid responses, parses each with both, and explains every difference.
READER is the program in this folder, which calls the SDK's parsers; oss2 is called
directly. A third parser, ``Reading`` below, models oss2 plus a set of rules, each a
documented way in which the SDK differs. Without rules it must agree with oss2, and
with all of them with the SDK. A difference is counted under each rule that it needs.
Unexplained differences are printed, and the exit status is 1.
"""

import calendar
import collections
import datetime
import itertools
import json
import random
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

from oss2 import exceptions, models, xml_utils

# How the SDK differs.
RULES = {
    # Stricter.
    "root": "the root element must match the operation",
    "state": "a status must be one of the documented values",
    "marker": "a truncated list must have a non-empty next marker",
    # More tolerant.
    "optional": "an optional element may be missing",
    "number": "an invalid optional number is 0, and fractions are rounded",
    "time": "other forms of ISO 8601 are accepted, and an invalid optional time is absent",
    "trim": "whitespace around statuses, numbers, times and error fields is ignored",
    "namespace": "namespaces are ignored",
    # Neither.
    "last": "the last of duplicate elements wins, not the first",
    "indent": "whitespace before a child element is not text",
    "blank": "blank error fields count as missing",
    "long": "error fields are truncated to 1024 characters",
    "endpoint": "an error's message includes the bucket's endpoint if there is one",
}

# The same for documents as a whole.
DOCUMENT_RULES = {
    "doctype": "document type declarations are rejected",
    "encoding": "documents must be UTF-8; the declared encoding is ignored",
    "guess": "details of a malformed error document are ignored; oss2 searches for them",
    "declaration": "the XML declaration is not validated and may follow whitespace",
    "instruction": "processing instructions are not validated",
}

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<ListLiveChannelResult>
  <Prefix>cam</Prefix>
  <Marker></Marker>
  <MaxKeys>100</MaxKeys>
  <IsTruncated>{truncated}</IsTruncated>
  <NextMarker>{marker}</NextMarker>
{channels}</ListLiveChannelResult>
"""
CHANNEL = """  <LiveChannel>
    <Name>{name}</Name>
    <Description>{text}</Description>
    <Status>{state}</Status>
    <LastModified>{time}</LastModified>
    <PublishUrls>
      <Url>rtmp://live-demo.oss-cn-hangzhou.aliyuncs.com/live/{name}</Url>
    </PublishUrls>
    <PlayUrls>
      <Url>http://live-demo.oss-cn-hangzhou.aliyuncs.com/{name}/playlist.m3u8</Url>
    </PlayUrls>
  </LiveChannel>
"""
GET = """<?xml version="1.0" encoding="UTF-8"?>
<LiveChannelConfiguration>
  <Description>{text}</Description>
  <Status>{state}</Status>
  <Target>
    <Type>HLS</Type>
    <FragDuration>{number}</FragDuration>
    <FragCount>{number}</FragCount>
    <PlaylistName>playlist.m3u8</PlaylistName>
  </Target>
</LiveChannelConfiguration>
"""
STAT = """<?xml version="1.0" encoding="UTF-8"?>
<LiveChannelStat>
  <Status>{stream}</Status>
  <ConnectedTime>{time}</ConnectedTime>
  <RemoteAddr>203.0.113.{number}:47745</RemoteAddr>
  <Video>
    <Width>{number}</Width>
    <Height>{number}</Height>
    <FrameRate>{number}</FrameRate>
    <Bandwidth>{number}</Bandwidth>
    <Codec>H264</Codec>
  </Video>
  <Audio>
    <Bandwidth>{number}</Bandwidth>
    <SampleRate>44100</SampleRate>
    <Codec>AAC</Codec>
  </Audio>
</LiveChannelStat>
"""
HISTORY = """<?xml version="1.0" encoding="UTF-8"?>
<LiveChannelHistory>
{records}</LiveChannelHistory>
"""
RECORD = """  <LiveRecord>
    <StartTime>{time}</StartTime>
    <EndTime>{time}</EndTime>
    <RemoteAddr>203.0.113.{number}:56861</RemoteAddr>
  </LiveRecord>
"""
PUT = """<?xml version="1.0" encoding="UTF-8"?>
<CreateLiveChannelResult>
  <PublishUrls>
    <Url>rtmp://live-demo.oss-cn-hangzhou.aliyuncs.com/live/{name}</Url>
  </PublishUrls>
  <PlayUrls>
    <Url>http://live-demo.oss-cn-hangzhou.aliyuncs.com/{name}/playlist.m3u8</Url>
  </PlayUrls>
</CreateLiveChannelResult>
"""
ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>{code}</Code>
  <Message>{text}</Message>
  <RequestId>5C0632B2C6D9A9A6B3EE9C6A</RequestId>
  <HostId>live-demo.oss-cn-hangzhou.aliyuncs.com</HostId>
  <EC>0003-0000{number}</EC>
  <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0003-00001403</RecommendDoc>
</Error>
"""


def valid(choose, kind):
    """Returns a response as the service writes it."""

    def fill(template, **more):
        second = choose.randrange(0, 2_000_000_000)
        time = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
        return template.format_map(
            {
                "name": choose.choice(["cam", "main-stage", "直播", "a b"]),
                "text": choose.choice(["", "Main stage", "&lt;b&gt; &amp; more", "直播 🎥", "a\n b"]),
                "state": choose.choice(["enabled", "disabled"]),
                "stream": choose.choice(["Live", "Idle", "Disabled"]),
                "code": choose.choice(["NoSuchLiveChannel", "AccessDenied", "InternalError"]),
                "time": time.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "number": choose.choice([0, 5, 25, 1280, 4_294_967_295]),
                **more,
            }
        )

    if kind == "l":
        channels = "".join(fill(CHANNEL) for _ in range(choose.randrange(3)))
        truncated = choose.choice(["true", "false"])
        return fill(LIST, channels=channels, truncated=truncated, marker="cam-1")
    if kind == "h":
        return HISTORY.format(records="".join(fill(RECORD) for _ in range(choose.randrange(1, 3))))
    return fill({"g": GET, "s": STAT, "p": PUT, "e": ERROR}[kind])


DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[ \t\r\n].*?\?>", re.DOTALL)

TOKEN = re.compile(r"<[^>]*>|[^<]+")
TEXTS = [
    "", " ", "\n    ", "0", "-1", "+5", "1_000", "１２", "29.97", "2.5", "1e3", "18446744073709551616",
    "4294967296", "abc", "true", "false", " true", "TRUE", "Live", "live", " Live\n", "enabled", "Enabled",
    "disabled ", "2026-11-22T08:16:38Z", "2026-11-22 08:16:38", "2026-11-22T16:16:38+0800",
    "2026-11-22T08:16:38.123Z", "2026-02-30T08:16:38.000Z", "0000-01-01T00:00:00.000Z",
    "12026-11-22T08:16:38.000Z", "2026-11-22T24:00:00.000Z", "yesterday", "&#76;ive", "&amp;", "&unknown;",
    "&#0;", "&#xFFFE;", "<![CDATA[Live]]>", "<![CDATA[ <b> ]]>", "a<!-- b -->c", "<?pi x?>", "x" * 1500,
    "\r\n", "\u00a0Live\u00a0", "\u0085", "\ufffe", "]]>", "<b/>", "Live<b/>", " <b>x</b> ", "\x07",
]  # fmt: skip
HEADS = [
    "", " ", "\n", "\ufeff", "<!-- x -->", "<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<?pi?>",
    '<?xml version="1.0"?>', '<?xml version="1.1"?>', "<?xml version='1.0' encoding='utf-8'?>",
    '<?xml version="1.0" encoding="ISO-8859-1"?>', '<?xml version="1.0" encoding="GBK"?>',
    '<?xml version="1.0" standalone="maybe"?>', "<?xml ?>", '<?xml version="2.0"?>',
]  # fmt: skip
ATTRIBUTES = [
    " a='b'", " a='b' a='c'", " xmlns='http://example.com/'", " xmlns:x='http://example.com/'", " a=b",
    " a='<'", " a='&lt;'", " x:a='b'", " xml:lang='en'", " a", " xmlns=''",
]  # fmt: skip


def mangle(choose, text):
    """Mutates a response in one to four places."""
    for _ in range(choose.choice([1, 1, 1, 2, 2, 3, 4])):
        tokens = TOKEN.findall(text)
        if not tokens:
            return b""
        at = choose.randrange(len(tokens))
        names = [token[1:-1] for token in tokens if re.fullmatch(r"<\w+>", token)] or ["a"]
        way = choose.choice([0, 0, 0, 0, 0, 0, 4, 5, 6, 6, 6, 7, 7, 8, 8, 9, 10, 11])
        if way == 0:
            # Replaces the text of an element.
            texts = [number for number, token in enumerate(tokens) if not token.startswith("<")]
            if texts:
                tokens[choose.choice(texts)] = choose.choice(TEXTS)
        elif way == 4:
            del tokens[at]
        elif way == 5:
            tokens[at] = tokens[at] * 2
        elif way == 6:
            # Duplicates an element, here or elsewhere, perhaps with different text.
            name = choose.choice(names)
            begin = next((n for n, token in enumerate(tokens) if token == f"<{name}>"), 0)
            end = next((n for n, token in enumerate(tokens) if token == f"</{name}>"), begin)
            element = tokens[begin : end + 1]
            if choose.randrange(2) and len(element) == 3:
                element[1] = choose.choice(TEXTS)
            place = choose.choice([at, begin, end + 1])
            tokens[place:place] = element
        elif way == 7:
            # Removes an element.
            name = choose.choice(names)
            begin = next((n for n, token in enumerate(tokens) if token == f"<{name}>"), 0)
            end = next((n for n, token in enumerate(tokens) if token == f"</{name}>"), begin)
            del tokens[begin : end + 1]
        elif way == 8:
            # Renames an element, once or everywhere.
            name, other = choose.choice(names), choose.choice([*names, "Error", "x:Status", "-a", "a.b"])
            count = choose.choice([1, -1])
            joined = "".join(tokens).replace(f"<{name}>", f"<{other}>", count)
            tokens = [joined.replace(f"</{name}>", f"</{other}>", count)]
        elif way == 9:
            tags = [n for n, token in enumerate(tokens) if re.fullmatch(r"<\w+>", token)]
            if tags:
                place = choose.choice(tags)
                tokens[place] = tokens[place][:-1] + choose.choice(ATTRIBUTES) + ">"
        elif way == 10:
            if tokens[0].startswith("<?xml") and choose.randrange(2):
                del tokens[0]
            tokens.insert(0, choose.choice(HEADS))
        else:
            tokens.insert(at, choose.choice(["<!-- x -->", "<!-- -- -->", "<?pi <a> ?>", "<x></x>", "<x>"]))
        text = "".join(tokens)
    data = text.encode()
    if choose.randrange(6) == 0:
        data = bytearray(data)
        for _ in range(choose.randrange(1, 3)):
            if data:
                at = choose.randrange(len(data))
                way = choose.randrange(4)
                if way == 0:
                    data[at] = choose.randrange(256)
                elif way == 1:
                    data[at] ^= 1 << choose.randrange(8)
                elif way == 2:
                    del data[at : at + choose.randrange(1, 20)]
                else:
                    del data[at:]
        data = bytes(data)
    if choose.randrange(100) == 0:
        data = data.decode("utf-8", "replace").encode(choose.choice(["utf-16", "utf-16-le", "gbk"]), "replace")
    return data


# Results of both parsers in a common form: a dict, or None if rejected.


def plain(text):
    """Converts a number that oss2 leaves as text."""
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else text


def by_oss2(kind, body):
    """Parses with oss2."""
    if kind == "e":
        try:
            details = exceptions._parse_error_body(body)
        except Exception:  # Such as an unknown encoding.
            details = {}
        return {key: details.get(key) or "" for key in ("Code", "Message", "RequestId", "EC")}
    response = SimpleNamespace(status=200, headers={}, request_id="")
    try:
        if kind == "l":
            found = xml_utils.parse_list_live_channel(models.ListLiveChannelResult(response), body)
            return {
                "truncated": found.is_truncated,
                "marker": found.next_marker if found.is_truncated else None,
                "channels": [
                    {
                        "name": channel.name,
                        "description": channel.description,
                        "status": channel.status,
                        "modified": channel.last_modified,
                        "publish": channel.publish_url,
                        "play": channel.play_url,
                    }
                    for channel in found.channels
                ],
            }
        if kind == "g":
            found = xml_utils.parse_get_live_channel(models.GetLiveChannelResult(response), body)
            return {
                "status": found.status,
                "description": found.description,
                "type": found.target.type,
                "duration": plain(found.target.frag_duration),
                "count": plain(found.target.frag_count),
                "playlist": found.target.playlist_name,
            }
        if kind == "s":
            found = xml_utils.parse_live_channel_stat(models.GetLiveChannelStatResult(response), body)
            root = ElementTree.fromstring(body)
            video, audio = (root.find(name) is not None for name in ("Video", "Audio"))
            return {
                "status": found.status,
                "connected": None if root.find("ConnectedTime") is None else found.connected_time,
                "remote": found.remote_addr or None,
                "video": [
                    found.video.width,
                    found.video.height,
                    found.video.frame_rate,
                    found.video.bandwidth,
                    found.video.codec,
                ]
                if video
                else None,
                "audio": [found.audio.bandwidth, found.audio.sample_rate, found.audio.codec]
                if audio
                else None,
            }
        if kind == "h":
            found = xml_utils.parse_live_channel_history(models.GetLiveChannelHistoryResult(response), body)
            return {"records": [[r.start_time, r.end_time, r.remote_addr] for r in found.records]}
        found = xml_utils.parse_create_live_channel(models.CreateLiveChannelResult(response), body)
        return {"publish": found.publish_url, "play": found.play_url}
    except Exception:  # oss2 raises many kinds of exceptions.
        return None


def seconds(time):
    """Converts an RFC 3339 time to Unix seconds."""
    if time is None:
        return None
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?Z", time)
    year, *rest = (int(number) for number in match.groups()[:6])
    # Python knows no year 0, and the calendar repeats every 400 years.
    shifted = calendar.timegm((year + 400, *rest))
    return shifted - 146_097 * 86_400


def by_us(kind, answer):
    """Converts a result of the SDK."""
    if kind == "e":
        error = answer["error"]
        is_read = not error["message"].startswith("error response without")
        read = error if is_read else {}
        keys = {"Code": "code", "Message": "message", "RequestId": "requestId", "EC": "ec"}
        return {key: read.get(name) or "" for key, name in keys.items()}
    if "error" in answer:
        return None
    found = answer["ok"]

    def first(urls):
        return found[urls][0] if found[urls] else ""

    if kind == "l":
        return {
            "truncated": found["isTruncated"],
            "marker": found.get("nextMarker") if found["isTruncated"] else None,
            "channels": [
                {
                    "name": channel["name"],
                    "description": channel["description"],
                    "status": channel["status"],
                    "modified": seconds(channel.get("lastModified")),
                    "publish": (channel["publishUrls"] or [""])[0],
                    "play": (channel["playUrls"] or [""])[0],
                }
                for channel in found["channels"]
            ],
        }
    if kind == "g":
        keys = ["status", "description", "type", "fragDuration", "fragCount", "playlistName"]
        names = ["status", "description", "type", "duration", "count", "playlist"]
        return {name: found[key] for name, key in zip(names, keys)}
    if kind == "s":
        video, audio = found.get("video"), found.get("audio")
        return {
            "status": found["status"],
            "connected": seconds(found.get("connectedTime")),
            "remote": found.get("remoteAddr"),
            "video": video and [video[key] for key in ("width", "height", "frameRate", "bandwidth", "codec")],
            "audio": audio and [audio[key] for key in ("bandwidth", "sampleRate", "codec")],
        }
    if kind == "h":
        records = found["records"]
        return {"records": [[seconds(r["startTime"]), seconds(r["endTime"]), r["remoteAddr"]] for r in records]}
    return {"publish": first("publishUrls"), "play": first("playUrls")}


ROOTS = {
    "l": "ListLiveChannelResult",
    "g": "LiveChannelConfiguration",
    "s": "LiveChannelStat",
    "h": "LiveChannelHistory",
    "p": "CreateLiveChannelResult",
    "e": "Error",
}


class Refused(Exception):
    """The response is rejected."""


class Reading:
    """oss2's parser of a tree, modified by rules."""

    def __init__(self, kind, root, rules):
        self.kind, self.root, self.rules = kind, root, rules

    def name(self, element):
        tag = element.tag
        return tag.rsplit("}", 1)[-1] if "namespace" in self.rules else tag

    def all(self, parent, name):
        return [child for child in parent if self.name(child) == name]

    def text(self, element):
        text = element.text or ""
        if "indent" in self.rules and len(element) and not text.strip(" \t\r\n"):
            return ""
        return text

    def value(self, element):
        text = self.text(element)
        return text.strip() if "trim" in self.rules else text

    def child(self, parent, name, read=None, default=Refused):
        """Returns the first element, or the last by that rule, when all must be valid."""
        read = read or self.text
        found = self.all(parent, name)
        if not found:
            if default is not Refused and "optional" in self.rules:
                return default
            raise Refused
        return [read(element) for element in found][-1] if "last" in self.rules else read(found[0])

    def state(self, allowed):
        def read(element):
            text = self.value(element)
            if "state" in self.rules and text not in allowed:
                raise Refused
            return text

        return read

    def boolean(self, element):
        try:
            return {"true": True, "false": False}[self.value(element)]
        except KeyError:
            raise Refused from None

    def number(self, bits, is_text=False):
        def read(element):
            text = self.value(element)
            if "number" not in self.rules:
                try:
                    return plain(text) if is_text else int(text)
                except ValueError:
                    raise Refused from None
            match = re.fullmatch(r"\+?([0-9]+)(?:\.([0-9]*))?", text)
            if match is None:
                return 0
            number = int(match[1])
            if number >= 1 << 64:
                return 0
            number += (match[2] or "0") >= "5"
            return number if number < 1 << bits else 0

        return read

    def time(self, is_needed):
        def read(element):
            text = self.value(element)
            if "time" not in self.rules:
                try:
                    return xml_utils.iso8601_to_unixtime(text)
                except ValueError:
                    raise Refused from None
            found = other_time(text)
            if found is None and is_needed:
                raise Refused
            return found

        return read

    def url(self, parent, name):
        """Returns the first URL of a list."""
        lists = self.all(parent, name)
        if "last" in self.rules:
            lists = lists[-1:]
        urls = [url for found in lists for url in self.all(found, "Url")]
        if urls:
            return self.text(urls[0])
        if "optional" in self.rules:
            return ""
        raise Refused

    def read(self):
        root, kind = self.root, self.kind
        if kind == "e":
            return self.error()
        if "root" in self.rules and self.name(root) != ROOTS[kind]:
            raise Refused
        return {"l": self.list, "g": self.get, "s": self.stat, "h": self.history, "p": self.put}[kind](root)

    def error(self):
        root, details = self.root, {}
        keys = ("Code", "Message", "RequestId", "EC")
        if self.name(root) != "Error":
            return dict.fromkeys(keys, "")
        for child in root:
            text = self.value(child)
            if "blank" in self.rules and not text.strip():
                text = ""
            details[self.name(child)] = text[:1024] if "long" in self.rules else text
        endpoint = details.get("Endpoint")
        if "endpoint" in self.rules and endpoint:
            message = details.get("Message", "").rstrip(".")
            parts = [message, f"the bucket's endpoint is {endpoint}"]
            details["Message"] = "; ".join(filter(None, parts))
        return {key: details.get(key, "") for key in keys}

    def list(self, root):
        for name in ("Prefix", "Marker"):
            self.child(root, name, default="")
        if "optional" not in self.rules:
            self.child(root, "MaxKeys", lambda element: int_of(self.text(element)))
        truncated = self.child(root, "IsTruncated", self.boolean)
        marker = self.child(root, "NextMarker") if truncated else None
        if "marker" in self.rules and marker == "":
            raise Refused
        return {
            "truncated": truncated,
            "marker": marker,
            "channels": [self.channel(channel) for channel in self.all(root, "LiveChannel")],
        }

    def channel(self, channel):
        return {
            "name": self.child(channel, "Name"),
            "description": self.child(channel, "Description", default=""),
            "status": self.child(channel, "Status", self.state(["enabled", "disabled"])),
            "modified": self.child(channel, "LastModified", self.time(False), default=None),
            "publish": self.url(channel, "PublishUrls"),
            "play": self.url(channel, "PlayUrls"),
        }

    def get(self, root):
        targets = self.all(root, "Target")

        def target(name, read=self.text, default=""):
            # The last one that has it, wherever that is, or the first.
            found = [child for parent in targets for child in self.all(parent, name)]
            if not found:
                if "optional" in self.rules:
                    return default
                raise Refused
            return read(found[-1] if "last" in self.rules else found[0])

        return {
            "status": self.child(root, "Status", self.state(["enabled", "disabled"])),
            "description": self.child(root, "Description", default=""),
            "type": target("Type"),
            "duration": target("FragDuration", self.number(32, True), 0),
            "count": target("FragCount", self.number(32, True), 0),
            "playlist": target("PlaylistName"),
        }

    def stat(self, root):
        def part(*fields):
            def read(parent):
                return [self.child(parent, name, read, default) for name, read, default in fields]

            return read

        def optional(name, read):
            return self.child(root, name, read) if self.all(root, name) else None

        def number(name, bits=32):
            return name, self.number(bits), 0

        codec = ("Codec", self.text, "")
        video = part(number("Width"), number("Height"), number("FrameRate"), number("Bandwidth", 64), codec)
        audio = part(number("Bandwidth", 64), number("SampleRate"), codec)
        return {
            "status": self.child(root, "Status", self.state(["Live", "Idle", "Disabled"])),
            "connected": optional("ConnectedTime", self.time(False)),
            "remote": optional("RemoteAddr", self.text) or None,
            "video": optional("Video", video),
            "audio": optional("Audio", audio),
        }

    def history(self, root):
        return {
            "records": [
                [
                    self.child(record, "StartTime", self.time(True)),
                    self.child(record, "EndTime", self.time(True)),
                    self.child(record, "RemoteAddr", default=""),
                ]
                for record in self.all(root, "LiveRecord")
            ]
        }

    def put(self, root):
        return {"publish": self.url(root, "PublishUrls"), "play": self.url(root, "PlayUrls")}


def int_of(text):
    try:
        return int(text)
    except ValueError:
        raise Refused from None


def other_time(text):
    """Converts an ISO 8601 time to Unix seconds as the SDK does, or returns None."""
    match = re.fullmatch(
        r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
        r"(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?",
        text,
        re.ASCII,
    )
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(number) for number in match.groups()[:6])
    try:
        datetime.datetime(year % 400 + 400, month, day, hour, minute, second)
    except ValueError:
        return None
    time = calendar.timegm((year + 400, month, day, hour, minute, second)) - 146_097 * 86_400
    if match[7]:
        hours, minutes = int(match[8]), int(match[9] or 0)
        if hours > 23 or minutes > 59:
            return None
        time -= (hours * 60 + minutes) * 60 * (1 if match[7] == "+" else -1)
    return time


def read(kind, root, rules):
    try:
        return Reading(kind, root, rules).read()
    except Refused:
        return None


def tree(body):
    try:
        return ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None


def account(kind, body, ours, theirs):
    """Returns the rules that explain a difference, or None."""
    nothing = dict.fromkeys(("Code", "Message", "RequestId", "EC"), "") if kind == "e" else None
    root = tree(body)
    if root is None:
        if ours == nothing:
            return ["guess"] if kind == "e" else None
        other = relaxed(body)
        if other is None:
            return None
        rule, other = other
        return tree_rules(kind, tree(other), ours, [rule])
    if ours == nothing:
        rule = refused_document(body)
        if rule is not None and read(kind, root, set(RULES)) != ours:
            return [rule]
    if read(kind, root, set()) != theirs:
        return None
    declared = DECLARATION.match(body)
    if declared and b"encoding" in declared[0] and b"UTF-8" not in declared[0].upper():
        return tree_rules(kind, tree(body[declared.end() :]), ours, ["encoding"])
    return tree_rules(kind, root, ours, [])


def tree_rules(kind, root, ours, rules):
    if root is None or read(kind, root, set(RULES)) != ours:
        return None
    needed = [rule for rule in RULES if read(kind, root, set(RULES) - {rule}) != ours]
    if not rules and not needed:
        # No single rule is required, because others would do as well.
        for one in itertools.chain(itertools.combinations(RULES, 1), itertools.combinations(RULES, 2)):
            if read(kind, root, set(one)) == ours:
                return list(one)
    return rules + needed


def refused_document(body):
    """Returns the rule by which the SDK rejects a document that expat accepts."""
    if b"<!DOCTYPE" in body:
        return "doctype"
    try:
        body.decode()
    except UnicodeDecodeError:
        return "encoding"
    # In UTF-16 every other byte of ASCII is 0.
    declared = DECLARATION.match(body)
    if b"\0" in body or (declared and tree(body[declared.end() :]) is None):
        return "encoding"
    return None


def relaxed(body):
    """Returns the rule by which the SDK accepts a document that expat rejects, and the
    document without the part that expat rejects."""
    declared = DECLARATION.match(body)
    if declared and tree(body[declared.end() :]) is not None:
        return "declaration", body[declared.end() :]
    if tree(body.lstrip()) is not None:
        return "declaration", body.lstrip()
    other = re.sub(rb"<\?.*?\?>", b"", body, flags=re.DOTALL)
    if tree(other) is not None:
        return "instruction", other
    # expat reserves this character.
    other = re.sub(rb" xmlns(:\w+)?='[^'<]*}[^'<]*'", b"", body)
    if tree(other) is not None:
        return "namespace", other
    return None


def ask(reader, responses):
    frames = (
        struct.pack(">BHI", ord(kind), 403 if kind == "e" else 200, len(body)) + body for kind, body in responses
    )
    done = subprocess.run([reader], input=b"".join(frames), stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(responses), "a response went unanswered"
    return answers


def main(reader, count=100_000, seed=1):
    choose = random.Random(seed)
    outcomes, found, examples = collections.Counter(), 0, []
    done = 0
    while done < count:
        responses = []
        for _ in range(min(10_000, count - done)):
            kind = choose.choice("lgsshpe")
            responses.append((kind, mangle(choose, valid(choose, kind))))
        for (kind, body), answer in zip(responses, ask(reader, responses)):
            ours, theirs = by_us(kind, answer), by_oss2(kind, body)
            if ours == theirs:
                outcomes["same result" if ours and any(ours.values()) else "rejected by both"] += 1
                continue
            rules = account(kind, body, ours, theirs)
            if rules:
                outcomes.update(rules)
                outcomes["different"] += 1
                continue
            found += 1
            if len(examples) < 20:
                examples.append((kind, body, answer, theirs))
        done += len(responses)
    for kind, body, answer, theirs in examples:
        print(f"unexplained: {kind} {body!r}\n  ours: {answer}\n  oss2: {theirs}")
    print(f"{done} responses, seed {seed}")
    for name in ("same result", "rejected by both", "different"):
        print(f"{outcomes.pop(name):8} {name}")
    print("of these by rule, of which several may apply:")
    texts = {**RULES, **DOCUMENT_RULES}
    for name, number in outcomes.most_common():
        print(f"{number:8} {name}: {texts[name]}")
    print(f"{found:8} unexplained")
    return 1 if found else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(arguments[0], *(int(number) for number in arguments[1:])))
