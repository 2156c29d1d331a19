"""The client: one method for each call."""

from __future__ import annotations

import ctypes
import json
import os
from datetime import timedelta
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
    download_parts,
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
from ._declarations import (
    DEFAULT_EXPIRES_S,
    ClientPointer,
    Function,
    ProgressCallback,
    StatusCallback,
)
from ._library import Library, library
from ._native import Handle, Instances, call, call_text
from ._work import OnEvent, Progress, Work
from .diagnosis import Diagnosis
from .errors import BadReply, ErrorKind, OssLiveError
from .models import (
    Channel,
    ChannelConfig,
    ChannelHistory,
    ChannelList,
    ChannelReport,
    ChannelState,
    ChannelStatus,
    ChannelSummary,
    ChannelUrls,
    Credentials,
    Done,
    Download,
    FailedChannel,
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
from .sources import SOURCES, CredentialsSource, set_source

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

#: Default URL lifetime in seconds.
DEFAULT_EXPIRES = DEFAULT_EXPIRES_S

#: The maximum number of consecutive empty pages in a list, as in the library.
MAX_EMPTY_PAGES = 100


class Settings(TypedDict, total=False):
    """The settings of a :class:`Client`, as keyword arguments."""

    region: Optional[str]
    endpoint: Optional[str]
    bucket: Optional[str]
    access_key_id: Optional[str]
    access_key_secret: Optional[str]
    security_token: Optional[str]
    credentials: Union[Credentials, CredentialsSource, Callable[[], Credentials], None]
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

    Any number of threads may use it at once, and it reuses connections between
    calls. Calls block, by default for at most 30 seconds, and release the global
    interpreter lock. After a fork, parent and child use separate connections.

    It needs a bucket, an access key, and a region or an endpoint::

        with osslive.Client(region="cn-hangzhou", bucket="my-bucket",
                            access_key_id="...", access_key_secret="...") as client:
            client.put_channel("main-stage")

    :meth:`from_default_credentials`, :meth:`from_env` and :meth:`from_profile`
    find credentials and missing settings where the vendor's tools do.
    ``credentials`` is a :class:`Credentials`; a source of temporary ones
    (:class:`EcsRole`, :class:`OidcRole`, :class:`CredentialProcess` or
    :class:`CredentialsUri`), which are refreshed before they expire; or a
    function that returns a :class:`Credentials`, which runs before every call, on the
    calling thread.

    Defaults: the region's public endpoint, over TLS; ``addressing_style`` "path"
    for IP addresses and localhost, else "virtual" ("cname" for a custom domain);
    ``signature_version`` 4; ``connect_timeout`` 10 seconds; ``timeout`` for the
    whole call 30 seconds; ``attempts`` 3; ``pool_size`` 16 idle connections;
    ``proxy`` from the environment ("" disables it); ``root_certificates`` (a PEM
    string) Mozilla's.
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
        credentials: Union[Credentials, CredentialsSource, Callable[[], Credentials], None] = None,
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

        source = credentials if isinstance(credentials, SOURCES) else None
        keys = None if isinstance(credentials, SOURCES) else credentials
        shared = _Shared(access_key_id, access_key_secret, security_token, keys)
        if source is not None:
            if shared.current is not None:
                raise TypeError("give either credentials or access_key_id and access_key_secret")
            set_source(native, config, source)
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
        """Creates a client with the access key in ``OSS_ACCESS_KEY_ID``,
        ``OSS_ACCESS_KEY_SECRET`` and ``OSS_SESSION_TOKEN``, and, unless given, region, endpoint
        and bucket in ``OSS_REGION``, ``OSS_ENDPOINT`` and ``OSS_BUCKET``.

        Changes to ``os.environ`` are visible to it. ``settings`` are those of the
        constructor.
        """

        def load(native: Library, config: Handle) -> None:
            call(native.config_load_env, config)

        return cls(**settings, _load=load)

    @classmethod
    def from_default_credentials(cls, **settings: Unpack[Settings]) -> Client:
        """Creates a client with the machine's default credentials: those in the environment
        (``OSS_ACCESS_KEY_ID`` and so on, else ``ALIBABA_CLOUD_ACCESS_KEY_ID`` and so on, else an
        OIDC role), in ``~/.ossutilconfig``, in ``~/.aliyun/config.json`` or in
        ``~/.alibabacloud/credentials``, those of the ECS instance's role, or those at the URL in
        ``ALIBABA_CLOUD_CREDENTIALS_URI``, whichever comes first.

        Unless given, region, endpoint and bucket come from ``OSS_REGION``, ``OSS_ENDPOINT`` and
        ``OSS_BUCKET``, region and endpoint also from the config file that has the credentials.
        ``settings`` are those of the constructor.
        """

        def load(native: Library, config: Handle) -> None:
            call(native.config_load_default_credentials, config)

        return cls(**settings, _load=load)

    @classmethod
    def from_profile(
        cls,
        path: Union[str, os.PathLike[str], None] = None,
        profile: Optional[str] = None,
        **settings: Unpack[Settings],
    ) -> Client:
        """Creates a client with the credentials of a profile of a config file, ossutil's or the
        ``aliyun`` command's (by default ``~/.ossutilconfig``, else ``~/.aliyun/config.json``, and
        its default profile) and, unless given, its region and endpoint. ``settings`` are those of
        the constructor."""
        file = None if path is None else text(os.fspath(path), "path")
        section = optional_text(profile, "profile")

        def load(native: Library, config: Handle) -> None:
            call(native.config_load_profile, config, file, section)

        return cls(**settings, _load=load)

    # Life cycle.

    def close(self) -> None:
        """Closes the connections. Calls in progress on other threads complete normally."""
        self._native = None

    def shutdown(self) -> None:
        """Shuts down this client and those created from it, so that a program can quit: calls in
        progress on other threads, and all later ones, raise :class:`~osslive.Stopped` at once. The
        service may or may not have executed interrupted requests."""
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
        """Returns a client with a different call timeout. Both share connections and credentials;
        close each separately."""
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
        """Replaces the access key of this client and of those created from it, even while other
        threads use them: calls in progress finish with the previous key."""
        self._rotate(Credentials(access_key_id, access_key_secret, security_token))

    # Calls to the service.

    def put_channel(self, id: str, config: ChannelConfig = ChannelConfig()) -> ChannelUrls:
        """Creates a channel, or replaces its configuration.

        Raises :class:`~osslive.ChannelStillLive` while the channel is live.
        """
        with_config = channel_config(config)
        return ChannelUrls.of(self._call(library().put_channel, text(id, "id"), with_config))

    def create_channel(self, id: str, config: ChannelConfig = ChannelConfig()) -> ChannelUrls:
        """Creates a channel that does not exist. If two callers create the same channel at the
        same time, both may succeed.

        Raises :class:`~osslive.ChannelAlreadyExists`.
        """
        with_config = channel_config(config)
        return ChannelUrls.of(self._call(library().create_channel, text(id, "id"), with_config))

    def get_channel(self, id: str) -> Channel:
        """Returns a channel's configuration, and its URLs and last-modified time if the
        credentials may list channels.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        return Channel.of(self._call(library().get_channel, text(id, "id")))

    def delete_channel(self, id: str) -> Done:
        """Deletes a channel; recordings are kept. Succeeds if the channel does not exist.

        Raises :class:`~osslive.ChannelStillLive` while the channel is live.
        """
        return Done.of(self._call(library().delete_channel, text(id, "id")))

    def list_channels(
        self,
        prefix: Optional[str] = None,
        marker: Optional[str] = None,
        max_keys: Optional[int] = None,
    ) -> ChannelList:
        """Returns one page of channels in byte order: those whose names start with ``prefix`` and
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
        """Iterates over all channels whose names start with ``prefix``, fetching pages of
        ``max_keys`` as needed.

        Raises :class:`~osslive.BadReply` if a page does not advance past the previous one.
        """
        marker, empty = "", 0
        while True:
            page = self.list_channels(prefix, marker, max_keys)
            yield from page.channels
            if not page.is_truncated or page.next_marker is None:
                return
            empty = 0 if page.channels else empty + 1
            # Code points and bytes of UTF-8 have the same order.
            if page.next_marker <= marker or empty >= MAX_EMPTY_PAGES:
                raise BadReply(
                    f"the list does not advance past {marker!r}: the next marker is "
                    f"{page.next_marker!r}",
                    kind=ErrorKind.BAD_REPLY,
                )
            marker = page.next_marker

    def put_channel_status(self, id: str, status: Union[ChannelState, str]) -> Done:
        """Enables or disables a channel. Disabling disconnects its publisher; the service takes
        about ten seconds to do so.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        function = library().put_channel_status
        return Done.of(self._call(function, text(id, "id"), state(status)))

    def get_channel_status(self, id: str) -> ChannelStatus:
        """Returns a channel's status: live, idle or disabled; video, audio, bit rates, and the
        publisher's address.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        return ChannelStatus.of(self._call(library().get_channel_status, text(id, "id")))

    def is_channel_live(self, id: str) -> bool:
        """Reports whether a channel is live.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        live = ctypes.c_int()
        self._wait(call, library().is_channel_live, text(id, "id"), ctypes.byref(live))
        return live.value != 0

    def wait_until_live(self, id: str, limit: float = 120) -> ChannelStatus:
        """Waits until a publisher is connected, for at most ``limit`` seconds, and returns the
        last status. Polls at once, then after 0.25 seconds, and each interval is 1.5 times
        the previous one, up to 5 seconds. Transient failures don't end the wait.

        Raises :class:`~osslive.WaitTimedOut` with the last status in the message,
        :class:`~osslive.NoSuchLiveChannel`, and :class:`~osslive.Stopped` after
        :meth:`shutdown`.
        """
        return ChannelStatus.of(
            self._call(library().wait_until_live, text(id, "id"), milliseconds(limit, "limit"))
        )

    def wait_until_idle(self, id: str, limit: float = 120) -> ChannelStatus:
        """Waits until no publisher is connected: the channel is idle or disabled. Otherwise
        the same as :meth:`wait_until_live`."""
        return ChannelStatus.of(
            self._call(library().wait_until_idle, text(id, "id"), milliseconds(limit, "limit"))
        )

    def wait_until_deleted(self, id: str, limit: float = 120) -> None:
        """Waits until a channel does not exist. Polls and fails like :meth:`wait_until_live`,
        except that a missing channel is a success."""
        function, limit_ms = library().wait_until_deleted, milliseconds(limit, "limit")
        self._wait(call, function, text(id, "id"), limit_ms)

    def get_channel_history(self, id: str) -> ChannelHistory:
        """Returns the last ten finished sessions of a channel, oldest first.

        After a publisher has disconnected, call :meth:`wait_until_idle` first.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        return ChannelHistory.of(self._call(library().get_channel_history, text(id, "id")))

    def create_vod(self, id: str, name: str, start: Time, end: Time) -> Done:
        """Saves a playlist of what was recorded from ``start`` to ``end`` (aware datetimes or Unix
        seconds, at most a day apart) as ``id/name`` in the bucket. Adds ``.m3u8`` if missing.

        Raises :class:`~osslive.InvalidArgument` if nothing was recorded in that range.
        """
        function, times = library().create_vod, span(start, end)
        return Done.of(self._call(function, text(id, "id"), text(name, "name"), *times))

    def get_vod(self, id: str, start: Time, end: Time) -> str:
        """Returns the playlist that :meth:`create_vod` would save. URLs of fragments are relative
        to ``id/`` in the bucket.

        Raises :class:`~osslive.InvalidArgument` if nothing was recorded in that range.
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
        """Signs a publish URL. Anyone who has it can publish until it expires: treat it as a
        secret.

        ``expires`` is how long the URL is valid: publishers must connect within this time;
        expiry does not disconnect a publisher. ``playlist_name`` sets the live playlist of this
        session instead of the channel's. ``params`` are additional signed
        parameters.
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
        """Signs a publish URL as :meth:`get_rtmp_url` does, and returns it with its parts (server
        and stream key, for encoders that have separate fields) and its expiry."""
        seconds, extra, count = expiry(expires), *url_params(playlist_name, params)
        function = library().get_publish_url
        made = call_text(function, self._handle(), text(id, "id"), seconds, extra, count)
        return PublishUrl.of(json.loads(made))

    def get_play_url(
        self, id: str, playlist: Optional[str] = None, expires: Seconds = DEFAULT_EXPIRES
    ) -> str:
        """Signs a play URL for a playlist (by default ``playlist.m3u8``) of a private bucket. The
        service signs the fragments in the playlist as well. With signature version 4, ``expires``
        is at most a week."""
        name = optional_text(playlist, "playlist")
        function = library().get_play_url
        return call_text(function, self._handle(), text(id, "id"), name, expiry(expires))

    # Batch operations.

    def monitor_channels(
        self,
        ids: Iterable[str],
        max_parallel: int = 8,
        *,
        rate: Optional[float] = None,
        time_limit: Optional[float] = None,
        progress: Optional[Progress] = None,
    ) -> Sweep:
        """Returns the status of many channels, with up to ``max_parallel`` (1 to 256) concurrent
        requests. Failures are isolated: each channel carries its own error. Duplicate ids are read
        and listed once.

        ``rate`` limits the requests per second; batches always back off when
        throttled. ``time_limit``, in seconds, is a timeout for the whole operation: the
        remaining channels fail as :class:`~osslive.Stopped`. ``progress`` is
        called with the number of finished channels, failures included, and the
        total. An exception from it, or Ctrl-C, stops the operation.
        """
        return Sweep.of(
            self._work(
                library().monitor_channels,
                *texts(ids, "ids"),
                sweep_options(max_parallel, rate, time_limit),
                progress=progress,
            )
        )

    def sweep_channels(
        self,
        ids: Iterable[str],
        on_status: Callable[[Union[ChannelReport, FailedChannel]], object],
        max_parallel: int = 8,
        *,
        rate: Optional[float] = None,
        time_limit: Optional[float] = None,
    ) -> None:
        """Reads the status of many channels and calls ``on_status`` with each one as it arrives.
        Nothing is kept, so memory use is that of the ids. Duplicate ids are read again. The
        other arguments are those of :meth:`monitor_channels`.

        An exception from ``on_status``, or Ctrl-C, stops the operation. Raises
        :class:`~osslive.Stopped` if the time limit was reached before all channels were read.
        """
        function, handle = library().sweep_channels, self._handle()
        arguments = (*texts(ids, "ids"), sweep_options(max_parallel, rate, time_limit))

        def do(on_event: OnEvent) -> None:
            callback = StatusCallback() if on_event is None else StatusCallback(on_event)
            call(function, handle, *arguments, callback, None)

        def on_json(text: bytes) -> None:
            channel: Json = json.loads(text)
            failed = "error" in channel
            on_status((FailedChannel if failed else ChannelReport).of(channel))

        Work(do, on_json, partial(self._abort, handle), is_spread=True).result()

    def put_channels(
        self,
        channels: Iterable[Tuple[str, ChannelConfig]],
        max_parallel: int = 8,
        *,
        rate: Optional[float] = None,
        time_limit: Optional[float] = None,
        progress: Optional[Progress] = None,
    ) -> Tuple[PutResult, ...]:
        """Creates or replaces many channels, each an id and its configuration, and returns one
        result per channel, in order. Failures are isolated; a duplicate of an earlier id
        fails. The other arguments are those of :meth:`monitor_channels`."""
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
        """Polls channels every ``interval`` seconds and iterates over their changes.

        The channels are ``ids``, or all channels in the bucket whose names start
        with ``prefix``. Unknown channels count as idle, so that the changes alone
        determine every state. A failing channel is reported once, and polled
        again.

        Streams are reported if video and audio together are below
        ``min_bandwidth`` bytes per second, and if their frame rate falls between
        two sweeps by more than the fraction ``frame_rate_drop`` (by default 0.1; 1
        disables it). ``max_parallel``, ``rate`` and ``time_limit`` apply to each
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
        """Iterates over a channel's status, read every ``interval`` seconds."""
        return samples(lambda: self.get_channel_status(id), interval)

    def analyze_history(self, id: str, days: int = 7) -> HistoryAnalysis:
        """Summarizes the sessions of the last ``days`` days, of which the service keeps only the
        last ten.

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
        """Saves a playlist for each highlight and returns one result per highlight, in order.
        Failures are isolated. Highlights are clipped to the known sessions. ``progress`` is called
        as in :meth:`monitor_channels`.

        Raises :class:`~osslive.NoSuchLiveChannel`.
        """
        function = library().create_highlights
        parts = highlight_parts(highlights)
        cut = self._work(function, text(id, "id"), *parts, progress=progress)
        return tuple(map(HighlightResult.of, highlights, cut["results"]))

    def download_recording(
        self,
        id: str,
        path: Union[str, os.PathLike[str]],
        session: Optional[Time] = None,
        start: Optional[Time] = None,
        end: Optional[Time] = None,
        last: Optional[timedelta] = None,
        max_parallel: int = 4,
        follow: bool = False,
        overwrite: bool = False,
        progress: Optional[Progress] = None,
    ) -> Download:
        """Downloads a part of a channel's recording into one MPEG transport stream.

        The part is the session that includes ``session``, the time from ``start`` to ``end``, or
        a period of ``last`` up to now; by default the latest session. It may be of any length. With
        ``follow``, the download continues until the channel is no longer live, or ``end`` is
        reached. An existing file is an error unless ``overwrite`` is set.

        After an error or a crash, the same call resumes the download from ``path.part`` and
        ``path.progress``. ``progress`` is called with the number of bytes in the file and of bytes
        known to be recorded; an exception from it stops the download.

        Raises :class:`~osslive.NothingRecorded`, :class:`~osslive.NoSuchLiveChannel`,
        :class:`~osslive.FileFailed`.
        """
        part = download_parts(path, session, start, end, last, max_parallel, follow, overwrite)
        function = library().download_recording
        return Download.of(self._work(function, text(id, "id"), part, progress=progress))

    def diagnose(
        self,
        id: Optional[str] = None,
        publish_url: Optional[str] = None,
        play_url: Optional[str] = None,
        origin: Optional[str] = None,
        progress: Optional[Progress] = None,
    ) -> Diagnosis:
        """Examines the path from this machine to the bucket's live channels, and says in plain
        words why there is no video. Takes at most ten seconds and changes nothing.

        ``id`` is the channel to examine, ``publish_url`` the URL that an encoder uses, ``play_url``
        the URL that players use (by default the channel's), ``origin`` the origin of web pages that
        should be able to play it. ``progress`` is called after each check, as in
        :meth:`monitor_channels`.
        """
        result = self._work(
            library().diagnose,
            optional_text(id, "id"),
            optional_text(publish_url, "publish_url"),
            optional_text(play_url, "play_url"),
            optional_text(origin, "origin"),
            progress=progress,
        )
        return Diagnosis.of(result)

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

        def do(on_progress: OnEvent) -> str:
            callback = ProgressCallback() if on_progress is None else ProgressCallback(on_progress)
            return call_text(function, handle, *arguments, callback, None)

        work = Work(do, progress, partial(self._abort, handle), is_spread=True)
        parsed: Json = json.loads(work.result())
        return parsed

    def _abort(self, handle: Handle) -> None:
        """Ends a call at once, together with the object it uses. Calls of other threads are not
        affected, unless the interpreter is shutting down."""
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
        # If they are rejected, all clients keep their credentials.
        _set_credentials(self._open().handle(), credentials)
        self._shared.current = credentials
        for handle in self._shared.origin.of_this_process():
            _set_credentials(handle, credentials)


class _Shared:
    """The state that a client shares with those created from it: the library's original client,
    the access key, and whether they are shut down."""

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
        # The configuration has the first key, which may have been replaced since.
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
