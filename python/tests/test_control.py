"""Control of a local endpoint: faults, clock and requests."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Iterator

import pytest

import osslive
from osslive.testing import EndpointError, LocalEndpoint


@pytest.fixture
def endpoint() -> Iterator[LocalEndpoint]:
    with LocalEndpoint() as endpoint:
        yield endpoint


def test_a_call_fails_the_specified_number_of_times(endpoint: LocalEndpoint) -> None:
    with endpoint.client(attempts=1) as client:
        client.put_channel("cam")
        number = endpoint.fail("GetLiveChannelStat", channel="c*", status=503, times=2)
        for _ in range(2):
            with pytest.raises(osslive.ServiceUnavailable) as caught:
                client.get_channel_status("cam")
            assert caught.value.http_status == 503
        client.get_channel_status("cam")
        (fault,) = endpoint.faults()
        assert (fault["id"], fault["hits"], fault["status"]) == (number, 2, 503)
        endpoint.clear_faults(number)
        assert endpoint.faults() == []


def test_a_connection_that_hangs_is_bounded_by_the_timeout(endpoint: LocalEndpoint) -> None:
    with endpoint.client(attempts=1, timeout=0.3) as client:
        endpoint.fail("ListLiveChannel", disconnect="hang")
        with pytest.raises(osslive.CallTimeout):
            client.list_channels()
        endpoint.clear_faults()
        endpoint.fail("ListLiveChannel", disconnect="reset")
        with pytest.raises(osslive.ConnectionFailed):
            client.list_channels()


def test_the_clock_is_moved_set_and_frozen(endpoint: LocalEndpoint) -> None:
    before = datetime.now(timezone.utc)
    assert endpoint.clock.advance(days=7) - before > timedelta(days=6, hours=23)
    noon = datetime(2030, 1, 1, 12, tzinfo=timezone.utc)
    endpoint.clock.freeze()
    assert endpoint.clock.set(noon) == endpoint.clock.now() == noon
    with pytest.raises(EndpointError, match="rate -1"):
        endpoint.clock.rate(-1)
    with pytest.raises(ValueError, match="aware"):
        endpoint.clock.set(datetime(2030, 1, 1))
    assert abs(endpoint.clock.reset() - datetime.now(timezone.utc)) < timedelta(minutes=1)


def test_requests_can_be_asserted_on(endpoint: LocalEndpoint) -> None:
    with endpoint.client() as client:
        client.put_channel("cam")
    (put,) = endpoint.requests("PutLiveChannel")
    assert (put["key"], put["status"], put["accessKeyId"]) == ("cam", 200, endpoint.access_key_id)
    endpoint.reset()
    assert endpoint.requests() == []


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({"operation": "GetStat", "status": 503}, "GetStat"),
        ({"operation": "GetObject"}, "no effect"),
        ({"operation": "GetObject", "status": 99}, "status 99"),
        ({"operation": "GetObject", "disconnect": "explode"}, "explode"),
    ],
)
def test_an_invalid_rule_is_rejected_with_a_reason(
    rule: dict[str, object], word: str, endpoint: LocalEndpoint
) -> None:
    with pytest.raises(EndpointError, match=word):
        endpoint.fail(**rule)  # type: ignore[arg-type]
    assert endpoint.faults() == []


STATE = {
    "buckets": [
        {
            "name": "live-demo",
            "channels": [{"id": "main"}, {"id": "直播", "status": "disabled"}],
            "objects": [{"key": "notes.txt", "text": "hello"}],
        }
    ]
}


@pytest.mark.parametrize("is_file", [True, False])
def test_an_endpoint_starts_with_the_initial_state(is_file: bool, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps(STATE), encoding="utf-8")
    with LocalEndpoint(init=path if is_file else STATE) as endpoint, endpoint.client() as client:
        client.delete_channel("main")
        client.put_channel("other")
        endpoint.reset()
        channels = {channel.name: channel.status for channel in client.channels()}
        assert channels == {"main": "enabled", "直播": "disabled"}


def test_an_error_in_the_initial_state_is_named() -> None:
    with pytest.raises(EndpointError, match="a/b"):
        LocalEndpoint(
            init={"buckets": [{"name": "live-demo", "channels": [{"id": "a/b"}]}]}
        ).start()


@pytest.mark.skipif(sys.platform != "linux", reason="no file system is in memory")
def test_an_endpoint_in_memory_does_not_write_to_disk() -> None:
    with LocalEndpoint(memory=True) as endpoint, endpoint.client() as client:
        client.put_channel("cam")
        folders = list(Path("/dev/shm").glob("osslive-*/live-demo/channels/cam.json"))
        assert folders
    assert not any(folder.exists() for folder in folders)


def test_an_endpoint_ignores_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OSSLIVE_LOCAL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OSSLIVE_LOCAL_INIT", str(tmp_path / "none.json"))
    with LocalEndpoint() as endpoint, endpoint.client() as client:
        client.put_channel("cam")
    assert not (tmp_path / "data").exists()


def test_disconnecting_a_publisher_can_be_delayed(endpoint: LocalEndpoint) -> None:
    number = endpoint.fail("PutLiveChannelStatus", disconnect_after=10)
    (fault,) = endpoint.faults()
    assert (fault["id"], fault["disconnectAfterMs"]) == (number, 10000)


def test_an_endpoint_that_is_not_running_raises_an_error() -> None:
    with pytest.raises(EndpointError, match="not running"):
        LocalEndpoint().fail("*", status=500)
