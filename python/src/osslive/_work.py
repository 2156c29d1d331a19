"""Blocking calls, which signals interrupt and which raise the exceptions of callbacks.

Python runs signal handlers on the main thread, between steps of Python code. A main
thread that waits inside the library would run none, and an exception that a handler
raises inside a callback is lost. So another thread makes the calls of the main thread,
which waits for them in Python and also runs the callbacks there. Other threads receive
no signals, and make their calls themselves.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any, Callable, Deque, Dict, Generic, List, Optional, Tuple, TypeVar, cast

from ._kinds import ErrorKind, Stopped

T = TypeVar("T")

#: A signal that arrives just before a wait, or on another thread, does not end the wait.
#: Python checks for it at this interval, in seconds.
SIGNAL_INTERVAL = 0.2
#: The maximum time, in seconds, to wait for a call that was aborted.
LINGER = 2.0

#: A progress callback: the number of finished items and the total.
Progress = Callable[[int, int], object]

#: A callback for the library, which returns 0 to continue. Its last argument is the
#: pointer passed with it. None for no callback.
OnEvent = Optional[Callable[..., int]]

#: A part of a callback, to be run by the waiting thread.
Step = Callable[[], object]


class _ThisThread(threading.local):
    """The call that this thread makes, and whether it is writing to the log."""

    work: Optional[Work[Any]] = None
    is_logging = False


_this_thread = _ThisThread()


def on_main_thread() -> bool:
    """Returns whether this is the thread on which signal handlers run."""
    return threading.get_ident() == threading.main_thread().ident


class Work(Generic[T]):
    """One blocking call of the library.

    ``callback`` and log handlers run on the thread that waits for the result. An exception
    from them or from a signal handler ends the call, and :meth:`result` raises it.
    ``abort`` ends the call at once. ``is_spread`` means that the library uses several
    threads for it.
    """

    def __init__(
        self,
        do: Callable[[OnEvent], T],
        callback: Optional[Callable[..., object]] = None,
        abort: Optional[Step] = None,
        is_spread: bool = False,
    ) -> None:
        self._do = do
        self._callback = callback
        self._abort = abort
        self._is_over = threading.Event() if is_spread else None
        self._is_stopped = False
        self._failure: Optional[BaseException] = None
        # Calls made by a log handler are not logged, which would never end.
        self._is_silent = _this_thread.is_logging
        # If another thread makes the call: the step that the waiting thread is to run,
        # and the lock released when it has.
        self._worker: Optional[_Worker] = None
        self._steps: Deque[Tuple[Step, Optional[threading.Lock]]] = deque()
        self._is_done = False
        self._outcome: Optional[T] = None

    def result(self) -> T:
        """Makes the call, and returns its result."""
        worker = _worker() if on_main_thread() else None
        return self._make() if worker is None else self._wait(worker)

    # On the thread that makes the call.

    def _make(self) -> T:
        outer, _this_thread.work = _this_thread.work, self
        if self._is_over is not None:
            _spread[self] = self._is_over
        # Checked after registering above, where interpreter shutdown finds this call.
        has_callback = self._callback is not None and not _is_ending.is_set()
        try:
            return self._do(self._on_event if has_callback else None)
        finally:
            _this_thread.work = outer
            if self._is_over is not None:
                _spread.pop(self, None)
                self._is_over.set()
            if self._failure is not None:
                raise self._failure

    def _on_event(self, *arguments: Any) -> int:
        event, _user_data = arguments[:-1], arguments[-1]
        self._run(partial(cast(Callable[..., object], self._callback), *event))
        return int(self._is_stopped)

    def log(self, line: Step) -> None:
        """Logs a message, from inside the library's callback."""
        if not self._is_silent:
            self._run(line)

    def _run(self, step: Step) -> None:
        """Runs a part of a callback on the waiting thread."""
        if self._worker is None:
            try:
                if not self._is_stopped:
                    step()
            except BaseException as error:
                self.fail(error)
            return
        answer = _taken_lock()
        self._steps.append((step, answer))
        self._worker.wake()
        # Whoever stops the call releases the steps that are waiting then.
        while not (self._is_stopped or self._is_done or _is_ending.is_set()):
            if answer.acquire(timeout=SIGNAL_INTERVAL):
                return

    def _make_for_waiter(self) -> None:
        try:
            self._outcome = self._make()
        except BaseException as error:
            self._failure = error
        finally:
            self._is_done = True

    # On any thread.

    def fail(self, error: BaseException) -> None:
        """Ends the call with an exception raised by a callback."""
        if self._worker is None:
            self._failure, self._is_stopped = error, True
        else:
            self._steps.append((partial(_raise, error), None))
            self._worker.wake()

    def quit(self) -> None:
        """Ends the call without further callbacks, at interpreter shutdown."""
        self._is_stopped = True
        if self._abort is not None:
            self._abort()

    # On the main thread, while another one makes the call.

    def _wait(self, worker: _Worker) -> T:
        self._worker = worker
        process = os.getpid()
        try:
            worker.begin(self._make_for_waiter)
            while not self._is_done or self._steps:
                if self._steps:
                    # It stays there until it has been run, even if a signal arrives.
                    step, answer = self._steps[0]
                    step()
                    _release(answer)
                    self._steps.popleft()
                else:
                    worker.wait(SIGNAL_INTERVAL)
                if process != os.getpid():
                    # A callback or a handler has forked, and this is the child process.
                    message = (
                        "the call continues in the process that made it, not in the forked child"
                    )
                    raise Stopped(message, kind=ErrorKind.STOPPED)
        except BaseException:
            if process == os.getpid():
                self._end(worker)
            raise
        _idle.append(worker)
        failure, self._failure = self._failure, None
        if failure is not None:
            try:
                raise failure
            finally:
                # It references this frame, which would keep it alive.
                del failure
        return cast(T, self._outcome)

    def _end(self, worker: _Worker) -> None:
        """Ends the call, and waits for a limited time until it has ended completely."""
        self._is_stopped = True
        worker.dismiss()
        if self._abort is not None:
            self._abort()
        end = time.monotonic() + LINGER
        while True:
            while self._steps:
                _release(self._steps[0][1])
                self._steps.popleft()
            left = end - time.monotonic()
            if self._is_done or left <= 0:
                return
            worker.wait(left)


def _taken_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


def _release(lock: Optional[threading.Lock]) -> None:
    if lock is not None and lock.locked():
        lock.release()


def _raise(error: BaseException) -> None:
    raise error


def log(line: Step) -> None:
    """Logs a message for the call of this thread. One of the library's own threads does not know
    for which call it works: then the oldest candidate is used."""
    work = _this_thread.work or next(iter(tuple(_spread)), None)
    if work is None:
        _write(line)
    else:
        work.log(partial(_write, line))


def _write(line: Step) -> None:
    outer, _this_thread.is_logging = _this_thread.is_logging, True
    try:
        line()
    finally:
        _this_thread.is_logging = outer


class _Worker:
    """A thread that makes calls for the main thread, one at a time. Both wake each other with
    locks, which are the fastest way in Python."""

    def __init__(self) -> None:
        self._job: Optional[Step] = None
        self._is_dismissed = False
        self._has_job = _taken_lock()
        self._has_news = _taken_lock()
        threading.Thread(target=self._work, name="osslive", daemon=True).start()

    # On the main thread.

    def begin(self, job: Step) -> None:
        self._job = job
        self._has_job.release()

    def dismiss(self) -> None:
        """Ends the thread after its job, if it has one."""
        self._is_dismissed = True
        # The thread may not have taken its job yet.
        with suppress(RuntimeError):
            self._has_job.release()

    def wait(self, seconds: float) -> None:
        """Waits until it is woken, which a signal also does if its handler raises."""
        self._has_news.acquire(timeout=seconds)

    # On other threads.

    def wake(self) -> None:
        # The previous wake-up may not have been handled yet.
        with suppress(RuntimeError):
            self._has_news.release()

    def _work(self) -> None:
        while not self._is_dismissed or self._job is not None:
            self._has_job.acquire()
            job, self._job = self._job, None
            if job is not None:
                job()
            # References of the job must not live until the next job.
            del job
            self.wake()


#: Workers without a job.
_idle: List[_Worker] = []
#: Calls for which the library uses several threads, oldest first.
_spread: Dict[Work[Any], threading.Event] = {}
_is_ending = threading.Event()


def _worker() -> Optional[_Worker]:
    """Returns a worker; None if no thread can be started, as at interpreter shutdown."""
    if _is_ending.is_set():
        return None
    try:
        return _idle.pop() if _idle else _Worker()
    except RuntimeError:
        return None


def quit_all() -> None:
    """Ends all calls that may call back: no callback may enter an interpreter that is shutting
    down."""
    _is_ending.set()
    for work, is_over in tuple(_spread.items()):
        work.quit()
        is_over.wait()


# The parent's threads do not exist in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)
    os.register_at_fork(after_in_child=_spread.clear)
