"""The library's log, through the logger osslive."""

from __future__ import annotations

import logging
from typing import Callable

import pytest
from conftest import IDLE, Responder, client_of, run

import osslive


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(r.levelno, r.getMessage()) for r in caplog.records if r.name == "osslive"]


def test_every_request_is_logged_at_debug(
    serve: Callable[[Responder], str], caplog: pytest.LogCaptureFixture
) -> None:
    with client_of(serve(lambda request: (200, IDLE))) as client:
        client.get_channel_status("a")
        assert messages(caplog) == []
        caplog.set_level(logging.DEBUG, "osslive")
        client.get_channel_status("a")
        ((level, message),) = messages(caplog)
        assert level == logging.DEBUG
        assert "200" in message
        caplog.clear()
        caplog.set_level(logging.INFO, "osslive")
        client.get_channel_status("a")
        assert messages(caplog) == []


def test_a_retry_is_logged_as_a_warning_and_the_failure_as_an_error(
    serve: Callable[[Responder], str], caplog: pytest.LogCaptureFixture
) -> None:
    with client_of(serve(lambda request: (503, b"")), attempts=2) as client:
        with pytest.raises(osslive.ServiceError):
            client.get_channel_status("a")
    assert [level for level, _ in messages(caplog)] == [logging.WARNING, logging.ERROR]
    assert "secret" not in str(messages(caplog))


def test_nothing_is_printed_if_logging_is_not_configured() -> None:
    run(
        """
        import osslive
        client = osslive.Client(endpoint="http://127.0.0.1:1", region="r", bucket="bucket",
                                access_key_id="id", access_key_secret="secret", attempts=1)
        try:
            client.get_channel("a")
        except osslive.ConnectionFailed:
            pass
        """
    )


def test_a_handler_may_make_calls_itself(
    serve: Callable[[Responder], str], caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    class Nosy(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            calls.append(client.get_channel_status("b").status)

    caplog.set_level(logging.DEBUG, "osslive")
    handler = Nosy()
    logging.getLogger("osslive").addHandler(handler)
    try:
        with client_of(serve(lambda request: (200, IDLE))) as client:
            client.get_channel_status("a")
    finally:
        logging.getLogger("osslive").removeHandler(handler)
    assert calls == ["Idle"]
