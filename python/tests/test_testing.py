"""The local endpoint for tests of users' own programs."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import until

import osslive
from osslive.testing import EndpointError, LocalEndpoint, publish


def test_an_endpoint_runs_during_its_with_block(tmp_path: Path) -> None:
    with LocalEndpoint(data=tmp_path / "data", bucket="other") as endpoint:
        assert endpoint.url.startswith("http://127.0.0.1:")
        with endpoint.client(attempts=1) as client:
            client.put_channel("kept")
            with pytest.raises(EndpointError, match="already running"):
                endpoint.start()
            endpoint.stop()
            with pytest.raises(osslive.ConnectionFailed):
                client.get_channel("kept")
    with LocalEndpoint(data=tmp_path / "data", bucket="other") as endpoint:
        with endpoint.client() as client:
            assert client.get_channel("kept").name == "kept"


def test_temporary_data_is_deleted_and_arguments_are_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with LocalEndpoint(arguments=["--qps-limit", "1"]) as endpoint:
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        with endpoint.client(attempts=1) as client:
            with pytest.raises(osslive.MetaOperationQpsLimitExceeded):
                for _ in range(10):
                    client.list_channels()
    assert not folder.exists()


KILLED = """
import os, signal, sys
from osslive.testing import LocalEndpoint
endpoint = LocalEndpoint()
endpoint.start()
print(endpoint.url, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_an_endpoint_exits_when_its_process_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        host, port = parent.stdout.readline().decode().strip()[len("http://") :].split(":")

        def listens() -> bool:
            try:
                socket.create_connection((host, int(port))).close()
            except ConnectionError:
                # A connection that is not accepted yet when the endpoint exits is reset.
                return False
            return True

        assert listens()
        parent.stdin.write(b"\n")
        parent.stdin.close()
    assert parent.returncode == -signal.SIGKILL
    until(lambda: not listens())
    # Its data is deleted too.
    until(lambda: not list(tmp_path.iterdir()))


def test_its_clients_use_no_proxy(
    osslive_endpoint: LocalEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with osslive_endpoint.client(attempts=1) as client:
        client.list_channels()


def test_a_session_token_is_used(tmp_path: Path) -> None:
    with LocalEndpoint(arguments=["--sts-token", "token"]) as endpoint:
        credentials = osslive.Credentials("STS.osslive-local", "osslive-local-sts-secret", "token")
        with endpoint.client(credentials=credentials) as client:
            client.put_channel("a")
            assert "security-token=token" in client.get_rtmp_url("a")


def test_an_endpoint_that_does_not_start_reports_the_reason() -> None:
    with pytest.raises(EndpointError, match="binary '/nowhere': no such executable file"):
        LocalEndpoint(binary="/nowhere").start()
    with pytest.raises(EndpointError, match="did not start: .*--no-such-option"):
        LocalEndpoint(arguments=["--no-such-option"]).start()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on PATH")
def test_a_rejected_publisher_ends(osslive_client: osslive.Client) -> None:
    url = osslive_client.get_rtmp_url("no such channel")
    with publish(url) as publisher:
        assert publisher.wait(20) != 0
