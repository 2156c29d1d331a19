"""Memory stays where it is."""

from __future__ import annotations

import sys

import pytest
from conftest import run

from osslive.testing import LocalEndpoint

PROGRAM = """
import os, sys, osslive

def pages():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

client = osslive.Client(endpoint=sys.argv[1], region="cn-hangzhou", bucket=sys.argv[2],
                        access_key_id=sys.argv[3], access_key_secret=sys.argv[4])
client.put_channel("memory")

def refused():
    try:
        client.get_channel_status("missing")
    except osslive.NoSuchLiveChannel:
        pass

def renewed():
    with client.with_timeout(5) as other:
        other.get_rtmp_url("memory")

calls = {
    "status": lambda: client.get_channel_status("memory"),
    "refused": refused,
    "url": lambda: client.get_rtmp_url("memory", params={"a": "b"}),
    "config": lambda: osslive.client._channel_config(osslive.ChannelConfig("x", "y")),
    "client": renewed,
}
call, count = calls[sys.argv[5]], int(sys.argv[6])
for _ in range(count // 10):
    call()
before = pages()
for _ in range(count):
    call()
print((pages() - before) * os.sysconf("SC_PAGESIZE"))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")
@pytest.mark.parametrize("call", ["status", "refused", "url", "config", "client"])
def test_memory_is_flat_over_fifty_thousand_calls(
    osslive_endpoint: LocalEndpoint, call: str
) -> None:
    growth = int(
        run(
            PROGRAM,
            osslive_endpoint.url,
            osslive_endpoint.bucket,
            osslive_endpoint.access_key_id,
            osslive_endpoint.access_key_secret,
            call,
            "50000",
            timeout=600,
        )
    )
    # A leak of ten bytes a call would be 500,000.
    assert growth < 300_000
