"""Channels over time: changes, and samples of the status."""

from __future__ import annotations

import ctypes
import json
import time
from collections import deque
from datetime import datetime, timezone
from types import TracebackType
from typing import Callable, Deque, Iterable, Iterator, Optional, Tuple, Type

from ._arguments import texts
from ._declarations import ChannelMonitorPointer
from ._library import library
from ._native import Handle, Instances, call, call_text
from ._work import Work
from .errors import InvalidArgument, Stopped
from .models import Change, ChannelStatus, Sample, Sweep, changes_of


class Monitor(Iterator[Change]):
    """Polls channels and reports changes; created by ``client.monitor()``.

    It is an iterator over changes. :meth:`stop` from any thread, Ctrl-C, and the
    end of a ``with`` block end it. One thread at a time may iterate over it.
    """

    def __init__(self, client: Callable[[], Handle], ids: Iterable[str], options: Handle) -> None:
        array, count = texts(ids, "ids")
        if count == 0:
            raise InvalidArgument("ids: must contain at least one channel")

        def make(_base: object) -> Handle:
            pointer = ChannelMonitorPointer()
            native, out = library(), ctypes.byref(pointer)
            call(native.channel_monitor_new, client(), array, count, options, out)
            return Handle(pointer, native.channel_monitor_free)

        self._client = client
        self._count = count
        self._instances = Instances(make)
        self._native()
        self._changes: Deque[Change] = deque()

    def __iter__(self) -> Monitor:
        return self

    def __next__(self) -> Change:
        while not self._changes:
            try:
                self._changes.extend(self.next_changes())
            except Stopped:
                raise StopIteration from None
        return self._changes.popleft()

    def next_changes(self) -> Tuple[Change, ...]:
        """Waits until the next sweep is due, sweeps, and returns the changes, if any. The first
        sweep is due at once and reports every channel that is not idle.

        Raises :class:`~osslive.Stopped` once the monitor is stopped.
        """
        # Updates the credentials, and raises an error if the client was closed.
        self._client()
        monitor = self._native()
        function = library().channel_monitor_next_changes
        work = Work(lambda _: call_text(function, monitor), abort=self.stop, is_spread=True)
        return changes_of(json.loads(work.result()))

    def last_sweep(self) -> Sweep:
        """Returns the latest sweep. Sends nothing; before the first sweep, its lists are empty."""
        text = call_text(library().channel_monitor_last_sweep, self._native())
        return Sweep.of(json.loads(text))

    def stop(self) -> None:
        """Ends the iteration at once, whatever it is waiting for."""
        call(library().channel_monitor_stop, self._native())

    def _native(self) -> Handle:
        # Not the main thread's instance, which ends with its calls.
        return self._instances.handle(of_main_thread=False)

    def __repr__(self) -> str:
        return f"<osslive.Monitor of {self._count} channels>"

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.stop()


def samples(read: Callable[[], ChannelStatus], interval: float) -> Iterator[Sample]:
    """Iterates over a channel's status at an interval."""
    if not interval > 0:
        raise InvalidArgument(f"interval {interval}: must be greater than zero")
    while True:
        started = time.monotonic()
        status = read()
        yield Sample(datetime.now(timezone.utc), status)
        time.sleep(max(0.0, interval - (time.monotonic() - started)))
