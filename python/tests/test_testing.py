"""The stand-in that users test their own scripts against."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import osslive
from osslive.testing import EndpointError, LocalEndpoint, publish


def test_an_endpoint_lives_from_with_to_its_end(tmp_path: Path) -> None:
    with LocalEndpoint(data=tmp_path / "data", bucket="other") as endpoint:
        assert endpoint.url.startswith("http://127.0.0.1:")
        with endpoint.client(attempts=1) as client:
            client.put_channel("kept")
            with pytest.raises(EndpointError, match="running already"):
                endpoint.start()
            endpoint.stop()
            with pytest.raises(osslive.ConnectionFailed):
                client.get_channel("kept")
    with LocalEndpoint(data=tmp_path / "data", bucket="other") as endpoint:
        with endpoint.client() as client:
            assert client.get_channel("kept").name == "kept"


def test_its_own_data_is_removed_and_its_options_are_passed_on() -> None:
    with LocalEndpoint(arguments=["--qps-limit", "1"]) as endpoint:
        assert endpoint._own_data is not None
        folder = endpoint._own_data.name
        assert os.path.isdir(folder)
        with endpoint.client(attempts=1) as client:
            with pytest.raises(osslive.MetaOperationQpsLimitExceeded):
                for _ in range(10):
                    client.list_channels()
    assert not os.path.exists(folder)


def test_a_session_token_is_used(tmp_path: Path) -> None:
    with LocalEndpoint(arguments=["--sts-token", "token"]) as endpoint:
        credentials = osslive.Credentials("STS.osslive-local", "osslive-local-sts-secret", "token")
        with endpoint.client(credentials=credentials) as client:
            client.put_channel("a")
            assert "security-token=token" in client.get_rtmp_url("a")


def test_what_does_not_start_says_why() -> None:
    with pytest.raises(EndpointError, match="there is no /nowhere"):
        LocalEndpoint(binary="/nowhere").start()
    with pytest.raises(EndpointError, match="did not start: .*--no-such-option"):
        LocalEndpoint(arguments=["--no-such-option"]).start()


def test_the_command_is_looked_for_in_its_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from osslive import testing

    monkeypatch.delenv("OSSLIVE_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(testing, "__file__", str(tmp_path / "testing.py"))
    with pytest.raises(EndpointError, match="OSSLIVE_BIN is not set"):
        testing._binary(None)
    built = tmp_path / "target" / "debug" / testing._EXECUTABLE
    built.parent.mkdir(parents=True)
    built.touch()
    assert testing._binary(None) == built
    on_path = tmp_path / testing._EXECUTABLE
    on_path.touch(0o755)
    assert testing._binary(None) == on_path
    monkeypatch.setenv("OSSLIVE_BIN", str(built))
    assert testing._binary(None) == built


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on PATH")
def test_a_refused_publisher_ends(osslive_client: osslive.Client) -> None:
    url = osslive_client.get_rtmp_url("no such channel")
    with publish(url) as publisher:
        assert publisher.wait(20) != 0
