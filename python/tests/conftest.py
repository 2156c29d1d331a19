"""Shared fixtures and helpers. The fixtures of the endpoint are part of the package."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Generator, Iterator, Tuple

import pytest

import osslive
from osslive.testing import LocalEndpoint, publish

_numbers = itertools.count()

#: Returns the response of a test server: a status and a body.
Responder = Callable[[BaseHTTPRequestHandler], Tuple[int, bytes]]

IDLE = b"<LiveChannelStat><Status>Idle</Status></LiveChannelStat>"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI set, nothing may be skipped."""
    report = yield
    if report.skipped and "CI" in os.environ:
        report.outcome = "failed"
    return report


@pytest.fixture
def channel(osslive_client: osslive.Client) -> str:
    """The name of an existing channel."""
    name = f"channel-{next(_numbers)}"
    osslive_client.put_channel(name, osslive.ChannelConfig(frag_duration=1))
    return name


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Ignores clients that disconnect."""


@pytest.fixture
def serve() -> Iterator[Callable[[Responder], str]]:
    """Starts a server that responds to every request with this function, and returns its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(respond: Responder) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                status, body = respond(self)
                self.send_response(status)
                self.send_header("x-oss-request-id", "REQUEST")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_POST = do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = Quiet(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def client_of(url: str, **settings: object) -> osslive.Client:
    return osslive.Client(
        endpoint=url,
        region="cn-hangzhou",
        bucket="bucket",
        access_key_id="id",
        access_key_secret="secret",
        **settings,  # type: ignore[arg-type]
    )


def run(program: str, *arguments: str, timeout: float = 120, **environment: str) -> str:
    """Runs a program in its own interpreter; it must succeed and print nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def recorded(osslive_endpoint: LocalEndpoint) -> Generator[Recording, None, None]:
    """A channel that was live for a while."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not on PATH")
    with osslive_endpoint.client() as client:
        client.put_channel("recorded", osslive.ChannelConfig(frag_duration=1))
        with publish(client.get_rtmp_url("recorded"), size="320x180", rate=25):
            until(
                lambda: (video := client.get_channel_status("recorded").video) and video.bandwidth
            )
            time.sleep(3)
            live = client.get_channel_status("recorded")
            with pytest.raises(osslive.ChannelStillLive) as refused:
                client.delete_channel("recorded")
        until(lambda: not client.is_channel_live("recorded"))
        until(lambda: client.get_channel_history("recorded").records)
        yield Recording("recorded", live, refused.value)


class Recording:
    def __init__(
        self, name: str, live: osslive.ChannelStatus, refused: osslive.OssLiveError
    ) -> None:
        self.name = name
        #: Its status while it was live.
        self.live = live
        #: The error from deleting it while it was live.
        self.refused = refused
