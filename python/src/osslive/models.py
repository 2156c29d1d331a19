"""Arguments and results of the calls.

Results are immutable. Times are aware :class:`~datetime.datetime` in UTC,
and bandwidths are in bytes per second. Notebooks display results as tables.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, List, Mapping, Optional, Tuple, Union

from . import _html
from .errors import ErrorKind, OssLiveError, error_of, error_of_json

#: A time: an aware datetime, or Unix seconds.
Time = Union[int, datetime]

#: Parsed JSON, as returned by the library.
Json = Mapping[str, Any]


class ChannelState(str, enum.Enum):
    """Whether a channel is enabled: its configured status."""

    ENABLED = "enabled"
    DISABLED = "disabled"

    def __str__(self) -> str:
        return self.value


class StreamState(str, enum.Enum):
    """Whether a channel is live: its status at run time."""

    #: A publisher is connected.
    LIVE = "Live"
    #: No publisher is connected.
    IDLE = "Idle"
    #: The channel is disabled.
    DISABLED = "Disabled"

    def __str__(self) -> str:
        return self.value


# Arguments.


@dataclass(frozen=True)
class Credentials:
    """An access key, with an STS token if it is temporary."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: Optional[str] = field(default=None, repr=False)


@dataclass(frozen=True)
class Snapshot:
    """Snapshots of key frames, in regions that support them: every ``interval`` seconds
    (1 to 100) into ``dest_bucket``, with the permissions of the RAM role ``role_name`` and
    announced on the message topic ``notify_topic``."""

    role_name: str
    dest_bucket: str
    notify_topic: str
    interval: int


@dataclass(frozen=True)
class ChannelConfig:
    """The configuration of a channel.

    The service has no display names: it stores ``name`` as the description,
    unless you give one.
    """

    name: str = ""
    #: At most 128 bytes. Defaults to the name.
    description: Optional[str] = None
    #: Whether the channel is enabled.
    status: ChannelState = ChannelState.ENABLED
    #: The fragment duration in seconds, 1 to 100. Fragments end at the next key frame.
    frag_duration: int = 5
    #: The number of fragments in the live playlist, 1 to 100.
    frag_count: int = 3
    #: 6 to 128 bytes, ending in ``.m3u8``, without ``/``.
    playlist_name: str = "playlist.m3u8"
    snapshot: Optional[Snapshot] = None


# Results.


@dataclass(frozen=True)
class ResponseInfo:
    """Describes a call."""

    #: The HTTP status.
    status: int
    #: The request id, which identifies the request to the service's support.
    request_id: Optional[str]
    #: The elapsed time of the call, including retries and back-off.
    elapsed: timedelta
    #: The number of requests sent: more than 1 after retries.
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
    """The result of a call that returns nothing else."""

    res: ResponseInfo

    @classmethod
    def of(cls, json: Json) -> Done:
        return cls(ResponseInfo.of(json["res"]))


@dataclass(frozen=True)
class ChannelUrls(_html.Fields):
    """A channel's URLs, returned by ``put_channel`` and ``create_channel``."""

    #: Unsigned publish URLs.
    publish_urls: Tuple[str, ...]
    #: Unsigned play URLs.
    play_urls: Tuple[str, ...]
    res: ResponseInfo

    @classmethod
    def of(cls, json: Json) -> ChannelUrls:
        return cls(
            tuple(json["publishUrls"]), tuple(json["playUrls"]), ResponseInfo.of(json["res"])
        )


@dataclass(frozen=True)
class PublishUrl:
    """A signed publish URL, returned by ``get_publish_url``. ``str()`` returns the whole URL;
    ``repr()`` hides it."""

    #: The whole URL: the server, a slash and the stream key.
    url: str = field(repr=False)
    #: The server, which ends in ``/live``.
    server: str
    #: The stream key: the channel's name with the signature.
    stream_key: str = field(repr=False)
    #: When the URL expires. Publishers must connect before then.
    expires_at: datetime

    @classmethod
    def of(cls, json: Json) -> PublishUrl:
        return cls(json["url"], json["server"], json["streamKey"], _time(json["expiresAt"]))

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class Channel(_html.Fields):
    """A channel's configuration, returned by ``get_channel``."""

    #: The channel's id.
    name: str
    description: str
    #: Whether the channel is enabled.
    status: ChannelState
    #: The output type: ``HLS``.
    type: str
    #: The fragment duration in seconds.
    frag_duration: int
    #: The number of fragments in the live playlist.
    frag_count: int
    playlist_name: str
    #: Not reported by the service today.
    create_time: Optional[datetime]
    #: None without permission to list channels.
    last_modified: Optional[datetime]
    #: Unsigned publish URLs. Empty without permission to list channels.
    publish_urls: Tuple[str, ...]
    #: Unsigned play URLs. Empty without permission to list channels.
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
    """A channel in a list."""

    #: The channel's id.
    name: str
    description: str
    #: Whether the channel is enabled.
    status: ChannelState
    #: When the configuration was last changed, if reported.
    last_modified: Optional[datetime]
    #: Unsigned publish URLs.
    publish_urls: Tuple[str, ...]
    #: Unsigned play URLs.
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
    """One page of channels, returned by ``list_channels``."""

    #: In byte order of their names.
    channels: Tuple[ChannelSummary, ...]
    #: Whether there are more.
    is_truncated: bool
    #: The marker of the next page, if there are more.
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
    """The video of a live stream."""

    #: Pixels.
    width: int
    #: Pixels.
    height: int
    #: Frames per second, rounded by the service.
    frame_rate: int
    #: Recent bandwidth, in bytes per second.
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
    """The audio of a live stream."""

    #: Recent bandwidth, in bytes per second.
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
    """A channel's status, returned by ``get_channel_status``."""

    status: StreamState
    #: When the publisher connected, if live.
    connected_time: Optional[datetime]
    #: The publisher's ``IP:PORT``, if live.
    remote_addr: Optional[str]
    #: The video, once some has arrived.
    video: Optional[Video]
    #: The audio, once some has arrived.
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
        """Returns whether a publisher is connected."""
        return self.status is StreamState.LIVE

    @property
    def bandwidth(self) -> int:
        """Video and audio together, in bytes per second; 0 if not live."""
        return sum(part.bandwidth for part in (self.video, self.audio) if part is not None)

    def live(self) -> ChannelStatus:
        """Returns itself if live; raises :class:`~osslive.ChannelNotLive` otherwise."""
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
    """A session of a publisher."""

    start_time: datetime
    end_time: datetime
    #: The publisher's ``IP:PORT``.
    remote_addr: str

    @classmethod
    def of(cls, json: Json) -> SessionRecord:
        return cls(_time(json["startTime"]), _time(json["endTime"]), json["remoteAddr"])

    @property
    def duration(self) -> timedelta:
        """The duration."""
        return self.end_time - self.start_time


@dataclass(frozen=True)
class ChannelHistory:
    """The last sessions of a channel, returned by ``get_channel_history``."""

    #: At most ten finished sessions, oldest first.
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
    """A channel's status in a :class:`Sweep`."""

    id: str
    status: ChannelStatus

    @classmethod
    def of(cls, json: Json) -> ChannelReport:
        return cls(json["id"], ChannelStatus.of(json))


@dataclass(frozen=True)
class FailedChannel:
    """A channel in a :class:`Sweep` whose status could not be read."""

    id: str
    error: OssLiveError

    @classmethod
    def of(cls, json: Json) -> FailedChannel:
        return cls(json["id"], error_of_json(json["error"]))


@dataclass(frozen=True)
class Sweep:
    """The status of many channels, returned by ``monitor_channels``. Each list is in the order
    in which the channels were given."""

    live: Tuple[ChannelReport, ...]
    idle: Tuple[ChannelReport, ...]
    disabled: Tuple[ChannelReport, ...]
    #: Channels whose status could not be read, with the error.
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
        return _html.table(("channel", "status", "size", "bytes/s"), rows)


def _size(video: Optional[Video]) -> str:
    return "" if video is None else f"{video.width}x{video.height} at {video.frame_rate}"


class ChangeKind(str, enum.Enum):
    """The kind of a change."""

    #: The channel went live.
    WENT_LIVE = "wentLive"
    #: The channel went idle.
    WENT_IDLE = "wentIdle"
    #: The channel was disabled.
    DISABLED = "disabled"
    #: The channel was enabled.
    ENABLED = "enabled"
    #: Another publisher, or the same one from another port, took over, and the channel was
    #: not seen idle in between.
    NEW_PUBLISHER = "newPublisher"
    #: Video and audio together are below the limit.
    BANDWIDTH_LOW = "bandwidthLow"
    #: Video and audio together are no longer below the limit.
    BANDWIDTH_RECOVERED = "bandwidthRecovered"
    #: The frame rate fell.
    FRAME_RATE_FELL = "frameRateFell"
    #: The status of the channel cannot be read.
    FAILING = "failing"
    #: The status of the channel can be read again.
    RECOVERED = "recovered"
    #: The channel does not exist, or no longer does.
    GONE = "gone"
    #: The channel exists again.
    CREATED = "created"


@dataclass(frozen=True)
class Change(_html.Fields):
    """A change of a channel. Its ``str`` is one human-readable line."""

    #: The channel's id.
    id: str
    #: When the change was noticed.
    time: datetime
    kind: ChangeKind
    #: The publisher's ``IP:PORT``, if the channel went live or has a new publisher.
    remote_addr: Optional[str] = None
    #: The previous publisher's ``IP:PORT``, if there is a new one.
    previous_addr: Optional[str] = None
    #: Bytes per second, if they crossed the limit.
    bandwidth: Optional[int] = None
    #: The limit, in bytes per second.
    limit: Optional[int] = None
    #: Frames per second, if they fell.
    frame_rate: Optional[int] = None
    #: Frames per second before.
    previous_frame_rate: Optional[int] = None
    #: Why the status cannot be read.
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
                f"has a new publisher: {self.remote_addr}, previously {self.previous_addr}"
            ),
            ChangeKind.BANDWIDTH_LOW: f"has {self.bandwidth} bytes/s, below {self.limit}",
            ChangeKind.BANDWIDTH_RECOVERED: f"has {self.bandwidth} bytes/s again",
            ChangeKind.FRAME_RATE_FELL: (
                f"fell from {self.previous_frame_rate} to {self.frame_rate} frames/s"
            ),
            ChangeKind.FAILING: f"failed: {self.error}",
            ChangeKind.RECOVERED: "recovered",
            ChangeKind.GONE: "does not exist",
            ChangeKind.CREATED: "exists again",
        }[self.kind]


def changes_of(json: Json) -> Tuple[Change, ...]:
    """Returns the changes that this version knows; a newer library may report others."""
    known = {kind.value for kind in ChangeKind}
    return tuple(Change.of(change) for change in json["changes"] if change["change"] in known)


@dataclass(frozen=True)
class Sample(_html.Fields):
    """A channel's status at a point in time, from ``samples``."""

    time: datetime
    status: ChannelStatus


@dataclass(frozen=True)
class Gap(_html.Fields):
    """A gap between two sessions, or in a recording."""

    start_time: datetime
    end_time: datetime

    @classmethod
    def of(cls, json: Json) -> Gap:
        return cls(_time(json["startTime"]), _time(json["endTime"]))

    @property
    def duration(self) -> timedelta:
        """The duration."""
        return self.end_time - self.start_time


@dataclass(frozen=True)
class HistoryAnalysis(_html.Fields):
    """A summary of past sessions, returned by ``analyze_history``.

    The service keeps only the last ten finished sessions of a channel;
    ``is_truncated`` shows whether they may not cover the whole period.
    """

    #: The period.
    start_time: datetime
    end_time: datetime
    #: The number of sessions in the period, in whole or in part.
    session_count: int
    #: Within the period.
    total_duration_hours: float
    #: 0 without sessions.
    average_duration_minutes: float
    #: The IP addresses of the publishers, without ports, unique and sorted.
    unique_ips: Tuple[str, ...]
    #: The first of them in case of a tie; None without sessions.
    longest_session: Optional[SessionRecord]
    #: The gaps between sessions, in order.
    gaps: Tuple[Gap, ...]
    #: The sessions, clipped to the period, in order.
    sessions: Tuple[SessionRecord, ...]
    #: Whether sessions of this period may be missing.
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
    """The result for one channel of ``put_channels``."""

    id: str
    #: The URLs; None if the channel was not put.
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
    """A part of a recording, to be saved as a playlist.

    It is a part of a session, given as offsets from its start, or from its end if
    negative; or the part between two times, regardless of sessions::

        minutes = lambda count: timedelta(minutes=count)
        Highlight("opening", end=minutes(5))
        Highlight("peak", minutes(50), minutes(60))
        Highlight("closing", minutes(-5))
        Highlight("goal", datetime(2026, 5, 9, 18, 31, tzinfo=timezone.utc), ...)
    """

    #: The playlist's name; ``.m3u8`` is appended if missing.
    name: str
    start: Union[timedelta, Time] = timedelta()
    #: None, or an offset of 0, for the session's end. The end of the current session is now.
    end: Union[timedelta, Time, None] = None
    #: A time within the session, such as its ``start_time``; None for the latest session.
    session: Optional[Time] = None


@dataclass(frozen=True)
class HighlightResult(_html.Fields):
    """The result for a :class:`Highlight`."""

    highlight: Highlight
    #: The name of its playlist, for ``get_play_url``.
    playlist: str
    #: The start; None if there was nothing to save.
    start: Optional[datetime]
    #: The end.
    end: Optional[datetime]
    #: Why the playlist was not saved, if it was not.
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


@dataclass(frozen=True)
class Download(_html.Fields):
    """The result of a download."""

    #: Start of the first fragment.
    start_time: datetime
    #: End of the last fragment, to about a second.
    end_time: datetime
    #: The number of fragments.
    fragments: int
    #: The size of the file.
    bytes: int
    #: The number of bytes that earlier attempts had downloaded.
    resumed_bytes: int
    #: Gaps of three seconds or more, in which nothing was recorded.
    gaps: Tuple[Gap, ...]

    @classmethod
    def of(cls, json: Json) -> Download:
        return cls(
            _time(json["startTime"]),
            _time(json["endTime"]),
            json["fragments"],
            json["bytes"],
            json["resumedBytes"],
            tuple(map(Gap.of, json["gaps"])),
        )


# Times.

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


def _time(text: str) -> datetime:
    # Nearly every time is in whole seconds of UTC.
    if len(text) == 20 and text[-1] == "Z":
        return datetime.fromisoformat(f"{text[:-1]}+00:00")
    # Before Python 3.11, fromisoformat supports neither Z nor fractions of lengths
    # other than 3 or 6.
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is not a time in RFC 3339")
    whole, fraction, zone = parts[1], (parts[2] or "")[:6].ljust(6, "0"), parts[3]
    time = datetime.fromisoformat(f"{whole}.{fraction}{zone.replace('Z', '+00:00')}")
    return time.astimezone(timezone.utc)


def _time_or_none(text: Optional[str]) -> Optional[datetime]:
    return None if text is None else _time(text)
