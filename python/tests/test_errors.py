"""Exception classes, and arguments that C cannot represent."""

from __future__ import annotations

import pickle
import socket
from http.server import BaseHTTPRequestHandler
from typing import Any, Callable

import pytest
from conftest import Responder, client_of

import osslive
from osslive import errors


def error_response(code: str, status: int) -> Responder:
    body = f"<Error><Code>{code}</Code><Message>no</Message><EC>0044-1</EC></Error>".encode()
    return lambda request: (status, body)


@pytest.mark.parametrize("code", sorted(errors.BY_CODE))
def test_each_code_has_its_class(code: str, serve: Callable[[Responder], str]) -> None:
    with client_of(serve(error_response(code, 400)), attempts=1) as client:
        with pytest.raises(errors.BY_CODE[code]) as caught:
            client.get_channel_status("a")
    error = caught.value
    assert isinstance(error, osslive.ServiceError)
    assert (error.kind, error.code, error.http_status) == (osslive.ErrorKind.SERVICE, code, 400)
    assert (error.request_id, error.ec) == ("REQUEST", "0044-1")
    assert str(error) == f"{code}: no (HTTP 400, request id REQUEST, EC 0044-1)"


def test_an_unknown_code_passes_through(serve: Callable[[Responder], str]) -> None:
    with client_of(serve(error_response("NeverSeen", 409))) as client:
        with pytest.raises(osslive.ServiceError) as caught:
            client.get_channel_status("a")
    assert type(caught.value) is osslive.ServiceError
    assert caught.value.code == "NeverSeen"


def test_an_invalid_response(serve: Callable[[Responder], str]) -> None:
    with client_of(serve(lambda request: (200, b"<html>")), attempts=1) as client:
        with pytest.raises(osslive.BadReply):
            client.get_channel_status("a")


def test_a_refused_connection() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with client_of(url, attempts=1) as client, pytest.raises(ConnectionError) as caught:
            client.get_channel_status("a")
    assert isinstance(caught.value, osslive.ConnectionFailed)


def test_a_silent_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with client_of(url, timeout=0.2) as client, pytest.raises(TimeoutError) as caught:
            client.get_channel_status("a")
    assert isinstance(caught.value, osslive.CallTimeout)


def test_an_incomplete_configuration() -> None:
    with pytest.raises(osslive.ConfigError, match="bucket"):
        osslive.Client(region="cn-hangzhou", access_key_id="id", access_key_secret="secret")
    with pytest.raises(osslive.CredentialsError):
        osslive.Client(region="cn-hangzhou", bucket="bucket")
    with pytest.raises(osslive.CredentialsError):
        osslive.Client(region="cn-hangzhou", bucket="bucket", access_key_id="id")
    with pytest.raises(TypeError, match="either credentials"):
        osslive.Client(access_key_id="id", credentials=osslive.Credentials("id", "secret"))


def test_invalid_root_certificates_are_rejected() -> None:
    with pytest.raises(osslive.OssLiveError, match="(?i)pem|certificate"):
        client_of("https://127.0.0.1:1", root_certificates="nonsense")


@pytest.mark.parametrize("name", ["", "a/b", "x" * 1024])
def test_an_invalid_name_is_not_sent(name: str) -> None:
    with client_of("http://127.0.0.1:1") as client:
        with pytest.raises(osslive.InvalidChannelName) as caught:
            client.get_channel(name)
    assert caught.value.kind is osslive.ErrorKind.INVALID_ARGUMENT
    assert isinstance(caught.value, ValueError)
    assert not isinstance(caught.value, osslive.ServiceError)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda c: c.get_channel("a\0b"), osslive.InvalidArgument),
        (lambda c: c.get_channel("\ud800"), osslive.InvalidArgument),
        (lambda c: c.get_channel(None), TypeError),
        (lambda c: c.get_channel(b"a"), TypeError),
        (lambda c: c.get_rtmp_url("a", 2**32), osslive.InvalidArgument),
        (lambda c: c.get_rtmp_url("a", -1), osslive.InvalidArgument),
        (lambda c: c.get_rtmp_url("a", 1.5), TypeError),
        (lambda c: c.get_rtmp_url("a", params={"a": "\0"}), osslive.InvalidArgument),
        (lambda c: c.get_vod("a", 2**63, 0), osslive.InvalidArgument),
        (lambda c: c.get_vod("a", 10, 5), osslive.InvalidArgument),
        (lambda c: c.list_channels(max_keys=0), osslive.InvalidArgument),
        (lambda c: c.list_channels(max_keys=1001), osslive.InvalidArgument),
        (lambda c: c.put_channel("a", osslive.ChannelConfig(frag_duration=0)), ValueError),
        (lambda c: c.put_channel("a", osslive.ChannelConfig(playlist_name="x")), ValueError),
        (lambda c: c.put_channel_status("a", "live"), osslive.InvalidArgument),
        (lambda c: c.with_timeout(0), osslive.InvalidArgument),
        (lambda c: c.monitor_channels(["a"], 0), osslive.InvalidArgument),
        (lambda c: next(c.monitor(["a"], interval=0)), osslive.InvalidArgument),
        (lambda c: next(c.monitor(["a"], prefix="a")), TypeError),
    ],
)
def test_an_invalid_argument_is_rejected_before_sending(
    call: Callable[[Any], object], error: type[Exception]
) -> None:
    with client_of("http://127.0.0.1:1", attempts=1) as client, pytest.raises(error):
        call(client)


def test_snapshot_settings_reach_the_service(serve: Callable[[Responder], str]) -> None:
    bodies: list[bytes] = []

    def keep(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        bodies.append(request.rfile.read(int(request.headers["Content-Length"])))
        return 400, b"<Error><Code>InvalidRequest</Code></Error>"

    snapshot = osslive.Snapshot("role", "pictures", "topic", 5)
    with client_of(serve(keep)) as client, pytest.raises(osslive.InvalidRequest):
        client.put_channel("a", osslive.ChannelConfig(snapshot=snapshot))
    (body,) = bodies
    assert b"<RoleName>role</RoleName>" in body
    assert b"<Interval>5</Interval>" in body


def test_an_error_survives_pickling() -> None:
    error = errors.error_of(
        "InvalidChannelName: no", osslive.ErrorKind.SERVICE, "InvalidChannelName", 400, "R", "E"
    )
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert isinstance(again, osslive.InvalidChannelName)
    assert isinstance(again, osslive.ServiceError)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_an_unknown_status_is_an_error() -> None:
    from osslive import _native

    assert _native._kind(99) is osslive.ErrorKind.INTERNAL
