"""Signals end calls, whatever their handlers do, and none is lost in a callback."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler
from typing import Callable, Iterator

import pytest
from conftest import IDLE, Responder, client_of, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals to a child on Windows")

# A program started in the background ignores SIGINT, and so do its child processes,
# unless they restore the default.
PREAMBLE = """
import logging, os, osslive, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
logger = logging.getLogger("osslive")
client = osslive.Client(endpoint=sys.argv[1], region="cn-hangzhou", bucket="bucket",
                        access_key_id="id", access_key_secret="secret", timeout=600, attempts=1)
"""


@pytest.fixture
def held(serve: Callable[[Responder], str]) -> Iterator[tuple[str, threading.Event]]:
    """A server that responds only for channels whose names start with "idle", and an event set by
    any other request."""
    arrived, over = threading.Event(), threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        if not request.path.startswith(("/idle", "/bucket/idle")):
            arrived.set()
            over.wait(120)
        return 200, IDLE

    yield serve(respond), arrived
    over.set()


def interrupt(program: str, held: tuple[str, threading.Event], *signals: signal.Signals) -> str:
    """Sends signals to a program once its call waits; it must succeed and print nothing on
    stderr."""
    url, arrived = held
    with subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(program), url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert arrived.wait(60)
            for number in signals:
                process.send_signal(number)
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (errors, process.returncode) == ("", 0)
    return output


@pytest.mark.parametrize("level", ["DEBUG", "CRITICAL"])
@pytest.mark.parametrize(
    "call",
    [
        "client.get_channel_status('a')",
        "client.put_channel('a')",
        "client.is_channel_live('a')",
        "client.wait_until_live('a')",
        "client.wait_until_deleted('a')",
        "client.get_vod('a', 1, 2)",
        "client.list_channels()",
        "list(client.channels())",
        "next(client.samples('a'))",
        "client.monitor(prefix='a')",
        "client.with_timeout(500).get_channel('a')",
    ],
)
def test_ctrl_c_ends_a_single_call(
    call: str, level: str, held: tuple[str, threading.Event]
) -> None:
    program = f"""
        logger.setLevel({level!r})
        logger.addHandler(logging.FileHandler(os.devnull))
        client.get_channel_status("idle")
        try:
            {call}
        except KeyboardInterrupt:
            print("interrupted")
        print(client.get_channel_status("idle").status)
        print(client.with_timeout(5).get_channel_status("idle").status)
        """
    assert interrupt(program, held, signal.SIGINT).split() == ["interrupted", "Idle", "Idle"]


@pytest.mark.parametrize("error", ["SystemExit", "RuntimeError", "TimeoutError", "OSError", "Own"])
def test_a_handler_that_raises_ends_a_call(error: str, held: tuple[str, threading.Event]) -> None:
    program = f"""
        class Own(BaseException):
            pass
        def handler(number, frame):
            raise {error}("progressed to")
        signal.signal(signal.SIGTERM, handler)
        try:
            client.get_channel_status("a")
        except {error} as raised:
            print(type(raised).__name__, raised)
        """
    assert interrupt(program, held, signal.SIGTERM) == f"{error} progressed to\n"


def test_a_call_continues_after_a_handler_that_returns(serve: Callable[[Responder], str]) -> None:
    arrived, second = threading.Event(), threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        if "second" in request.path:
            second.set()
        else:
            arrived.set()
            second.wait(120)
        return 200, IDLE

    # The response is sent once the handler has made its own call.
    program = """
        def handler(number, frame):
            client.get_channel_status("second")
        signal.signal(signal.SIGUSR1, handler)
        print(client.get_channel_status("a").res.attempts)
        """
    assert interrupt(program, (serve(respond), arrived), signal.SIGUSR1) == "1\n"


def test_calls_of_other_threads_continue(held: tuple[str, threading.Event]) -> None:
    program = """
        def wait():
            try:
                client.get_channel_status("b")
            except osslive.Stopped:
                print("stopped")
        other = threading.Thread(target=wait)
        other.start()
        try:
            client.get_channel_status("a")
        except KeyboardInterrupt:
            print("interrupted", other.is_alive())
        other.join(1)
        print(other.is_alive())
        client.shutdown()
        other.join()
        try:
            client.get_channel_status("idle")
        except osslive.Stopped:
            print("shut down")
        """
    output = interrupt(program, held, signal.SIGINT)
    assert output.splitlines() == ["interrupted True", "True", "stopped", "shut down"]


@pytest.mark.parametrize("level", ["DEBUG", "CRITICAL"])
def test_no_signal_is_lost_during_short_calls(
    level: str, serve: Callable[[Responder], str]
) -> None:
    output = run(
        PREAMBLE
        + textwrap.dedent(
            f"""
            logger.setLevel({level!r})
            logger.addHandler(logging.FileHandler(os.devnull))
            sent = caught = 0
            class Interrupted(Exception):
                pass
            def handler(number, frame):
                raise Interrupted
            signal.signal(signal.SIGUSR1, handler)
            # Sends a signal only while it is caught.
            armed, confirmed = threading.Event(), threading.Semaphore(0)
            is_over = False
            def send():
                global sent, is_over
                for _ in range(100):
                    armed.wait()
                    armed.clear()
                    sent += 1
                    os.kill(os.getpid(), signal.SIGUSR1)
                    if not confirmed.acquire(timeout=20):
                        break
                is_over = True
            sender = threading.Thread(target=send)
            sender.start()
            while not is_over:
                try:
                    armed.set()
                    while not is_over:
                        client.get_channel_status("a")
                        client.monitor_channels(["a", "b"], progress=lambda done, total: None)
                except Interrupted:
                    caught += 1
                    confirmed.release()
            sender.join()
            print(sent, caught)
            """
        ),
        serve(lambda request: (200, IDLE)),
    )
    assert output == "100 100\n"


FAILING_LOG = """
class Failing(logging.Handler):
    # Only once: calls of a stopped monitor end on their own, and nothing raises the error.
    has_failed = False
    def emit(self, record):
        if not self.has_failed:
            self.has_failed = True
            raise LookupError("the log is full")
logger.setLevel("DEBUG")
logger.addHandler(Failing())
"""


@pytest.mark.parametrize("thread", ["main", "other"])
@pytest.mark.parametrize(
    "call",
    [
        "client.get_channel_status('a')",
        "client.monitor_channels(['a', 'b', 'c'])",
        "client.monitor(['a', 'b', 'c']).next_changes()",
        "client.get_channel_history('a')",
    ],
)
def test_an_exception_from_a_log_handler_is_raised_by_the_call(
    call: str, thread: str, serve: Callable[[Responder], str]
) -> None:
    program = f"""
        def work():
            try:
                {call}
            except LookupError as error:
                print(error)
            logger.setLevel("CRITICAL")
            client.get_channel_status("a")
        if {thread!r} == "main":
            work()
        else:
            other = threading.Thread(target=work)
            other.start()
            other.join()
        """
    output = run(
        PREAMBLE + FAILING_LOG + textwrap.dedent(program), serve(lambda request: (200, IDLE))
    )
    assert output == "the log is full\n"


def test_an_exception_from_progress_on_another_thread_is_raised_there(
    serve: Callable[[Responder], str],
) -> None:
    caught: list[BaseException] = []
    progressed: list[int] = []

    def progress(done: int, total: int) -> None:
        progressed.append(done)
        raise SystemExit("enough")

    with client_of(serve(lambda request: (200, IDLE))) as client:

        def work() -> None:
            try:
                client.monitor_channels(list(map(str, range(50))), 1, progress=progress)
            except SystemExit as error:
                caught.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
        assert [str(error) for error in caught] == ["enough"]
        assert progressed == [1]
        assert not client.is_channel_live("a")


def test_a_child_forked_by_a_handler_does_not_wait_for_the_call(
    held: tuple[str, threading.Event],
) -> None:
    program = """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads
        child = None
        def handler(number, frame):
            global child
            child = os.fork()
            if child:
                status = os.waitpid(child, 0)[1]
                print(os.waitstatus_to_exitcode(status), flush=True)
                raise KeyboardInterrupt
        signal.signal(signal.SIGUSR1, handler)
        try:
            client.get_channel_status("a")
        except osslive.Stopped:
            # In the child, where other calls work.
            os._exit(7 if client.get_channel_status("idle").status == "Idle" else 1)
        except KeyboardInterrupt:
            print("interrupted")
        """
    assert interrupt(program, held, signal.SIGUSR1).split() == ["7", "interrupted"]
