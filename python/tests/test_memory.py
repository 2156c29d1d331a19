"""Memory use does not grow."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Iterator

import pytest
from conftest import IDLE, run

PROGRAM = """
import gc, os, sys, osslive, osslive._arguments

def pages():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

def client_at(url):
    return osslive.Client(endpoint=url, region="cn-hangzhou", bucket="bucket",
                          access_key_id="id", access_key_secret="secret", attempts=1)

client, refusing = client_at(sys.argv[1]), client_at(sys.argv[2])
monitor = client.monitor(["a", "b"], interval=0.001)
failing = refusing.monitor(["a", "b"], interval=0.001)

def refused():
    try:
        refusing.get_channel_status("missing")
    except osslive.NoSuchLiveChannel:
        pass

def renewed():
    with client.with_timeout(5) as other:
        other.get_rtmp_url("memory")

def sweep(of=client):
    of.monitor_channels(["a", "b"], progress=lambda done, total: None)

def stopped():
    try:
        client.monitor_channels(["a", "b"], progress=lambda done, total: 1 / 0)
    except ZeroDivisionError:
        pass

calls = {
    "status": lambda: client.get_channel_status("memory"),
    "refused": refused,
    "url": lambda: client.get_rtmp_url("memory", params={"a": "b"}),
    "config": lambda: osslive._arguments.channel_config(osslive.ChannelConfig("x", "y")),
    "client": renewed,
    "sweep": sweep,
    "failed sweep": lambda: sweep(refusing),
    "stopped sweep": stopped,
    "monitor": monitor.next_changes,
    "new monitor": lambda: client.monitor(["a", "b"]),
}
call, count = calls[sys.argv[3]], int(sys.argv[4])
for _ in range(max(2_000, count // 10)):
    call()
before = pages()
for _ in range(count):
    call()
print((pages() - before) * os.sysconf("SC_PAGESIZE"))
"""

MISSING = b"<Error><Code>NoSuchLiveChannel</Code><Message>no</Message></Error>"


def reply(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture(scope="module")
def urls() -> Iterator[list[str]]:
    """Servers that always send the same response, which makes them fast."""

    def serve(listener: socket.socket, response: bytes) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection, response), daemon=True).start()

    def talk(connection: socket.socket, response: bytes) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while connection.recv(65536):
                connection.sendall(response)

    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    responses = [reply("200 OK", IDLE), reply("404 Not Found", MISSING)]
    for listener, response in zip(listeners, responses):
        threading.Thread(target=serve, args=(listener, response), daemon=True).start()
    yield [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def growth(urls: list[str], call: str, count: int) -> int:
    # Otherwise each thread has its own heap, which reaches its full size at some point.
    return int(run(PROGRAM, *urls, call, str(count), timeout=600, MALLOC_ARENA_MAX="1"))


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")


@linux
@pytest.mark.parametrize("call", ["status", "refused", "url", "config", "client"])
def test_memory_is_flat_over_fifty_thousand_calls(urls: list[str], call: str) -> None:
    # A leak of ten bytes per call would be 500,000.
    assert growth(urls, call, 50_000) < 300_000


@linux
@pytest.mark.parametrize(
    "call", ["sweep", "failed sweep", "stopped sweep", "monitor", "new monitor"]
)
def test_memory_is_flat_over_batch_operations(urls: list[str], call: str) -> None:
    # A leaked Python object takes at least 50 bytes.
    assert growth(urls, call, 1_000) < 50_000
