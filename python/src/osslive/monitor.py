"""What people do with channels: sweep many, hear what changed, summarise, cut highlights.

These functions are behind the methods of :class:`osslive.Client`. They are
built on its calls alone.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import (
    TYPE_CHECKING,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from .errors import InvalidArgument, OssLiveError
from .models import (
    Change,
    ChangeKind,
    ChannelReport,
    ChannelStatus,
    FailedChannel,
    Highlight,
    HighlightResult,
    HistoryAnalysis,
    Sample,
    StreamState,
    Sweep,
)

if TYPE_CHECKING:
    from .client import Client

Found = Tuple[str, Union[ChannelStatus, OssLiveError]]


def sweep(client: Client, ids: Iterable[str], max_parallel: int = 8) -> Sweep:
    """One look at many channels; one that is given twice is asked once."""
    return _sorted_out(_look(client, ids, max_parallel))


def _look(client: Client, ids: Iterable[str], max_parallel: int) -> List[Found]:
    def ask(id: str) -> Found:
        try:
            return id, client.get_channel_status(id)
        except OssLiveError as error:
            return id, error

    if max_parallel < 1:
        raise InvalidArgument(f"max_parallel is {max_parallel}; at least 1 is needed")
    distinct = list(dict.fromkeys(ids))
    if not distinct:
        return []
    with ThreadPoolExecutor(min(max_parallel, len(distinct)), "osslive-monitor") as threads:
        return list(threads.map(ask, distinct))


def _sorted_out(found: Iterable[Found]) -> Sweep:
    lists: Dict[StreamState, List[ChannelReport]] = {state: [] for state in StreamState}
    failed: List[FailedChannel] = []
    for id, outcome in found:
        if isinstance(outcome, OssLiveError):
            failed.append(FailedChannel(id, outcome))
        else:
            lists[outcome.status].append(ChannelReport(id, outcome))
    return Sweep(
        live=tuple(lists[StreamState.LIVE]),
        idle=tuple(lists[StreamState.IDLE]),
        disabled=tuple(lists[StreamState.DISABLED]),
        failed=tuple(failed),
    )


def changes(
    client: Client,
    ids: Optional[Iterable[str]] = None,
    prefix: Optional[str] = None,
    interval: float = 30.0,
    max_parallel: int = 8,
) -> Iterator[Change]:
    """What changes from sweep to sweep."""
    if ids is not None and prefix is not None:
        raise TypeError("give either ids or a prefix")
    given = None if ids is None else list(ids)
    known: Dict[str, Watch] = {}
    for _ in _ticks(interval):
        watched = given if given is not None else _listed(client, prefix, known)
        found = _look(client, watched, max_parallel)
        now = datetime.now(timezone.utc)
        for id, outcome in found:
            watch = known.setdefault(id, Watch(id))
            yield from watch.changes(outcome, now)


def _listed(client: Client, prefix: Optional[str], known: Dict[str, Watch]) -> List[str]:
    """The channels that the bucket has, and those that it no longer has, once."""
    try:
        names = [channel.name for channel in client.channels(prefix)]
    except OssLiveError:
        # At first it is told to the caller; later each channel tells for itself.
        if not known:
            raise
        return list(known)
    present = set(names)
    gone = [id for id, watch in known.items() if id not in present and not watch.is_failing]
    return names + gone


class Watch:
    """What is known of a channel; it tells what changed. It asks nobody and reads no clock.

    A channel that was not seen yet counts as idle.
    """

    def __init__(self, id: str) -> None:
        self._id = id
        self._state = StreamState.IDLE
        self._remote_addr: Optional[str] = None
        #: Whether its status could not be told the last time.
        self.is_failing = False

    def changes(
        self, outcome: Union[ChannelStatus, OssLiveError], now: datetime
    ) -> Iterator[Change]:
        """What changed since the outcome before."""
        if isinstance(outcome, OssLiveError):
            if not self.is_failing:
                self.is_failing = True
                yield Change(self._id, now, ChangeKind.FAILING, error=outcome)
            return
        if self.is_failing:
            self.is_failing = False
            yield Change(self._id, now, ChangeKind.RECOVERED, outcome)
        for kind in self._kinds(outcome):
            yield Change(self._id, now, kind, outcome)
        self._state, self._remote_addr = outcome.status, outcome.remote_addr

    def _kinds(self, status: ChannelStatus) -> Iterator[ChangeKind]:
        before, after = self._state, status.status
        if before is StreamState.DISABLED and after is not StreamState.DISABLED:
            yield ChangeKind.ENABLED
        if before is not after:
            if after is StreamState.LIVE:
                yield ChangeKind.WENT_LIVE
            elif after is StreamState.DISABLED:
                yield ChangeKind.DISABLED
            elif before is StreamState.LIVE:
                yield ChangeKind.WENT_IDLE
        elif after is StreamState.LIVE and status.remote_addr != self._remote_addr:
            yield ChangeKind.NEW_PUBLISHER


def samples(client: Client, id: str, interval: float = 1.0) -> Iterator[Sample]:
    """What a channel is doing, again and again."""
    for _ in _ticks(interval):
        status = client.get_channel_status(id)
        yield Sample(datetime.now(timezone.utc), status)


def _ticks(interval: float) -> Iterator[None]:
    """Now, and every ``interval`` seconds after; what took longer is followed at once."""
    if not interval > 0:
        raise InvalidArgument(f"interval is {interval}; more than 0 seconds are needed")
    while True:
        begun = time.monotonic()
        yield
        time.sleep(max(0.0, interval - (time.monotonic() - begun)))


def analyze_history(client: Client, id: str, days: int = 7) -> HistoryAnalysis:
    """What a channel's history tells about the last ``days`` days."""
    if days < 1:
        raise InvalidArgument(f"days is {days}; at least 1 is needed")
    records = client.get_channel_history(id).records
    return HistoryAnalysis.over(records, datetime.now(timezone.utc), days)


def create_highlights(
    client: Client,
    id: str,
    highlights: Sequence[Highlight],
    progress: Optional[Callable[[int, int], None]] = None,
) -> Tuple[HighlightResult, ...]:
    """A playlist for each highlight, one after the other."""
    results: List[HighlightResult] = []
    for highlight in highlights:
        results.append(
            HighlightResult(highlight, _playlist(highlight), _cut(client, id, highlight))
        )
        if progress is not None:
            progress(len(results), len(highlights))
    return tuple(results)


def _cut(client: Client, id: str, highlight: Highlight) -> Optional[OssLiveError]:
    try:
        client.create_vod(id, highlight.name, highlight.start, highlight.end)
    except OssLiveError as error:
        return error
    return None


def _playlist(highlight: Highlight) -> str:
    return highlight.name if highlight.name.endswith(".m3u8") else f"{highlight.name}.m3u8"
