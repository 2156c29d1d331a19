"""oss2, one of the clients that run.py compares: see ../c/measure.h."""

import resource
import sys
import threading
import time

import oss2

port, operation, count, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
auth = oss2.Auth("LTAI5tBenchKeyId", "BenchSecret7xYzABCDEFGH01")
bucket = oss2.Bucket(auth, f"http://127.0.0.1:{port}", "live-demo")
camera = oss2.models.LiveChannelInfo(
    status="enabled", description="Camera", target=oss2.models.LiveChannelInfoTarget())

call = {
    "stat": lambda: bucket.get_live_channel_stat("cam-0001"),
    "history": lambda: bucket.get_live_channel_history("cam-0001"),
    "list100": lambda: bucket.list_live_channel(max_keys=100),
    "list1000": lambda: bucket.list_live_channel(max_keys=1000),
    "put": lambda: bucket.create_live_channel("cam-0001", camera),
    "sign": lambda: bucket.sign_rtmp_url("cam-0001", "playlist.m3u8", 1800),
}[operation]


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def times(out):
    for _ in range(count // threads):
        started = time.perf_counter()
        call()
        out.append(time.perf_counter() - started)


call()
print("first", flush=True)
shares = [[] for _ in range(threads)]
workers = [threading.Thread(target=times, args=(share,)) for share in shares[1:]]
cpu_before, started = cpu(), time.perf_counter()
for worker in workers:
    worker.start()
times(shares[0])
for worker in workers:
    worker.join()
wall, spent = time.perf_counter() - started, cpu() - cpu_before
made = sorted(sum(shares, [])) or [0.0]
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(f"{made[len(made) // 2] * 1e6:.3f} {made[len(made) * 99 // 100] * 1e6:.3f} "
      f"{spent / len(made) * 1e6:.3f} {len(made) / wall:.1f} {peak}")
