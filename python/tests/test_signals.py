"""Signals end calls, whatever their handlers are, and none is lost in a callback."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler
from typing import Callable, Iterator

import pytest
from conftest import IDLE, Answer, client_of, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals to a child on Windows")

# A program that was started in the background ignores SIGINT, and what it
# starts does too, unless told otherwise.
PREAMBLE = """
import logging, os, osslive, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
logger = logging.getLogger("osslive")
client = osslive.Client(endpoint=sys.argv[1], region="cn-hangzhou", bucket="bucket",
                        access_key_id="id", access_key_secret="secret", timeout=600, attempts=1)
"""


@pytest.fixture
def held(serve: Callable[[Answer], str]) -> Iterator[tuple[str, threading.Event]]:
    """A server that answers at once for channels whose names begin with "idle", and else not at
    all; and what tells that it was asked so."""
    arrived, over = threading.Event(), threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        if not request.path.startswith(("/idle", "/bucket/idle")):
            arrived.set()
            over.wait(120)
        return 200, IDLE

    yield serve(answer), arrived
    over.set()


def interrupt(program: str, held: tuple[str, threading.Event], *signals: signal.Signals) -> str:
    """Sends signals to a program once its call waits; it must end well and say nothing on
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
            said, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (errors, process.returncode) == ("", 0)
    return said


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
            raise {error}("told to")
        signal.signal(signal.SIGTERM, handler)
        try:
            client.get_channel_status("a")
        except {error} as raised:
            print(type(raised).__name__, raised)
        """
    assert interrupt(program, held, signal.SIGTERM) == f"{error} told to\n"


def test_a_handler_that_returns_lets_a_call_go_on(serve: Callable[[Answer], str]) -> None:
    arrived, heard = threading.Event(), threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        if "heard" in request.path:
            heard.set()
        else:
            arrived.set()
            heard.wait(120)
        return 200, IDLE

    # The answer comes once the handler has made a call of its own.
    program = """
        def handler(number, frame):
            client.get_channel_status("heard")
        signal.signal(signal.SIGUSR1, handler)
        print(client.get_channel_status("a").res.attempts)
        """
    assert interrupt(program, (serve(answer), arrived), signal.SIGUSR1) == "1\n"


def test_calls_of_other_threads_go_on(held: tuple[str, threading.Event]) -> None:
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
    said = interrupt(program, held, signal.SIGINT)
    assert said.splitlines() == ["interrupted True", "True", "stopped", "shut down"]


@pytest.mark.parametrize("level", ["DEBUG", "CRITICAL"])
def test_no_signal_is_lost_among_quick_calls(level: str, serve: Callable[[Answer], str]) -> None:
    said = run(
        PREAMBLE
        + textwrap.dedent(
            f"""
            logger.setLevel({level!r})
            logger.addHandler(logging.FileHandler(os.devnull))
            sent = heard = 0
            class Heard(Exception):
                pass
            def handler(number, frame):
                raise Heard
            signal.signal(signal.SIGUSR1, handler)
            # So that it comes to where it is caught.
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
                except Heard:
                    heard += 1
                    confirmed.release()
            sender.join()
            print(sent, heard)
            """
        ),
        serve(lambda request: (200, IDLE)),
    )
    assert said == "100 100\n"


FAILING_LOG = """
class Failing(logging.Handler):
    # Once: calls of a monitor that was stopped end by themselves, with nobody to raise it.
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
def test_what_a_handler_of_the_log_raises_comes_out_of_its_call(
    call: str, thread: str, serve: Callable[[Answer], str]
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
    said = run(
        PREAMBLE + FAILING_LOG + textwrap.dedent(program), serve(lambda request: (200, IDLE))
    )
    assert said == "the log is full\n"


def test_what_a_progress_raises_on_another_thread_comes_out_there(
    serve: Callable[[Answer], str],
) -> None:
    caught: list[BaseException] = []
    told: list[int] = []

    def progress(done: int, total: int) -> None:
        told.append(done)
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
        assert told == [1]
        assert not client.is_channel_live("a")


def test_a_child_that_a_handler_forks_does_not_wait_for_the_call(
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
