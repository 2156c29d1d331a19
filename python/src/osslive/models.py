"""What goes into the calls and comes out of them, in the API's words.

Results are immutable. Times are aware :class:`~datetime.datetime` in UTC,
bandwidths are bytes per second. In a notebook a result shows itself as a table.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, List, Mapping, Optional, Tuple, Union

from . import _html
from .errors import ErrorKind, OssLiveError, error_of, error_of_json

#: A moment: an aware datetime, or Unix seconds.
Time = Union[int, datetime]

#: What the library gives: parsed JSON.
Json = Mapping[str, Any]


class ChannelState(str, enum.Enum):
    """Whether a channel takes publishers: its configured status."""

    ENABLED = "enabled"
    DISABLED = "disabled"

    def __str__(self) -> str:
        return self.value


class StreamState(str, enum.Enum):
    """What a channel is doing: its status at run time."""

    #: A publisher is connected.
    LIVE = "Live"
    #: No publisher is connected.
    IDLE = "Idle"
    #: The channel is disabled.
    DISABLED = "Disabled"

    def __str__(self) -> str:
        return self.value


# What goes in.


@dataclass(frozen=True)
class Credentials:
    """An access key, with its STS token if it is a temporary one."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: Optional[str] = field(default=None, repr=False)


@dataclass(frozen=True)
class Snapshot:
    """Snapshots of the key frames, in regions that have them: every ``interval`` seconds
    (1 to 100) into ``dest_bucket``, with the rights of the RAM role ``role_name`` and
    announced at the message topic ``notify_topic``."""

    role_name: str
    dest_bucket: str
    notify_topic: str
    interval: int


@dataclass(frozen=True)
class ChannelConfig:
    """The configuration of a channel.

    The service keeps no display name: ``name`` becomes the description, unless
    one is given.
    """

    name: str = ""
    #: At most 128 bytes. Defaults to the name.
    description: Optional[str] = None
    #: Whether publishers are let in.
    status: ChannelState = ChannelState.ENABLED
    #: The length of a fragment in seconds, 1 to 100; it ends at the first key frame after it.
    frag_duration: int = 5
    #: How many fragments the live playlist lists, 1 to 100.
    frag_count: int = 3
    #: 6 to 128 bytes, ending in ``.m3u8``, without ``/``.
    playlist_name: str = "playlist.m3u8"
    snapshot: Optional[Snapshot] = None


# What comes out.


@dataclass(frozen=True)
class ResponseInfo:
    """How a call went."""

    #: The HTTP status.
    status: int
    #: The identifier by which the service's support finds the request.
    request_id: Optional[str]
    #: The time the whole call took, repeats and waiting included.
    elapsed: timedelta
    #: How many requests were sent: 1 unless some were repeated.
    attempts: int

    @classmethod
    def of(cls, json: Json) -> ResponseInfo:
        return cls(
            json["status"],
            json.get("requestId"),
            timedelta(milliseconds=json["elapsedMs"]),
            json["attempts"],
        )


@dataclass(frozen=True)
class Done(_html.Fields):
    """The result of a call that returns nothing but its success."""

    res: ResponseInfo

    @classmethod
    def of(cls, json: Json) -> Done:
        return cls(ResponseInfo.of(json["res"]))


@dataclass(frozen=True)
class ChannelUrls(_html.Fields):
    """The result of ``put_channel`` and ``create_channel``."""

    #: Where to publish; unsigned.
    publish_urls: Tuple[str, ...]
    #: Where to play; unsigned.
    play_urls: Tuple[str, ...]
    res: ResponseInfo

    @classmethod
    def of(cls, json: Json) -> ChannelUrls:
        return cls(
            tuple(json["publishUrls"]), tuple(json["playUrls"]), ResponseInfo.of(json["res"])
        )


@dataclass(frozen=True)
class PublishUrl:
    """A signed URL to publish to, the result of ``get_publish_url``. ``str()`` gives the whole
    URL; ``repr()`` hides it."""

    #: The whole URL: the server, a slash and the stream key.
    url: str = field(repr=False)
    #: The server, which ends in ``/live``.
    server: str
    #: The stream key: the channel's name with the signature.
    stream_key: str = field(repr=False)
    #: Until when a publisher may connect.
    expires_at: datetime

    @classmethod
    def of(cls, json: Json) -> PublishUrl:
        return cls(json["url"], json["server"], json["streamKey"], _time(json["expiresAt"]))

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class Channel(_html.Fields):
    """The result of ``get_channel``."""

    #: The channel's id.
    name: str
    description: str
    #: Whether publishers are let in.
    status: ChannelState
    #: The type of its output: ``HLS``.
    type: str
    #: The length of a fragment in seconds.
    frag_duration: int
    #: How many fragments the live playlist lists.
    frag_count: int
    playlist_name: str
    #: The service does not say so today.
    create_time: Optional[datetime]
    #: None when listing channels is not permitted.
    last_modified: Optional[datetime]
    #: Where to publish; unsigned. Empty when listing channels is not permitted.
    publish_urls: Tuple[str, ...]
    #: Where to play; unsigned. Empty when listing channels is not permitted.
    play_urls: Tuple[str, ...]
    res: ResponseInfo

    @classmethod
    def of(cls, json: Json) -> Channel:
        return cls(
            name=json["name"],
            description=json["description"],
            status=ChannelState(json["status"]),
            type=json["type"],
            frag_duration=json["fragDuration"],
            frag_count=json["fragCount"],
            playlist_name=json["playlistName"],
            create_time=_time_or_none(json.get("createTime")),
            last_modified=_time_or_none(json.get("lastModified")),
            publish_urls=tuple(json["publishUrls"]),
            play_urls=tuple(json["playUrls"]),
            res=ResponseInfo.of(json["res"]),
        )


@dataclass(frozen=True)
class ChannelSummary(_html.Fields):
    """A channel as a list shows it."""

    #: The channel's id.
    name: str
    description: str
    #: Whether publishers are let in.
    status: ChannelState
    #: When the configuration was last changed, if reported.
    last_modified: Optional[datetime]
    #: Where to publish; unsigned.
    publish_urls: Tuple[str, ...]
    #: Where to play; unsigned.
    play_urls: Tuple[str, ...]

    @classmethod
    def of(cls, json: Json) -> ChannelSummary:
        return cls(
            json["name"],
            json["description"],
            ChannelState(json["status"]),
            _time_or_none(json.get("lastModified")),
            tuple(json["publishUrls"]),
            tuple(json["playUrls"]),
        )


@dataclass(frozen=True)
class ChannelList:
    """A page of channels, the result of ``list_channels``."""

    #: In byte order of their names.
    channels: Tuple[ChannelSummary, ...]
    #: Whether there are more.
    is_truncated: bool
    #: The marker of the next page, when there are more.
    next_marker: Optional[str]
    res: ResponseInfo

    @classmethod
    def of(cls, json: Json) -> ChannelList:
        return cls(
            tuple(map(ChannelSummary.of, json["channels"])),
            json["isTruncated"],
            json.get("nextMarker"),
            ResponseInfo.of(json["res"]),
        )

    def _repr_html_(self) -> str:
        rows = [(c.name, c.description, c.status, c.last_modified) for c in self.channels]
        return _html.table(("channel", "description", "status", "last modified"), rows)


@dataclass(frozen=True)
class Video(_html.Fields):
    """The picture of a live stream."""

    #: Pixels.
    width: int
    #: Pixels.
    height: int
    #: Frames per second, as the service rounds it.
    frame_rate: int
    #: Bytes per second over the last moments.
    bandwidth: int
    #: ``H264``.
    codec: str

    @classmethod
    def of(cls, json: Json) -> Video:
        return cls(
            json["width"], json["height"], json["frameRate"], json["bandwidth"], json["codec"]
        )


@dataclass(frozen=True)
class Audio(_html.Fields):
    """The sound of a live stream."""

    #: Bytes per second over the last moments.
    bandwidth: int
    #: Samples per second.
    sample_rate: int
    #: ``AAC``.
    codec: str

    @classmethod
    def of(cls, json: Json) -> Audio:
        return cls(json["bandwidth"], json["sampleRate"], json["codec"])


@dataclass(frozen=True)
class ChannelStatus(_html.Fields):
    """What a channel is doing, the result of ``get_channel_status``."""

    status: StreamState
    #: Since when the publisher has been connected, when live.
    connected_time: Optional[datetime]
    #: The publisher's ``IP:PORT``, when live.
    remote_addr: Optional[str]
    #: The picture, once some of it has arrived.
    video: Optional[Video]
    #: The sound, once some of it has arrived.
    audio: Optional[Audio]
    res: ResponseInfo

    @classmethod
    def of(cls, json: Json) -> ChannelStatus:
        video, audio = json.get("video"), json.get("audio")
        return cls(
            StreamState(json["status"]),
            _time_or_none(json.get("connectedTime")),
            json.get("remoteAddr"),
            None if video is None else Video.of(video),
            None if audio is None else Audio.of(audio),
            ResponseInfo.of(json["res"]),
        )

    @property
    def is_live(self) -> bool:
        """Whether a publisher is connected."""
        return self.status is StreamState.LIVE

    @property
    def bandwidth(self) -> int:
        """Bytes per second of picture and sound together; 0 when not live."""
        return sum(part.bandwidth for part in (self.video, self.audio) if part is not None)

    def live(self) -> ChannelStatus:
        """Itself when live; otherwise raises :class:`~osslive.ChannelNotLive`."""
        if self.is_live:
            return self
        raise error_of(
            f"ChannelNotLive: the channel is not live: it is {self.status}",
            ErrorKind.SERVICE,
            code="ChannelNotLive",
            request_id=self.res.request_id,
        )


@dataclass(frozen=True)
class SessionRecord(_html.Fields):
    """A session: from a publisher's coming to its going."""

    start_time: datetime
    end_time: datetime
    #: The publisher's ``IP:PORT``.
    remote_addr: str

    @classmethod
    def of(cls, json: Json) -> SessionRecord:
        return cls(_time(json["startTime"]), _time(json["endTime"]), json["remoteAddr"])

    @property
    def duration(self) -> timedelta:
        """How long it was."""
        return self.end_time - self.start_time


@dataclass(frozen=True)
class ChannelHistory:
    """The last sessions of a channel, the result of ``get_channel_history``."""

    #: At most ten finished sessions, the oldest first.
    records: Tuple[SessionRecord, ...]
    res: ResponseInfo

    @classmethod
    def of(cls, json: Json) -> ChannelHistory:
        return cls(tuple(map(SessionRecord.of, json["records"])), ResponseInfo.of(json["res"]))

    def _repr_html_(self) -> str:
        rows = [(r.start_time, r.end_time, r.duration, r.remote_addr) for r in self.records]
        return _html.table(("from", "to", "duration", "publisher"), rows)


# Monitoring.


@dataclass(frozen=True)
class ChannelReport:
    """What a channel is doing, in a :class:`Sweep`."""

    id: str
    status: ChannelStatus

    @classmethod
    def of(cls, json: Json) -> ChannelReport:
        return cls(json["id"], ChannelStatus.of(json))


@dataclass(frozen=True)
class FailedChannel:
    """A channel whose status could not be told, in a :class:`Sweep`."""

    id: str
    error: OssLiveError

    @classmethod
    def of(cls, json: Json) -> FailedChannel:
        return cls(json["id"], error_of_json(json["error"]))


@dataclass(frozen=True)
class Sweep:
    """One look at many channels, the result of ``monitor_channels``: each list in the order
    in which the channels were given."""

    live: Tuple[ChannelReport, ...]
    idle: Tuple[ChannelReport, ...]
    disabled: Tuple[ChannelReport, ...]
    #: The channels whose status could not be told, and why.
    failed: Tuple[FailedChannel, ...]

    @classmethod
    def of(cls, json: Json) -> Sweep:
        return cls(
            tuple(map(ChannelReport.of, json["live"])),
            tuple(map(ChannelReport.of, json["idle"])),
            tuple(map(ChannelReport.of, json["disabled"])),
            tuple(map(FailedChannel.of, json["failed"])),
        )

    @property
    def total(self) -> int:
        """The number of channels in all four lists."""
        return len(self.live) + len(self.idle) + len(self.disabled) + len(self.failed)

    def _repr_html_(self) -> str:
        rows: List[Tuple[object, ...]] = [
            (report.id, report.status.status, _size(report.status.video), report.status.bandwidth)
            for report in (*self.live, *self.idle, *self.disabled)
        ]
        rows += [(failure.id, failure.error, "", "") for failure in self.failed]
        return _html.table(("channel", "status", "picture", "bytes/s"), rows)


def _size(video: Optional[Video]) -> str:
    return "" if video is None else f"{video.width}x{video.height} at {video.frame_rate}"


class ChangeKind(str, enum.Enum):
    """What changed about a channel."""

    #: A publisher has come.
    WENT_LIVE = "wentLive"
    #: The publisher has gone.
    WENT_IDLE = "wentIdle"
    #: The channel was disabled.
    DISABLED = "disabled"
    #: The channel was enabled again.
    ENABLED = "enabled"
    #: Another publisher, or the same one from another port, has taken over without the channel
    #: having been seen idle.
    NEW_PUBLISHER = "newPublisher"
    #: Picture and sound together have less than the limit.
    BANDWIDTH_LOW = "bandwidthLow"
    #: Picture and sound together have enough again.
    BANDWIDTH_RECOVERED = "bandwidthRecovered"
    #: The frame rate fell.
    FRAME_RATE_FELL = "frameRateFell"
    #: The status of the channel can no longer be told.
    FAILING = "failing"
    #: The status of the channel can be told again.
    RECOVERED = "recovered"


@dataclass(frozen=True)
class Change(_html.Fields):
    """Something that changed about a channel. Its ``str`` is a line for people."""

    #: The channel's id.
    id: str
    #: When the change was noticed.
    time: datetime
    kind: ChangeKind
    #: The publisher's ``IP:PORT``: of a stream that came, and of a new publisher.
    remote_addr: Optional[str] = None
    #: The publisher's before, of a new one.
    previous_addr: Optional[str] = None
    #: Bytes per second, where they crossed the limit.
    bandwidth: Optional[int] = None
    #: The limit that they crossed, in bytes per second.
    limit: Optional[int] = None
    #: Frames per second, where they fell.
    frame_rate: Optional[int] = None
    #: Frames per second before.
    previous_frame_rate: Optional[int] = None
    #: Why the status cannot be told.
    error: Optional[OssLiveError] = None

    @classmethod
    def of(cls, json: Json) -> Change:
        kind, error = ChangeKind(json["change"]), json.get("error")
        to, before = json.get("to"), json.get("from")
        is_rate = kind is ChangeKind.FRAME_RATE_FELL
        return cls(
            json["id"],
            _time(json["time"]),
            kind,
            remote_addr=json.get("remoteAddr") if is_rate else json.get("remoteAddr", to),
            previous_addr=None if is_rate else before,
            bandwidth=json.get("bandwidth"),
            limit=json.get("limit"),
            frame_rate=to if is_rate else None,
            previous_frame_rate=before if is_rate else None,
            error=None if error is None else error_of_json(error),
        )

    def __str__(self) -> str:
        return f"{self.id} {self._words()}"

    def _words(self) -> str:
        if self.kind is ChangeKind.WENT_LIVE and self.remote_addr is not None:
            return f"is live from {self.remote_addr}"
        return {
            ChangeKind.WENT_LIVE: "is live",
            ChangeKind.WENT_IDLE: "is idle",
            ChangeKind.DISABLED: "is disabled",
            ChangeKind.ENABLED: "is enabled",
            ChangeKind.NEW_PUBLISHER: (
                f"has a new publisher: {self.remote_addr}, after {self.previous_addr}"
            ),
            ChangeKind.BANDWIDTH_LOW: (
                f"has {self.bandwidth} bytes a second, less than {self.limit}"
            ),
            ChangeKind.BANDWIDTH_RECOVERED: f"has {self.bandwidth} bytes a second again",
            ChangeKind.FRAME_RATE_FELL: (
                f"fell from {self.previous_frame_rate} to {self.frame_rate} frames a second"
            ),
            ChangeKind.FAILING: f"fails: {self.error}",
            ChangeKind.RECOVERED: "answers again",
        }[self.kind]


def changes_of(json: Json) -> Tuple[Change, ...]:
    """The changes that this version knows; a later library may tell of more."""
    known = {kind.value for kind in ChangeKind}
    return tuple(Change.of(change) for change in json["changes"] if change["change"] in known)


@dataclass(frozen=True)
class Sample(_html.Fields):
    """What a channel was doing at a moment, from ``samples``."""

    time: datetime
    status: ChannelStatus


@dataclass(frozen=True)
class Gap(_html.Fields):
    """A time without a publisher, between two sessions."""

    start_time: datetime
    end_time: datetime

    @classmethod
    def of(cls, json: Json) -> Gap:
        return cls(_time(json["startTime"]), _time(json["endTime"]))

    @property
    def duration(self) -> timedelta:
        """How long it was."""
        return self.end_time - self.start_time


@dataclass(frozen=True)
class HistoryAnalysis(_html.Fields):
    """What a history tells about a number of days, the result of ``analyze_history``.

    The service keeps only the last ten finished sessions of a channel;
    ``is_truncated`` tells when they may not reach back to the window's beginning.
    """

    #: The window.
    start_time: datetime
    end_time: datetime
    #: How many sessions were in the window, in whole or in part.
    session_count: int
    #: What lies outside the window is not counted.
    total_duration_hours: float
    #: 0 without a session.
    average_duration_minutes: float
    #: The addresses of the publishers, without ports, each once and sorted.
    unique_ips: Tuple[str, ...]
    #: The first of several; None without a session.
    longest_session: Optional[SessionRecord]
    #: The times between sessions, in order.
    gaps: Tuple[Gap, ...]
    #: The sessions, cut to the window, in order.
    sessions: Tuple[SessionRecord, ...]
    #: Whether the service may have forgotten sessions of this window.
    is_truncated: bool

    @classmethod
    def of(cls, json: Json) -> HistoryAnalysis:
        longest = json.get("longestSession")
        return cls(
            start_time=_time(json["startTime"]),
            end_time=_time(json["endTime"]),
            session_count=json["sessionCount"],
            total_duration_hours=json["totalDurationHours"],
            average_duration_minutes=json["averageDurationMinutes"],
            unique_ips=tuple(json["uniqueIps"]),
            longest_session=None if longest is None else SessionRecord.of(longest),
            gaps=tuple(map(Gap.of, json["gaps"])),
            sessions=tuple(map(SessionRecord.of, json["sessions"])),
            is_truncated=json["isTruncated"],
        )


@dataclass(frozen=True)
class PutResult(_html.Fields):
    """What came of a channel of ``put_channels``."""

    id: str
    #: Where to publish and play; None when the channel was not put.
    urls: Optional[ChannelUrls]
    #: Why it was not put.
    error: Optional[OssLiveError]

    @classmethod
    def of(cls, json: Json) -> PutResult:
        error = json.get("error")
        if error is not None:
            return cls(json["id"], None, error_of_json(error))
        return cls(json["id"], ChannelUrls.of(json), None)


@dataclass(frozen=True)
class Highlight:
    """A part of what a channel recorded, to be cut into a playlist of its own.

    It is a part of a session, in offsets from its start, or from its end where
    they are negative; or it lies between two times, whatever sessions there were::

        minutes = lambda count: timedelta(minutes=count)
        Highlight("opening", end=minutes(5))
        Highlight("peak", minutes(50), minutes(60))
        Highlight("closing", minutes(-5))
        Highlight("goal", datetime(2026, 5, 9, 18, 31, tzinfo=timezone.utc), ...)
    """

    #: The playlist's name; ``.m3u8`` is added where it is missing.
    name: str
    start: Union[timedelta, Time] = timedelta()
    #: None, or an offset of 0, for the session's end. The end of a session that is going on is
    #: now.
    end: Union[timedelta, Time, None] = None
    #: A moment of the session that is meant, such as its ``start_time``; None for the latest.
    session: Optional[Time] = None


@dataclass(frozen=True)
class HighlightResult(_html.Fields):
    """What came of a :class:`Highlight`."""

    highlight: Highlight
    #: The name of its playlist, in the channel's folder: ``get_play_url`` takes it.
    playlist: str
    #: From when it was cut; None when it was clear beforehand that there is nothing to cut.
    start: Optional[datetime]
    #: Until when it was cut.
    end: Optional[datetime]
    #: Why there is no such playlist, when there is none.
    error: Optional[OssLiveError]

    @classmethod
    def of(cls, highlight: Highlight, json: Json) -> HighlightResult:
        error = json.get("error")
        return cls(
            highlight,
            json["playlist"],
            _time_or_none(json.get("start")),
            _time_or_none(json.get("end")),
            None if error is None else error_of_json(error),
        )


# Times.

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


def _time(text: str) -> datetime:
    # Nearly every time is in whole seconds of UTC.
    if len(text) == 20 and text[-1] == "Z":
        return datetime.fromisoformat(f"{text[:-1]}+00:00")
    # Before Python 3.11, fromisoformat knows neither Z nor a fraction of
    # any other length than 3 or 6.
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is not a time in RFC 3339")
    whole, fraction, zone = parts[1], (parts[2] or "")[:6].ljust(6, "0"), parts[3]
    time = datetime.fromisoformat(f"{whole}.{fraction}{zone.replace('Z', '+00:00')}")
    return time.astimezone(timezone.utc)


def _time_or_none(text: Optional[str]) -> Optional[datetime]:
    return None if text is None else _time(text)
