"""Converts arguments to C."""

from __future__ import annotations

import ctypes
import math
import os
from datetime import datetime, timedelta
from typing import Any, Iterable, Mapping, Optional, Sequence, Tuple, Union

from ._declarations import ChannelConfigPointer, Param
from ._declarations import Download as DownloadPart
from ._declarations import Highlight as HighlightPart
from ._library import library
from ._native import Handle, call
from .errors import InvalidArgument
from .models import ChannelConfig, ChannelState, Highlight, Time

Seconds = Union[int, timedelta]


def text(value: str, name: str) -> bytes:
    """Converts a string to C. A string with a NUL is rejected."""
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"{name} is not valid Unicode text") from None
    if b"\0" in encoded:
        raise InvalidArgument(f"{name} contains a NUL character")
    return encoded


def optional_text(value: Optional[str], name: str) -> Optional[bytes]:
    """Converts a string or None to C."""
    return None if value is None else text(value, name)


def texts(values: Iterable[str], name: str) -> Tuple[Any, int]:
    """Converts strings to an array and its length."""
    if isinstance(values, str):
        raise TypeError(f"{name} must be an iterable of str, not a single str")
    encoded = [text(value, f"{name}[{place}]") for place, value in enumerate(values)]
    return (ctypes.c_char_p * len(encoded))(*encoded), len(encoded)


def whole(value: int, name: str, bits: int = 32) -> int:
    """Checks that a number is in the range of its C type, which ctypes would wrap silently:
    unsigned with 32 bits, or signed with 64."""
    if not isinstance(value, int) or isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    low, high = (0, 2**32 - 1) if bits == 32 else (-(2**63), 2**63 - 1)
    if not low <= value <= high:
        raise InvalidArgument(f"{name} {value}: must be {low} to {high}")
    return value


def channel_config(config: ChannelConfig) -> Handle:
    native = library()
    pointer = ChannelConfigPointer()
    call(native.channel_config_new, text(config.name, "name"), ctypes.byref(pointer))
    handle = Handle(pointer, native.channel_config_free)
    if config.description is not None:
        description = text(config.description, "description")
        call(native.channel_config_set_description, handle, description)
    call(native.channel_config_set_status, handle, state(config.status))
    frag_duration = whole(config.frag_duration, "frag_duration")
    call(native.channel_config_set_frag_duration, handle, frag_duration)
    call(native.channel_config_set_frag_count, handle, whole(config.frag_count, "frag_count"))
    playlist_name = text(config.playlist_name, "playlist_name")
    call(native.channel_config_set_playlist_name, handle, playlist_name)
    if config.snapshot is not None:
        snapshot = config.snapshot
        call(
            native.channel_config_set_snapshot,
            handle,
            text(snapshot.role_name, "role_name"),
            text(snapshot.dest_bucket, "dest_bucket"),
            text(snapshot.notify_topic, "notify_topic"),
            whole(snapshot.interval, "interval"),
        )
    return handle


def channel_configs(configs: Sequence[ChannelConfig]) -> Tuple[Any, Sequence[Handle]]:
    """Returns an array of pointers to configurations, and their owners. Equal ones are shared."""
    handles = {config: channel_config(config) for config in configs}
    pointers = [handles[config].pointer for config in configs]
    return (ChannelConfigPointer * len(pointers))(*pointers), list(handles.values())


def url_params(
    playlist_name: Optional[str], params: Optional[Mapping[str, str]]
) -> Tuple[Any, int]:
    """Returns an array of osslive_param, which keeps its strings alive."""
    pairs = list((params or {}).items())
    if playlist_name is not None:
        pairs.insert(0, ("playlistName", playlist_name))
    if not pairs:
        return None, 0
    array = (Param * len(pairs))()
    for place, (name, value) in zip(array, pairs):
        place.name = text(name, "a parameter's name")
        place.value = text(value, f"the parameter {name}")
    return array, len(pairs)


def state(status: Union[ChannelState, str]) -> bytes:
    return text(status.value if isinstance(status, ChannelState) else status, "status")


def number(value: Optional[int], name: str) -> Optional[int]:
    return None if value is None else whole(value, name)


def page_size(max_keys: Optional[int]) -> int:
    # For the library, 0 means the default, which is not what a caller who passes 0
    # expects.
    if max_keys == 0:
        raise InvalidArgument("max_keys 0: must be 1 to 1000")
    return 0 if max_keys is None else whole(max_keys, "max_keys")


def milliseconds(seconds: Optional[float], name: str) -> Optional[int]:
    if seconds is None:
        return None
    if not 0 < seconds < 2**32 / 1000:
        raise InvalidArgument(f"{name} {seconds}: must be greater than zero and less than 4294967")
    return max(1, round(seconds * 1000))


def expiry(expires: Seconds) -> int:
    if isinstance(expires, timedelta):
        expires = round(expires.total_seconds())
    return whole(expires, "expires")


def span(start: Time, end: Time) -> Tuple[int, int]:
    """Returns whole Unix seconds that cover both times."""
    return unix(start, "start", up=False), unix(end, "end", up=True)


def unix(time: Time, name: str, up: bool) -> int:
    if not isinstance(time, datetime):
        return whole(time, name, bits=64)
    if time.utcoffset() is None:
        raise InvalidArgument(f"{name} has no time zone; use datetime.now(timezone.utc)")
    seconds = int(time.replace(microsecond=0).timestamp())
    return seconds + 1 if up and time.microsecond else seconds


def sweep_options(
    max_parallel: int,
    rate: Optional[float] = None,
    time_limit: Optional[float] = None,
    interval: Optional[float] = None,
    min_bandwidth: Optional[int] = None,
    frame_rate_drop: Optional[float] = None,
) -> Handle:
    """Creates options for batch operations on channels; times are in seconds."""
    native = library()
    handle = Handle(native.sweep_options_new(), native.sweep_options_free)
    for setter, value in (
        (native.sweep_options_set_max_parallel, whole(max_parallel, "max_parallel")),
        (native.sweep_options_set_rate, rate),
        (native.sweep_options_set_time_limit_ms, milliseconds(time_limit, "time_limit")),
        (native.sweep_options_set_interval_ms, milliseconds(interval, "interval")),
        (native.sweep_options_set_min_bandwidth, _size(min_bandwidth, "min_bandwidth")),
        (native.sweep_options_set_frame_rate_drop, frame_rate_drop),
    ):
        if value is not None:
            call(setter, handle, value)
    return handle


def _size(value: Optional[int], name: str) -> Optional[int]:
    size = None if value is None else whole(value, name, bits=64)
    if size is not None and size < 0:
        raise InvalidArgument(f"{name} {size}: must be 0 or more")
    return size


def highlight_parts(highlights: Sequence[Highlight]) -> Tuple[Any, int]:
    """Returns an array of osslive_highlight, which keeps its strings alive."""
    array = (HighlightPart * len(highlights))()
    for place, part in zip(array, highlights):
        place.name = text(part.name, "name")
        start, end = part.start, part.end
        if isinstance(start, timedelta) and (end is None or isinstance(end, timedelta)):
            place.from_ms = _offset(start)
            place.to_ms = 0 if end is None else _offset(end)
            if part.session is not None:
                place.session_time = _not_0(unix(part.session, "session", up=False), "session")
        elif isinstance(start, timedelta) or end is None or isinstance(end, timedelta):
            raise InvalidArgument(f"the highlight {part.name!r} needs both times, or two offsets")
        elif part.session is not None:
            raise InvalidArgument(
                f"the highlight {part.name!r} cannot have both times and a session"
            )
        else:
            place.start_time, place.end_time = span(start, end)
            _not_0(place.end_time, "end")
    return array, len(highlights)


def download_parts(
    path: Union[str, os.PathLike[str]],
    session: Optional[Time],
    start: Optional[Time],
    end: Optional[Time],
    last: Optional[timedelta],
    max_parallel: int,
    follow: bool,
    overwrite: bool,
) -> Any:
    """Returns an osslive_download, which keeps its path alive."""
    place = DownloadPart()
    place.path = text(os.fspath(path), "path")
    if session is not None:
        place.session_time = _not_0(unix(session, "session", up=False), "session")
    if (start is None) != (end is None):
        raise InvalidArgument("a download needs both start and end")
    if start is not None and end is not None:
        place.start_time, place.end_time = span(start, end)
        _not_0(place.end_time, "end")
    if last is not None:
        place.last_ms = _not_0(_offset(last), "last")
    place.max_parallel = whole(max_parallel, "max_parallel")
    place.follow, place.overwrite = int(follow), int(overwrite)
    return place


def _not_0(seconds: int, name: str) -> int:
    # For the library, 0 means unset.
    if seconds == 0:
        raise InvalidArgument(f"{name} 0: must be after 1970")
    return seconds


def _offset(offset: timedelta) -> int:
    """Returns milliseconds, rounded away from 0, which would mean the session's end."""
    ms = offset / timedelta(milliseconds=1)
    return math.ceil(ms) if ms > 0 else math.floor(ms)
