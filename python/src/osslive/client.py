"""The client: one method for each call."""

from __future__ import annotations

import ctypes
import json
import os
from functools import partial
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypedDict,
    TypeVar,
    Union,
)

from ._arguments import (
    Seconds,
    channel_config,
    channel_configs,
    expiry,
    highlight_parts,
    milliseconds,
    number,
    optional_text,
    page_size,
    span,
    state,
    sweep_options,
    text,
    texts,
    url_params,
    whole,
)
from ._declarations import DEFAULT_EXPIRES_S, ClientPointer, Function, ProgressCallback
from ._library import Library, library
from ._native import Handle, Instances, call, call_text
from ._work import OnProgress, Progress, Work
from .errors import BadReply, ErrorKind, OssLiveError
from .models import (
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
    PublishUrl,
    PutResult,
    Sample,
    Sweep,
    Time,
)
from .monitor import Monitor, samples

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

#: For how many seconds a URL is usually good.
DEFAULT_EXPIRES = DEFAULT_EXPIRES_S


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
            (native.config_set_signature_version, number(signature_version, "signature_version")),
            (
                native.config_set_connect_timeout_ms,
                milliseconds(connect_timeout, "connect_timeout"),
            ),
            (native.config_set_timeout_ms, milliseconds(timeout, "timeout")),
            (native.config_set_attempts, number(attempts, "attempts")),
            (native.config_set_pool_size, number(pool_size, "pool_size")),
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
        shared.origin = Instances(lambda _: _new_client(config), prepare=shared.prepare)
        shared.origin.handle()
        self._shared = shared
        self._bucket = bucket
        self._where = endpoint or region
        self._native: Optional[Instances] = shared.origin

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
        self._open()
        self._shared.is_shut_down = True
        for handle in self._shared.origin.of_this_process():
            call(library().client_shutdown, handle)

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
        limit = milliseconds(seconds, "seconds")

        def make(of: Handle) -> Handle:
            client = ClientPointer()
            call(native.client_with_timeout_ms, of, limit, ctypes.byref(client))
            return Handle(client, native.client_free)

        other = object.__new__(type(self))
        other._shared, other._bucket, other._where = self._shared, self._bucket, self._where
        other._native = Instances(make, base=origin)
        other._native.handle()
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
        with_config = channel_config(config)
        return ChannelUrls.of(self._call(library().put_channel, text(id, "id"), with_config))

    def create_channel(self, id: str, config: ChannelConfig = ChannelConfig()) -> ChannelUrls:
        """Creates a channel that does not exist yet. When two callers create the same channel at
        the same moment, both may succeed.

        Raises :class:`~osslive.ChannelAlreadyExists`.
        """
        with_config = channel_config(config)
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
                page_size(max_keys),
            )
        )

    def channels(
        self, prefix: Optional[str] = None, max_keys: Optional[int] = None
    ) -> Iterator[ChannelSummary]:
        """All channels whose names begin with ``prefix``; pages of ``max_keys`` are asked for as
        they are needed.

        Raises :class:`~osslive.BadReply` when a page does not continue after the one before.
        """
        marker = ""
        while True:
            page = self.list_channels(prefix, marker, max_keys)
            yield from page.channels
            if not page.is_truncated or page.next_marker is None:
                return
            # Code points and bytes of UTF-8 have the same order.
            if page.next_marker <= marker:
                raise BadReply(
                    f"the list does not continue after {marker!r}: the next marker is "
                    f"{page.next_marker!r}",
                    kind=ErrorKind.BAD_REPLY,
                )
            marker = page.next_marker

    def put_channel_status(self, id: str, status: Union[ChannelState, str]) -> Done:
        """Enables or disables a channel. Disabling cuts a publisher; the service takes about ten
        seconds for it.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        function = library().put_channel_status
        return Done.of(self._call(function, text(id, "id"), state(status)))

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
        self._wait(call, library().is_channel_live, text(id, "id"), ctypes.byref(live))
        return live.value != 0

    def wait_until_live(self, id: str, limit: Seconds = 120) -> ChannelStatus:
        """Waits until a publisher is connected, for at most ``limit`` seconds, and returns the
        last status. Polls at once, then after 0.25 seconds, and each interval is half as long
        again as the one before, up to 5 seconds. Failures that may pass don't end the wait.

        Raises :class:`~osslive.WaitTimedOut` with the last status in the message,
        :class:`~osslive.NoSuchLiveChannel`, and :class:`~osslive.Stopped` after
        :meth:`shutdown`.
        """
        return ChannelStatus.of(
            self._call(library().wait_until_live, text(id, "id"), milliseconds(limit, "limit"))
        )

    def wait_until_idle(self, id: str, limit: Seconds = 120) -> ChannelStatus:
        """Waits until no publisher is connected: the channel is idle or disabled. Otherwise
        the same as :meth:`wait_until_live`."""
        return ChannelStatus.of(
            self._call(library().wait_until_idle, text(id, "id"), milliseconds(limit, "limit"))
        )

    def wait_until_deleted(self, id: str, limit: Seconds = 120) -> None:
        """Waits until a channel does not exist. Polls and fails like :meth:`wait_until_live`,
        except that a missing channel is a success."""
        function, limit_ms = library().wait_until_deleted, milliseconds(limit, "limit")
        self._wait(call, function, text(id, "id"), limit_ms)

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
        function, times = library().create_vod, span(start, end)
        return Done.of(self._call(function, text(id, "id"), text(name, "name"), *times))

    def get_vod(self, id: str, start: Time, end: Time) -> str:
        """Reads the playlist that :meth:`create_vod` would write. The fragments in it are
        relative to ``id/`` in the bucket.

        Raises :class:`~osslive.InvalidArgument` when nothing was recorded in that time.
        """
        function, times = library().get_vod, span(start, end)
        return self._wait(call_text, function, text(id, "id"), *times)

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
        seconds, extra, count = expiry(expires), *url_params(playlist_name, params)
        function = library().get_rtmp_url
        return call_text(function, self._handle(), text(id, "id"), seconds, extra, count)

    def get_publish_url(
        self,
        id: str,
        expires: Seconds = DEFAULT_EXPIRES,
        *,
        playlist_name: Optional[str] = None,
        params: Optional[Mapping[str, str]] = None,
    ) -> PublishUrl:
        """Makes the URL of :meth:`get_rtmp_url`, with its parts (server and stream key, as
        encoders ask for them) and its expiry."""
        seconds, extra, count = expiry(expires), *url_params(playlist_name, params)
        function = library().get_publish_url
        made = call_text(function, self._handle(), text(id, "id"), seconds, extra, count)
        return PublishUrl.of(json.loads(made))

    def get_play_url(
        self, id: str, playlist: Optional[str] = None, expires: Seconds = DEFAULT_EXPIRES
    ) -> str:
        """Makes a signed URL to play a playlist (by default ``playlist.m3u8``) of a channel of a
        private bucket. The fragments in the playlist are signed alike. With signature version 4,
        ``expires`` is a week at most."""
        name = optional_text(playlist, "playlist")
        function = library().get_play_url
        return call_text(function, self._handle(), text(id, "id"), name, expiry(expires))

    # Work on many channels.

    def monitor_channels(
        self,
        ids: Iterable[str],
        max_parallel: int = 8,
        *,
        rate: Optional[float] = None,
        time_limit: Optional[float] = None,
        progress: Optional[Progress] = None,
    ) -> Sweep:
        """Asks many channels what they are doing, ``max_parallel`` (1 to 256) at once. A channel
        that fails is listed with its error and never spoils the rest; one that is given twice is
        asked and listed once.

        At most ``rate`` calls begin in a second; with or without it, the work
        slows down when the service asks for that. ``time_limit``, in seconds, is
        for the whole work: channels that were not reached fail as
        :class:`~osslive.Stopped`. ``progress`` is called with how many are done,
        failures included, and of how many. What it raises, as a Ctrl-C, stops
        the work.
        """
        return Sweep.of(
            self._work(
                library().monitor_channels,
                *texts(ids, "ids"),
                sweep_options(max_parallel, rate, time_limit),
                progress=progress,
            )
        )

    def put_channels(
        self,
        channels: Iterable[Tuple[str, ChannelConfig]],
        max_parallel: int = 8,
        *,
        rate: Optional[float] = None,
        time_limit: Optional[float] = None,
        progress: Optional[Progress] = None,
    ) -> Tuple[PutResult, ...]:
        """Creates or replaces many channels, each an id and its configuration, with one result
        for each in their order. A channel that fails never keeps the rest from being put; an id
        that stands in the list before fails. The other arguments are those of
        :meth:`monitor_channels`."""
        pairs = list(channels)
        ids, count = texts((id for id, _ in pairs), "ids")
        configs, _owners = channel_configs([config for _, config in pairs])
        options = sweep_options(max_parallel, rate, time_limit)
        function = library().put_channels
        put = self._work(function, ids, configs, count, options, progress=progress)
        return tuple(map(PutResult.of, put["results"]))

    def monitor(
        self,
        ids: Optional[Iterable[str]] = None,
        *,
        prefix: Optional[str] = None,
        interval: float = 30.0,
        max_parallel: int = 8,
        rate: Optional[float] = None,
        time_limit: Optional[float] = None,
        min_bandwidth: Optional[int] = None,
        frame_rate_drop: Optional[float] = None,
    ) -> Monitor:
        """Looks at channels every ``interval`` seconds: an iterator over what changes, as it is
        noticed.

        The channels are ``ids``, or else all that the bucket has now with names
        that begin with ``prefix``. A channel that was not seen yet counts as
        idle, so that the changes alone tell every state. A channel that fails
        is told once, and is asked again.

        A stream is told of when picture and sound together have less than
        ``min_bandwidth`` bytes per second, and when its frame rate falls between
        two sweeps by more than the part ``frame_rate_drop`` (by default 0.1; 1
        for never). ``max_parallel``, ``rate`` and ``time_limit`` are for each
        sweep, as in :meth:`monitor_channels`.
        """
        if ids is not None and prefix is not None:
            raise TypeError("give either ids or a prefix")
        options = sweep_options(
            max_parallel, rate, time_limit, interval, min_bandwidth, frame_rate_drop
        )
        watched = (channel.name for channel in self.channels(prefix)) if ids is None else ids
        return Monitor(lambda: self._handle(of_main_thread=False), watched, options)

    def samples(self, id: str, interval: float = 1.0) -> Iterator[Sample]:
        """What a channel is doing every ``interval`` seconds; it ends when you stop iterating."""
        return samples(lambda: self.get_channel_status(id), interval)

    def analyze_history(self, id: str, days: int = 7) -> HistoryAnalysis:
        """Summarises the sessions of the last ``days`` days, of which the service keeps ten.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        function = library().analyze_history
        return HistoryAnalysis.of(self._call(function, text(id, "id"), whole(days, "days")))

    def create_highlights(
        self,
        id: str,
        highlights: Sequence[Highlight],
        progress: Optional[Progress] = None,
    ) -> Tuple[HighlightResult, ...]:
        """Cuts a playlist for each highlight, with one result for each in their order: one that
        fails does not keep the rest from being cut. They are clipped to what was recorded.
        ``progress`` is called as in :meth:`monitor_channels`.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        function = library().create_highlights
        parts = highlight_parts(highlights)
        cut = self._work(function, text(id, "id"), *parts, progress=progress)
        return tuple(map(HighlightResult.of, highlights, cut["results"]))

    # How calls are made.

    def _call(self, function: Function, *arguments: object) -> Json:
        parsed: Json = json.loads(self._wait(call_text, function, *arguments))
        return parsed

    def _wait(self, way: Callable[..., T], function: Function, *arguments: object) -> T:
        handle = self._handle()
        abort = partial(self._abort, handle)
        return Work(lambda _: way(function, handle, *arguments), abort=abort).result()

    def _work(self, function: Function, *arguments: object, progress: Optional[Progress]) -> Json:
        handle = self._handle()

        def do(on_progress: OnProgress) -> str:
            callback = ProgressCallback() if on_progress is None else ProgressCallback(on_progress)
            return call_text(function, handle, *arguments, callback, None)

        work = Work(do, progress, partial(self._abort, handle), is_spread=True)
        parsed: Json = json.loads(work.result())
        return parsed

    def _abort(self, handle: Handle) -> None:
        """Ends a call at once, and with it what it used. No other thread's call does, unless the
        interpreter is ending."""
        self._shared.origin.forget(of_main_thread=True)
        call(library().client_shutdown, handle)

    def _handle(self, of_main_thread: Optional[bool] = None) -> Handle:
        native = self._open()
        if self._shared.provider is not None:
            current = self._shared.provider()
            if current != self._shared.current:
                self._rotate(current)
        return native.handle(of_main_thread)

    def _open(self) -> Instances:
        if self._native is None:
            raise OssLiveError("the client is closed", kind=ErrorKind.INVALID_ARGUMENT)
        return self._native

    def _rotate(self, credentials: Credentials) -> None:
        # Where they are refused, all keep what they have.
        _set_credentials(self._open().handle(), credentials)
        self._shared.current = credentials
        for handle in self._shared.origin.of_this_process():
            _set_credentials(handle, credentials)


class _Shared:
    """What a client and those made from it share: the library's client that they stem from, the
    access key, and whether they are shut down."""

    origin: Instances

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

    def prepare(self, client: Handle) -> None:
        # The configuration keeps the first key; it may have been replaced since.
        if self.current is not None:
            _set_credentials(client, self.current)
        if self.is_shut_down:
            call(library().client_shutdown, client)


def _new_client(config: Handle) -> Handle:
    native, client = library(), ClientPointer()
    call(native.client_new, config, ctypes.byref(client))
    return Handle(client, native.client_free)


def _set_credentials(client: Handle, credentials: Credentials) -> None:
    call(library().client_set_credentials, client, *_key_texts(credentials))


def _key_texts(credentials: Credentials) -> Tuple[bytes, bytes, Optional[bytes]]:
    return (
        text(credentials.access_key_id, "access_key_id"),
        text(credentials.access_key_secret, "access_key_secret"),
        optional_text(credentials.security_token, "security_token"),
    )
