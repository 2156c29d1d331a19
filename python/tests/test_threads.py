"""Many threads, and asyncio."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Callable

import pytest
from conftest import IDLE, Responder, client_of

import osslive
from osslive.testing import LocalEndpoint

THREADS = 8


def meeting() -> Responder:
    """Responds once eight requests are in flight at the same time; otherwise fails."""
    everybody = threading.Barrier(THREADS)

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        everybody.wait(20)
        return 200, IDLE

    return respond


def test_eight_threads_wait_at_the_same_time(serve: Callable[[Responder], str]) -> None:
    with client_of(serve(meeting())) as client, ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(client.get_channel_status, ["a"] * THREADS))
    assert len(found) == THREADS


def test_asyncio_calls_wait_at_the_same_time(serve: Callable[[Responder], str]) -> None:
    async def main() -> int:
        with client_of(serve(meeting())) as client:
            # The event loop's own pool may be smaller than eight threads.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
            calls = (asyncio.to_thread(client.get_channel_status, "a") for _ in range(THREADS))
            return len(await asyncio.gather(*calls))

    assert asyncio.run(main()) == THREADS


def test_a_call_in_progress_completes_when_its_client_is_closed(
    serve: Callable[[Responder], str],
) -> None:
    arrived, closed = threading.Event(), threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        arrived.set()
        closed.wait(20)
        return 200, IDLE

    client = client_of(serve(respond))
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(client.get_channel_status, "a")
        assert arrived.wait(20)
        client.close()
        closed.set()
        assert call.result(20).status is osslive.StreamState.IDLE


def test_a_call_in_progress_is_stopped_by_a_shutdown(serve: Callable[[Responder], str]) -> None:
    arrived, over = threading.Event(), threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        arrived.set()
        over.wait(20)
        return 200, IDLE

    with client_of(serve(respond)) as client, ThreadPoolExecutor(1) as threads:
        call = threads.submit(client.with_timeout(20).get_channel_status, "a")
        assert arrived.wait(20)
        client.shutdown()
        with pytest.raises(osslive.Stopped):
            call.result(20)
        over.set()
        with pytest.raises(osslive.Stopped) as caught:
            client.get_channel_status("a")
        assert caught.value.kind is osslive.ErrorKind.STOPPED
        assert client.get_rtmp_url("a").startswith("rtmp://")


def test_threads_share_a_client_while_its_keys_are_replaced(
    osslive_endpoint: LocalEndpoint, channel: str
) -> None:
    with osslive_endpoint.client() as client, ThreadPoolExecutor(THREADS) as threads:
        calls = [threads.submit(client.get_channel_status, channel) for _ in range(400)]
        for _ in range(100):
            client.set_credentials(
                osslive_endpoint.access_key_id, osslive_endpoint.access_key_secret
            )
        for call in calls:
            call.result(60)


def test_a_handle_of_another_type_is_rejected() -> None:
    import ctypes

    from osslive._library import library
    from osslive._native import Handle

    native = library()
    config = Handle(native.config_new(), native.config_free)
    with pytest.raises(ctypes.ArgumentError):
        native.client_free(config)
