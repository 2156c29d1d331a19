"""Work that takes long, on a thread of its own: the thread that asked for it waits in Python,
where Ctrl-C is heard and a callback may raise.
"""

from __future__ import annotations

import atexit
import os
import threading
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Callable, Optional, Set, Tuple

#: A signal that comes just before a wait, or to another thread, does not end the
#: wait. So many seconds later at most, Python looks for it.
HEARING = 0.2

#: How many are done, and of how many.
Progress = Callable[[int, int], object]

#: A progress callback as the library wants it: 0 to go on. None where there is
#: to be no callback.
Hear = Optional[Callable[[int, int, Any], int]]


class Work:
    """One call of the library, which gives a text.

    ``progress`` is called on the thread that asks for the result. What it
    raises, or a Ctrl-C, stops the work and comes out of :meth:`result`.
    ``abort`` ends the call under way at once, for a program that quits.
    """

    def __init__(
        self,
        call: Callable[[Hear], str],
        progress: Optional[Progress] = None,
        abort: Optional[Callable[[], None]] = None,
    ) -> None:
        self._call = call
        self._progress = progress
        self._abort = abort
        self._is_stopped = False
        self._is_over = threading.Event()
        self._steps: SimpleQueue[Optional[Tuple[int, int]]] = SimpleQueue()
        self._answers: SimpleQueue[None] = SimpleQueue()
        self._outcome: Future[str] = Future()

    def result(self) -> str:
        """Does the work."""
        _under_way.add(self)
        if _is_ending.is_set():
            self._finish()
            return self._call(None)
        thread = threading.Thread(target=self._run, name="osslive-work", daemon=True)
        try:
            thread.start()
            self._follow()
        except BaseException as error:
            self._stop()
            if thread.ident is None:
                self._finish()
            # Whoever handles an error finds the work ended. Who interrupts
            # does not want to wait for it.
            elif isinstance(error, Exception):
                thread.join()
            raise
        return self._outcome.result()

    def _follow(self) -> None:
        while True:
            try:
                step = self._steps.get(timeout=HEARING)
            except Empty:
                continue
            if step is None:
                return
            if self._progress is not None:
                self._progress(*step)
            self._answers.put(None)

    def _stop(self) -> None:
        self._is_stopped = True
        self._answers.put(None)

    def _finish(self) -> None:
        _under_way.discard(self)
        self._is_over.set()

    # On the thread of the work.

    def _run(self) -> None:
        try:
            self._outcome.set_result(self._call(self._hear))
        except BaseException as error:
            self._outcome.set_exception(error)
        finally:
            self._finish()
            self._steps.put(None)

    def _hear(self, done: int, total: int, _user_data: Any) -> int:
        if self._progress is not None and not self._is_stopped:
            self._steps.put((done, total))
            self._answers.get()
        return int(self._is_stopped)

    # At the end of the interpreter.

    def quit(self) -> None:
        """Ends work that the library may call back from."""
        if self._abort is not None:
            self._stop()
            self._abort()
            self._is_over.wait()


_under_way: Set[Work] = set()
_is_ending = threading.Event()


def _quit_all() -> None:
    """No callback may enter an interpreter that is going away."""
    _is_ending.set()
    for work in list(_under_way):
        work.quit()


atexit.register(_quit_all)
# The threads that the parent waits for are not in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_under_way.clear)
