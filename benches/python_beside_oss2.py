"""Compares osslive for Python with oss2, the vendor's SDK, in one run on one machine.

    pip install python/dist/*.whl oss2
    OSSLIVE_BIN=target/release/osslive python benches/python_beside_oss2.py [SECONDS]

Both use the same local endpoint, in a separate process, with signatures of
version 4. They take turns, and the result is the median of the turns. Compare the
ratios: absolute numbers depend on the machine and its load.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from typing import Callable, Dict, List, Tuple

import oss2

import osslive
from osslive.testing import LocalEndpoint

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
ROUNDS = 5
CHANNEL = "bench"

Operation = Callable[[], object]
#: Operations, and seconds of CPU time, each per second of wall time.
Rate = Tuple[float, float]


def one_thread(operation: Operation, seconds: float = SECONDS) -> Rate:
    count, started, busy = 0, time.perf_counter(), time.process_time()
    end = started + seconds
    while time.perf_counter() < end:
        operation()
        count += 1
    wall = time.perf_counter() - started
    return count / wall, (time.process_time() - busy) / wall


def eight_threads(operation: Operation) -> Rate:
    counts: List[int] = []
    stop = threading.Event()

    def work() -> None:
        count = 0
        while not stop.is_set():
            operation()
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=work) for _ in range(8)]
    started, busy = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - started
    return sum(counts) / wall, (time.process_time() - busy) / wall


def compare(
    title: str, ours: Operation, theirs: Operation, measure: Callable[[Operation], Rate]
) -> None:
    rates: Dict[str, List[Rate]] = {"osslive": [], "oss2": []}
    for operation in (ours, theirs):
        one_thread(operation, 0.2)  # warm-up
    for _ in range(ROUNDS):
        rates["osslive"].append(measure(ours))
        rates["oss2"].append(measure(theirs))
    speed = {name: statistics.median(rate for rate, _ in turns) for name, turns in rates.items()}
    cost = {
        name: statistics.median(busy / rate for rate, busy in turns)
        for name, turns in rates.items()
    }
    print(
        f"{title:28} {speed['osslive']:9,.0f} {speed['oss2']:9,.0f}"
        f" {speed['osslive'] / speed['oss2']:8.1f} x {cost['oss2'] / cost['osslive']:8.1f} x"
    )


def main() -> None:
    with LocalEndpoint() as endpoint, endpoint.client() as client:
        auth = oss2.AuthV4(endpoint.access_key_id, endpoint.access_key_secret)
        bucket = oss2.Bucket(auth, endpoint.url, endpoint.bucket, region=endpoint.region)
        rtmp = oss2.Bucket(
            oss2.Auth(endpoint.access_key_id, endpoint.access_key_secret),
            endpoint.url,
            endpoint.bucket,
        )
        for number in range(100):
            client.put_channel(f"{CHANNEL}-{number:03}")
        client.put_channel(CHANNEL)
        python = sys.version.split()[0]
        print(f"osslive {osslive.__version__}, oss2 {oss2.__version__}, Python {python}")
        print(f"{'':28} {'osslive/s':>9} {'oss2/s':>9} {'speed':>10} {'CPU':>10}")

        def status() -> object:
            return client.get_channel_status(CHANNEL)

        def oss2_status() -> object:
            return bucket.get_live_channel_stat(CHANNEL)

        compare("status, one connection", status, oss2_status, one_thread)
        compare("status, eight threads", status, oss2_status, eight_threads)
        compare(
            "list of 100 channels",
            lambda: client.list_channels(max_keys=100),
            lambda: bucket.list_live_channel(max_keys=100),
            one_thread,
        )
        compare(
            "publish URL",
            lambda: client.get_rtmp_url(CHANNEL, 3600),
            lambda: rtmp.sign_rtmp_url(CHANNEL, "", 3600),
            one_thread,
        )
        print("speed: operations per second; CPU: time of this process for one operation")


if __name__ == "__main__":
    main()
