"""The client: one method for each call."""

from __future__ import annotations

import ctypes
import json
import os
from datetime import datetime, timedelta
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypedDict,
    Union,
)

from . import monitor
from ._library import ChannelConfigPointer, ClientPointer, Function, Library, Param, library
from ._native import Handle, call, call_text, optional_text, text, whole
from .errors import ErrorKind, InvalidArgument, OssLiveError
from .models import (
    Change,
    Channel,
    ChannelConfig,
    ChannelHistory,
    ChannelList,
    ChannelState,
    ChannelStatus,
    ChannelSummary,
    ChannelUrls,
    Credentials,
    Done,
    Highlight,
    HighlightResult,
    HistoryAnalysis,
    Json,
    Sample,
    Sweep,
    Time,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

Seconds = Union[int, timedelta]

#: For how many seconds a URL is usually good.
DEFAULT_EXPIRES = 1800


class Settings(TypedDict, total=False):
    """The settings of a :class:`Client`, for :meth:`Client.from_env` and the like."""

    region: Optional[str]
    endpoint: Optional[str]
    bucket: Optional[str]
    access_key_id: Optional[str]
    access_key_secret: Optional[str]
    security_token: Optional[str]
    credentials: Union[Credentials, Callable[[], Credentials], None]
    internal: Optional[bool]
    secure: Optional[bool]
    addressing_style: Optional[str]
    signature_version: Optional[int]
    connect_timeout: Optional[float]
    timeout: Optional[float]
    attempts: Optional[int]
    pool_size: Optional[int]
    proxy: Optional[str]
    root_certificates: Optional[str]
    user_agent: Optional[str]
    sign_security_token: Optional[bool]


class Client:
    """A client for the live channels of one bucket.

    Any number of threads may use it at once; it keeps its connections open
    between calls. Calls block, by default for 30 seconds at most, and let
    other threads run meanwhile. After a fork, parent and child each go on
    with connections of their own.

    A bucket, an access key, and a region or an endpoint are needed::

        with osslive.Client(region="cn-hangzhou", bucket="my-bucket",
                            access_key_id="...", access_key_secret="...") as client:
            client.put_channel("main-stage")

    :meth:`from_env` and :meth:`from_profile` take the access key, and what
    else is not given, from where the vendor's tools take it. ``credentials``
    is a :class:`Credentials`, or a function that is asked for one before every
    call, on the thread of that call.

    Every setting has a default: the endpoint is the region's public one,
    over TLS; ``addressing_style`` is "path" for IP addresses and localhost,
    else "virtual" ("cname" for a host name bound to the bucket);
    ``signature_version`` is 4; ``connect_timeout`` 10 and ``timeout``, for the
    whole call, 30 seconds; ``attempts`` 3; ``pool_size`` 16 idle connections;
    ``proxy`` what the environment says ("" for none at all);
    ``root_certificates``, a PEM text, Mozilla's.
    """

    def __init__(
        self,
        *,
        region: Optional[str] = None,
        endpoint: Optional[str] = None,
        bucket: Optional[str] = None,
        access_key_id: Optional[str] = None,
        access_key_secret: Optional[str] = None,
        security_token: Optional[str] = None,
        credentials: Union[Credentials, Callable[[], Credentials], None] = None,
        internal: Optional[bool] = None,
        secure: Optional[bool] = None,
        addressing_style: Optional[str] = None,
        signature_version: Optional[int] = None,
        connect_timeout: Optional[float] = None,
        timeout: Optional[float] = None,
        attempts: Optional[int] = None,
        pool_size: Optional[int] = None,
        proxy: Optional[str] = None,
        root_certificates: Optional[str] = None,
        user_agent: Optional[str] = None,
        sign_security_token: Optional[bool] = None,
        _load: Optional[Callable[[Library, Handle], None]] = None,
    ) -> None:
        native = library()
        config = Handle(native.config_new(), native.config_free)
        for setter, value in (
            (native.config_set_region, optional_text(region, "region")),
            (native.config_set_endpoint, optional_text(endpoint, "endpoint")),
            (native.config_set_bucket, optional_text(bucket, "bucket")),
            (native.config_set_internal, internal),
            (native.config_set_secure, secure),
            (
                native.config_set_addressing_style,
                optional_text(addressing_style, "addressing_style"),
            ),
            (native.config_set_signature_version, _number(signature_version, "signature_version")),
            (
                native.config_set_connect_timeout_ms,
                _milliseconds(connect_timeout, "connect_timeout"),
            ),
            (native.config_set_timeout_ms, _milliseconds(timeout, "timeout")),
            (native.config_set_attempts, _number(attempts, "attempts")),
            (native.config_set_pool_size, _number(pool_size, "pool_size")),
            (
                native.config_set_root_certificates,
                optional_text(root_certificates, "root_certificates"),
            ),
            (native.config_set_user_agent, optional_text(user_agent, "user_agent")),
            (native.config_set_sign_security_token, sign_security_token),
        ):
            if value is not None:
                call(setter, config, value)
        if proxy is not None:
            call(native.config_set_proxy, config, text(proxy, "proxy") or None)
        if _load is not None:
            _load(native, config)

        shared = _Shared(access_key_id, access_key_secret, security_token, credentials)
        if shared.current is not None:
            call(native.config_set_credentials, config, *_key_texts(shared.current))
        self._shared = shared
        self._bucket = bucket
        self._where = endpoint or region
        self._native: Optional[_Native] = _Native(lambda: _new_client(native, config, shared))

    @classmethod
    def from_env(cls, **settings: Unpack[Settings]) -> Client:
        """A client with the access key in ``OSS_ACCESS_KEY_ID``, ``OSS_ACCESS_KEY_SECRET`` and
        ``OSS_SESSION_TOKEN``, and the region, endpoint and bucket in ``OSS_REGION``,
        ``OSS_ENDPOINT`` and ``OSS_BUCKET`` where they are not given.

        The library reads the environment of the process: what is put into
        ``os.environ`` counts. ``settings`` are those of the constructor.
        """

        def load(native: Library, config: Handle) -> None:
            call(native.config_load_env, config)

        return cls(**settings, _load=load)

    @classmethod
    def from_profile(
        cls,
        path: Union[str, os.PathLike[str], None] = None,
        profile: Optional[str] = None,
        **settings: Unpack[Settings],
    ) -> Client:
        """A client with the access key of a profile of ossutil's config file (by default
        ``.ossutilconfig`` in the home folder and its default profile), and its region and
        endpoint where they are not given. ``settings`` are those of the constructor."""
        file = None if path is None else text(os.fspath(path), "path")
        section = optional_text(profile, "profile")

        def load(native: Library, config: Handle) -> None:
            call(native.config_load_profile, config, file, section)

        return cls(**settings, _load=load)

    # Its life.

    def close(self) -> None:
        """Closes the connections. Calls that are under way on other threads end as usual."""
        self._native = None

    def shutdown(self) -> None:
        """Ends the calls under way on other threads, on this client and those made from it, at
        once with :class:`~osslive.Stopped`, and all later ones, so that a program can quit. The
        service may or may not have carried out what was under way."""
        self._shared.is_shut_down = True
        call(library().client_shutdown, self._open().handle())

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        closed = " (closed)" if self._native is None else ""
        return f"<osslive.Client of {self._bucket!r} at {self._where!r}{closed}>"

    def with_timeout(self, seconds: float) -> Client:
        """A second client with another limit for whole calls. Both share connections and
        credentials; each is closed on its own."""
        native, origin = library(), self._open()
        limit = _milliseconds(seconds, "seconds")

        def make() -> Handle:
            client = ClientPointer()
            call(native.client_with_timeout_ms, origin.handle(), limit, ctypes.byref(client))
            return Handle(client, native.client_free)

        other = object.__new__(type(self))
        other._shared, other._bucket, other._where = self._shared, self._bucket, self._where
        other._native = _Native(make)
        return other

    def set_credentials(
        self,
        access_key_id: str,
        access_key_secret: str,
        security_token: Optional[str] = None,
    ) -> None:
        """Replaces the access key of this client and of those made from it, while other threads
        use them: calls that are under way end with the key they began with."""
        self._rotate(Credentials(access_key_id, access_key_secret, security_token))

    # Calls to the service.

    def put_channel(self, id: str, config: ChannelConfig = ChannelConfig()) -> ChannelUrls:
        """Creates a channel, or replaces its configuration.

        Raises :class:`~osslive.ChannelStillLive` while the channel is live.
        """
        with_config = _channel_config(config)
        return ChannelUrls.of(self._call(library().put_channel, text(id, "id"), with_config))

    def create_channel(self, id: str, config: ChannelConfig = ChannelConfig()) -> ChannelUrls:
        """Creates a channel that does not exist yet. When two callers create the same channel at
        the same moment, both may succeed.

        Raises :class:`~osslive.ChannelAlreadyExists`.
        """
        with_config = _channel_config(config)
        return ChannelUrls.of(self._call(library().create_channel, text(id, "id"), with_config))

    def get_channel(self, id: str) -> Channel:
        """Reads the configuration of a channel; its URLs and the time of its last change too,
        where the credentials may list channels.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        return Channel.of(self._call(library().get_channel, text(id, "id")))

    def delete_channel(self, id: str) -> Done:
        """Deletes a channel; what it recorded stays. A channel that does not exist is no error.

        Raises :class:`~osslive.ChannelStillLive` while the channel is live.
        """
        return Done.of(self._call(library().delete_channel, text(id, "id")))

    def list_channels(
        self,
        prefix: Optional[str] = None,
        marker: Optional[str] = None,
        max_keys: Optional[int] = None,
    ) -> ChannelList:
        """Lists a page of channels in byte order: those whose names begin with ``prefix`` and
        come after ``marker``, at most ``max_keys`` (1 to 1000, by default the service's 100)."""
        return ChannelList.of(
            self._call(
                library().list_channels,
                optional_text(prefix, "prefix"),
                optional_text(marker, "marker"),
                _page_size(max_keys),
            )
        )

    def channels(
        self, prefix: Optional[str] = None, max_keys: Optional[int] = None
    ) -> Iterator[ChannelSummary]:
        """All channels whose names begin with ``prefix``; pages of ``max_keys`` are asked for as
        they are needed."""
        marker: Optional[str] = None
        while True:
            page = self.list_channels(prefix, marker, max_keys)
            yield from page.channels
            marker = page.next_marker
            if not page.is_truncated or marker is None:
                return

    def put_channel_status(self, id: str, status: Union[ChannelState, str]) -> Done:
        """Enables or disables a channel. Disabling cuts a publisher; the service takes about ten
        seconds for it.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        function = library().put_channel_status
        return Done.of(self._call(function, text(id, "id"), _state(status)))

    def get_channel_status(self, id: str) -> ChannelStatus:
        """Reads what a channel is doing: live, idle or disabled; picture, sound, rates, and the
        publisher's address.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        return ChannelStatus.of(self._call(library().get_channel_status, text(id, "id")))

    def is_channel_live(self, id: str) -> bool:
        """Whether somebody publishes to a channel now.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        live = ctypes.c_int()
        call(library().is_channel_live, self._handle(), text(id, "id"), ctypes.byref(live))
        return live.value != 0

    def get_channel_history(self, id: str) -> ChannelHistory:
        """Reads the last ten finished sessions of a channel, the oldest first.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        return ChannelHistory.of(self._call(library().get_channel_history, text(id, "id")))

    def create_vod(self, id: str, name: str, start: Time, end: Time) -> Done:
        """Writes a playlist of what was recorded from ``start`` to ``end`` (aware datetimes or
        Unix seconds, at most a day apart) to ``id/name`` in the bucket. ``.m3u8`` is added to a
        name without it.

        Raises :class:`~osslive.InvalidArgument` when nothing was recorded in that time.
        """
        span = _span(start, end)
        function = library().create_vod
        return Done.of(self._call(function, text(id, "id"), text(name, "name"), *span))

    def get_vod(self, id: str, start: Time, end: Time) -> str:
        """Reads the playlist that :meth:`create_vod` would write. The fragments in it are
        relative to ``id/`` in the bucket.

        Raises :class:`~osslive.InvalidArgument` when nothing was recorded in that time.
        """
        span = _span(start, end)
        return call_text(library().get_vod, self._handle(), text(id, "id"), *span)

    # URLs; nothing is sent.

    def get_rtmp_url(
        self,
        id: str,
        expires: Seconds = DEFAULT_EXPIRES,
        *,
        playlist_name: Optional[str] = None,
        params: Optional[Mapping[str, str]] = None,
    ) -> str:
        """Makes a signed URL to publish to. The URL lets anyone who has it publish until it
        expires: treat it as a secret.

        ``expires`` counts from now; a publisher that is connected is not cut
        when it has passed. ``playlist_name`` sets the live playlist of this
        session, in place of the channel's. ``params`` are signed.
        """
        function, seconds = library().get_rtmp_url, _expiry(expires)
        extra, count = _params(playlist_name, params)
        return call_text(function, self._handle(), text(id, "id"), seconds, extra, count)

    def get_play_url(
        self, id: str, playlist: Optional[str] = None, expires: Seconds = DEFAULT_EXPIRES
    ) -> str:
        """Makes a signed URL to play a playlist (by default ``playlist.m3u8``) of a channel of a
        private bucket. The fragments in the playlist are signed alike. With signature version 4,
        ``expires`` is a week at most."""
        name = optional_text(playlist, "playlist")
        function = library().get_play_url
        return call_text(function, self._handle(), text(id, "id"), name, _expiry(expires))

    # What people do with channels.

    def monitor_channels(self, ids: Iterable[str], max_parallel: int = 8) -> Sweep:
        """Asks many channels what they are doing, ``max_parallel`` at once. A channel that fails
        is listed with its error and never hides the rest."""
        return monitor.sweep(self, ids, max_parallel)

    def monitor(
        self,
        ids: Optional[Iterable[str]] = None,
        *,
        prefix: Optional[str] = None,
        interval: float = 30.0,
        max_parallel: int = 8,
    ) -> Iterator[Change]:
        """What changes about channels, as it is noticed; it ends when you stop iterating.

        The channels are ``ids``, or else those that the bucket has with names
        that begin with ``prefix``, looked up anew for each sweep. A sweep begins
        ``interval`` seconds after the one before. A channel that was not seen
        yet counts as idle, so that the changes alone tell every state.
        """
        return monitor.changes(self, ids, prefix, interval, max_parallel)

    def samples(self, id: str, interval: float = 1.0) -> Iterator[Sample]:
        """What a channel is doing every ``interval`` seconds; it ends when you stop iterating."""
        return monitor.samples(self, id, interval)

    def analyze_history(self, id: str, days: int = 7) -> HistoryAnalysis:
        """Summarises the sessions of the last ``days`` days, of which the service keeps ten.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        return monitor.analyze_history(self, id, days)

    def create_highlights(
        self,
        id: str,
        highlights: Sequence[Highlight],
        progress: Optional[Callable[[int, int], None]] = None,
    ) -> Tuple[HighlightResult, ...]:
        """Cuts a playlist for each highlight, with one result for each in their order: one that
        fails does not keep the rest from being cut. ``progress`` is called with how many are
        done, and of how many."""
        return monitor.create_highlights(self, id, highlights, progress)

    # How calls are made.

    def _call(self, function: Function, *arguments: object) -> Json:
        parsed: Json = json.loads(call_text(function, self._handle(), *arguments))
        return parsed

    def _handle(self) -> Handle:
        native = self._open()
        if self._shared.provider is not None:
            current = self._shared.provider()
            if current != self._shared.current:
                self._rotate(current)
        return native.handle()

    def _open(self) -> _Native:
        if self._native is None:
            raise OssLiveError("the client is closed", kind=ErrorKind.INVALID_ARGUMENT)
        return self._native

    def _rotate(self, credentials: Credentials) -> None:
        _set_credentials(library(), self._open().handle(), credentials)
        self._shared.current = credentials


class _Shared:
    """The access key that a client and those made from it share, and whether they are shut down."""

    def __init__(
        self,
        access_key_id: Optional[str],
        access_key_secret: Optional[str],
        security_token: Optional[str],
        credentials: Union[Credentials, Callable[[], Credentials], None],
    ) -> None:
        given = access_key_id is not None or access_key_secret is not None
        if given and credentials is not None:
            raise TypeError("give either credentials or access_key_id and access_key_secret")
        self.provider: Optional[Callable[[], Credentials]] = None
        self.current: Optional[Credentials] = None
        self.is_shut_down = False
        if isinstance(credentials, Credentials):
            self.current = credentials
        elif credentials is not None:
            self.provider = credentials
            self.current = credentials()
        elif given or security_token is not None:
            self.current = Credentials(access_key_id or "", access_key_secret or "", security_token)


class _Native:
    """A client of the library, made anew in a child process: connections that parent and child
    both write to would mix their requests."""

    def __init__(self, make: Callable[[], Handle]) -> None:
        self._make = make
        self._current = (os.getpid(), make())

    def handle(self) -> Handle:
        process, handle = self._current
        if process != os.getpid():
            handle = self._make()
            self._current = (os.getpid(), handle)
        return handle


def _new_client(native: Library, config: Handle, shared: _Shared) -> Handle:
    client = ClientPointer()
    call(native.client_new, config, ctypes.byref(client))
    handle = Handle(client, native.client_free)
    # The config keeps the first key; it may have been replaced since.
    if shared.current is not None:
        _set_credentials(native, handle, shared.current)
    if shared.is_shut_down:
        call(native.client_shutdown, handle)
    return handle


def _set_credentials(native: Library, client: Handle, credentials: Credentials) -> None:
    call(native.client_set_credentials, client, *_key_texts(credentials))


def _key_texts(credentials: Credentials) -> Tuple[bytes, bytes, Optional[bytes]]:
    return (
        text(credentials.access_key_id, "access_key_id"),
        text(credentials.access_key_secret, "access_key_secret"),
        optional_text(credentials.security_token, "security_token"),
    )


def _channel_config(config: ChannelConfig) -> Handle:
    native = library()
    pointer = ChannelConfigPointer()
    call(native.channel_config_new, text(config.name, "name"), ctypes.byref(pointer))
    handle = Handle(pointer, native.channel_config_free)
    if config.description is not None:
        description = text(config.description, "description")
        call(native.channel_config_set_description, handle, description)
    call(native.channel_config_set_status, handle, _state(config.status))
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


def _params(playlist_name: Optional[str], params: Optional[Mapping[str, str]]) -> Tuple[Any, int]:
    """An array of osslive_param; it keeps its texts alive."""
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


def _state(status: Union[ChannelState, str]) -> bytes:
    return text(status.value if isinstance(status, ChannelState) else status, "status")


def _number(value: Optional[int], name: str) -> Optional[int]:
    return None if value is None else whole(value, name)


def _page_size(max_keys: Optional[int]) -> int:
    # For the library 0 is the default, which is not what somebody means who
    # asks for 0 channels.
    if max_keys == 0:
        raise InvalidArgument("max_keys is 0; 1 to 1000 is allowed")
    return 0 if max_keys is None else whole(max_keys, "max_keys")


def _milliseconds(seconds: Optional[float], name: str) -> Optional[int]:
    if seconds is None:
        return None
    if not 0 < seconds < 2**32 / 1000:
        raise InvalidArgument(f"{name} is {seconds}; more than 0 seconds are needed")
    return max(1, round(seconds * 1000))


def _expiry(expires: Seconds) -> int:
    if isinstance(expires, timedelta):
        expires = round(expires.total_seconds())
    return whole(expires, "expires")


def _span(start: Time, end: Time) -> Tuple[int, int]:
    """Unix seconds that cover both."""
    return _unix(start, "start", up=False), _unix(end, "end", up=True)


def _unix(time: Time, name: str, up: bool) -> int:
    if not isinstance(time, datetime):
        return whole(time, name, bits=64)
    if time.utcoffset() is None:
        raise InvalidArgument(f"{name} has no time zone; use datetime.now(timezone.utc)")
    seconds = int(time.replace(microsecond=0).timestamp())
    return seconds + 1 if up and time.microsecond else seconds
