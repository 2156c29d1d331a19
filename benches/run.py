#!/usr/bin/env python3
"""Compares osslive with the alternatives in one run, and writes
docs/evidence/performance.md.

    python3 benches/run.py [client] [counts] [python] [local] [--rounds N] [--no-peers]

`client` compares clients on a server with canned responses, `counts` counts
instructions with callgrind, `python` compares the Python package with oss2, and
`local` the local endpoint with nginx and its RTMP module; the default is all
four. Takes about a quarter of an hour on two cores. Needs Linux, cc, taskset, and
libcurl and libcrypto with their headers. Valgrind, nginx and the other SDKs are
optional; the result says if they are missing.

Rounds are interleaved (A B C A B C). Ratios are computed within a round, and the
result is their median over the rounds, so a machine that is slow for a while
affects all. The client runs on core 0 and the server on core 1.
"""

import argparse
import datetime
import http.client
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RELEASE = os.path.join(ROOT, "target", "release")
OUT = os.path.join(ROOT, "target", "bench")
LIBRARY = os.path.join(OUT, "installed", "lib", "libosslive.so")
CLIENTS = os.environ.get("OSSLIVE_CLIENTS", os.path.join(ROOT, "target", "clients"))
KEY = ("LTAI5tBenchKeyId", "BenchSecret7xYzABCDEFGH01")

# Calls per round: they take at least a tenth of a second.
FAST = {"stat": 4000, "put": 4000, "history": 3000, "list100": 1500, "list1000": 200, "sign": 200000,
        "sign-param": 200000}
SWEEPS = [1_000, 10_000, 100_000]
SLOW = {"stat": 150, "put": 150, "history": 100, "list100": 30, "list1000": 4, "sign": 10000}


def say(text):
    print(text, flush=True)


def run(*command, **options):
    return subprocess.run(command, check=True, cwd=ROOT, timeout=1800, **options)


def pinned(core, command):
    """Returns the command pinned to a core, if there are several."""
    return ["taskset", "-c", str(core), *command] if os.cpu_count() > 1 else list(command)


def build(peers):
    say("building")
    run("cargo", "build", "--release", "-p", "osslive-benches", "-p", "osslive-cli")
    os.makedirs(OUT, exist_ok=True)
    # The C library as users install it, with link-time optimization.
    run("sh", "packaging/install.sh", "install", env={**os.environ, "PREFIX": f"{OUT}/installed", "DESTDIR": ""})
    osslive = [f"-I{OUT}/installed/include", LIBRARY, f"-Wl,-rpath,{OUT}/installed/lib"]
    for name, libraries in [("raw_socket", []), ("libcurl_easy", ["-lcurl"]),
                            ("sign_floor", ["-lcrypto"]), ("osslive_c", osslive)]:
        run("cc", "-O2", "-Wall", "-Wextra", "-pthread", "-o", os.path.join(OUT, name),
            f"benches/c/{name}.c", *libraries)
    if peers:
        run("sh", "tests/real/setup.sh")


def clients(peers):
    """Returns the name, command, calls per round and environment of each client."""
    found = [
        ("raw socket", [f"{OUT}/raw_socket"], FAST, {}),
        ("libcurl", [f"{OUT}/libcurl_easy"], FAST, {}),
        ("osslive, Rust", [f"{RELEASE}/osslive_client"], FAST, {}),
        ("osslive, C", [f"{OUT}/osslive_c"], FAST, {}),
    ]
    python, modules = f"{CLIENTS}/venv/bin/python", f"{CLIENTS}/node/node_modules"
    if peers and os.path.isdir(f"{modules}/ali-oss") and shutil.which("node"):
        script = f"{ROOT}/benches/peers/ali_oss_client.cjs"
        found.append(("ali-oss", ["node", script], SLOW, {"NODE_PATH": modules}))
    if peers and os.path.exists(python):
        found.append(("oss2", [python, f"{ROOT}/benches/peers/oss2_client.py"], SLOW, {}))
    return found


class Server:
    """The server with canned responses, on core 1."""

    def __enter__(self):
        command = pinned(1, [f"{RELEASE}/canned_answers"])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self.process.stdout.readline().strip()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def measure(client, port, operation, count, threads=1, pin=True):
    """Returns P50 and P99 in microseconds, CPU per call, calls per second, and peak KiB."""
    _, command, _, environment = client
    command = [*command, port, operation, str(count), str(threads)]
    result = subprocess.run(pinned(0, command) if pin else command, check=True, text=True, timeout=300,
                            stdout=subprocess.PIPE, env={**os.environ, **environment})
    return [float(number) for number in result.stdout.split("\n")[1].split()]


def start(client, port):
    """Returns the milliseconds from starting a process to its first response."""
    _, command, _, environment = client
    read, write = os.pipe()
    started = time.perf_counter()
    command = pinned(0, [*command, port, "stat", "0", "1"])
    actions = [(os.POSIX_SPAWN_DUP2, write, 1)]
    process = os.posix_spawnp(command[0], command, {**os.environ, **environment}, file_actions=actions)
    os.read(read, 1)
    elapsed = (time.perf_counter() - started) * 1000
    os.close(write)
    with os.fdopen(read) as rest:
        peak = float(rest.read().split()[-1])
    os.waitpid(process, 0)
    return elapsed, peak


def ratio(values, base):
    return statistics.median(value / floor for value, floor in zip(values, base))


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def times(number):
    return f"{number:.2f}" if number < 10 else f"{number:,.0f}"


def bench_client(rounds, peers):
    contestants = clients(peers)
    names = [name for name, *_ in contestants]
    rows = []
    with Server() as port:
        for operation in ["stat", "put", "history", "list100", "list1000"]:
            say(f"{operation}")
            results = {name: [] for name in names}
            for _ in range(rounds):
                for client in contestants:
                    results[client[0]].append(measure(client, port, operation, client[2][operation]))
            floor = results["raw socket"]
            for what, column in [("wall", 0), ("CPU", 2)]:
                base = [result[column] for result in floor]
                cells = [times(ratio([r[column] for r in results[name]], base)) for name in names]
                rows.append([f"{operation}, {what}", *cells])
            rows.append([f"{operation}, µs", *[f"{statistics.median(r[0] for r in results[n]):,.0f}" for n in names]])

        say("8 threads")
        results = {name: [] for name in names}
        for _ in range(rounds):
            for client in contestants:
                count = 8 * client[2]["stat"]
                results[client[0]].append(measure(client, port, "stat", count // (1 if client[2] is FAST else 4), 8, pin=False)[3])
        base = results["raw socket"]
        rows.append(["8 threads, share of raw throughput", *[f"{ratio(results[n], base):.3f}" for n in names]])
        rows.append(["8 threads, calls per second", *[f"{statistics.median(results[n]):,.0f}" for n in names]])

        say("start")
        starts = {name: [] for name in names}
        for _ in range(2 * rounds):
            for client in contestants:
                starts[client[0]].append(start(client, port))
        base = [elapsed for elapsed, _ in starts["raw socket"]]
        rows.append(["start to first response", *[times(ratio([t for t, _ in starts[n]], base)) for n in names]])
        rows.append(["start to first response, ms", *[f"{statistics.median(t for t, _ in starts[n]):.1f}" for n in names]])
        rows.append(["peak memory at the first response, MiB", *[f"{max(p for _, p in starts[n]) / 1024:.1f}" for n in names]])

        say("sweep")
        osslive = next(client for client in contestants if client[0] == "osslive, Rust")
        peaks = {operation: [measure(osslive, port, f"{operation}{count}", 1)[4] for count in SWEEPS]
                 for operation in ["sweep", "each"]}

        say("sign")
        signers = [("lower bound", [f"{OUT}/sign_floor"], FAST, {}), *contestants[2:]]
        sign_rows = []
        for what, operation in [("", "sign"), (", with one parameter", "sign-param")]:
            results = {name: [] for name, *_ in signers}
            for _ in range(rounds):
                for client in signers:
                    if operation in client[2]:
                        results[client[0]].append(measure(client, port, operation, client[2][operation])[3])
            base = results["lower bound"]
            shares = [f"{ratio(results[n], base):.3f}" if results[n] else "" for n in results]
            rates = [f"{statistics.median(results[n]):,.0f}" if results[n] else "" for n in results]
            sign_rows += [[f"share of the lower bound{what}", *shares], [f"URLs per second{what}", *rates]]
    text = "## The client\n\nAgainst a server with canned responses. Ratios are relative to a C program that uses a socket directly and neither signs nor parses.\n\n"
    text += table(["", *names], rows)
    text += "\nPeak memory of a sweep, by number of channels, in MiB.\n\n"
    text += table(["", *[f"{count:,}" for count in SWEEPS]],
                  [[what, *[f"{peak / 1024:.1f}" for peak in peaks[operation]]] for what, operation in
                   [("returning the status of all channels", "sweep"),
                    ("passing on each status without keeping it", "each")]])
    text += "\nSigning publish URLs. The lower bound is OpenSSL's HMAC-SHA1 with pads hashed in advance.\n\n"
    text += table(["", *results], sign_rows)
    return text + "\n" + footprint()


def footprint():
    needed = re.findall(r"^\s*(\S+) =>", run("ldd", LIBRARY, capture_output=True, text=True).stdout, re.M)
    return (f"The C library, stripped, with TLS: {os.path.getsize(LIBRARY) / 1e6:.2f} MB; "
            f"it needs {', '.join(name for name in needed if not name.startswith('linux-'))}.\n")


def instructions(program, port, operation, runs=None):
    """Returns the instructions per call, excluding startup: the difference of two runs."""
    few, many = runs or ((10, 40) if operation == "list1000" else (100, 500))

    def total(count):
        result = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, port,
                     operation, str(count), "1", capture_output=True, text=True)
        return int(re.search(r"Collected : (\d+)", result.stderr)[1])

    return (total(many) - total(few)) / (many - few)


def bench_counts():
    if not shutil.which("valgrind"):
        return "## Instructions\n\nNot counted: valgrind is not installed.\n"
    say("counting instructions")
    answers = run(f"{RELEASE}/canned_answers", "--print", capture_output=True).stdout
    bytes_of_list = len(answers) - answers.rindex(b"<?xml") - 1
    programs = {"raw socket": f"{OUT}/raw_socket", "libcurl": f"{OUT}/libcurl_easy",
                "osslive, Rust": f"{RELEASE}/osslive_client", "osslive, C": f"{OUT}/osslive_c"}
    rows = []
    with Server() as port:
        for operation in ["stat", "put", "list100", "list1000"]:
            counts = [instructions(program, port, operation) for program in programs.values()]
            rows.append([operation, *[f"{count:,.0f}" for count in counts]])
            if operation == "list1000":
                rows.append(["list1000, per byte", *[f"{count / bytes_of_list:.1f}" for count in counts]])
        signing = [instructions(program, port, "sign")
                   for program in [f"{OUT}/sign_floor", *list(programs.values())[2:]]]
    rows.append(["sign", f"{signing[0]:,.0f} (lower bound)", "", *[f"{count:,.0f}" for count in signing[1:]]])
    growth = []
    with Server() as port:
        for kind, counts in [("list", [125, 250, 500, 1000]), ("sweep", [500, 1000, 2000, 4000])]:
            program, runs = programs["osslive, Rust"], (5, 15) if kind == "list" else (1, 2)
            cells = [instructions(program, port, f"{kind}{count}", runs) / count for count in counts]
            growth.append([kind, *[f"{count:,}: {cell:,.0f}" for count, cell in zip(counts, cells)]])
    return ("## Instructions\n\nPer call, in user mode, counted by callgrind, which has no SHA instructions: "
            "the two hashes of a signature use ordinary ones.\n\n" + table(["", *programs], rows) +
            "\nGrowth: instructions per channel, in lists and sweeps with increasing numbers of channels.\n\n"
            + table(["", "", "", "", ""], growth))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def processes(parent):
    """Returns a process and its children."""
    found = [parent]
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                if int(stat.read().rsplit(")", 1)[1].split()[1]) == parent:
                    found.append(int(entry))
        except OSError:
            pass
    return found


def cpu_s(pids):
    """Returns the CPU time of all threads, more precisely than /proc/PID/stat."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{task}/schedstat") as stat:
                    total += int(stat.read().split()[0])
            except OSError:
                pass
    return total / 1e9


def rss_kib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as status:
            total += int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
    return total


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


class OssliveLocal:
    name = "osslive local"

    def __init__(self, streams):
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="osslive-data-", dir=OUT)
        self.process = subprocess.Popen(
            [f"{RELEASE}/osslive", "local", "--listen", f"127.0.0.1:{self.port}", "--data", self.folder,
             "--acl", "public-read-write", "--access-key-id", KEY[0], "--access-key-secret", KEY[1]],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port)
        account = {"OSS_ACCESS_KEY_ID": KEY[0], "OSS_ACCESS_KEY_SECRET": KEY[1], "OSS_BUCKET": "live-demo",
                   "OSS_REGION": "cn-hangzhou", "OSS_ENDPOINT": f"http://127.0.0.1:{self.port}"}
        for number in range(streams):
            run(f"{RELEASE}/osslive", "channel", "put", f"cam-{number:04}", stdout=subprocess.DEVNULL,
                env={**os.environ, **account})
        self.rtmp = f"rtmp://127.0.0.1:{self.port}/live-demo/live/"

    def playlist(self, number):
        return f"/live-demo/cam-{number:04}/playlist.m3u8"

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)


class NginxRtmp:
    name = "nginx-rtmp"

    def __init__(self, streams):
        self.port, rtmp = free_port(), free_port()
        self.folder = tempfile.mkdtemp(prefix="nginx-", dir=OUT)
        os.makedirs(f"{self.folder}/hls")
        user = f"user {os.environ.get('USER', 'root')};" if os.getuid() == 0 else ""
        with open(f"{self.folder}/nginx.conf", "w") as conf:
            conf.write(f"""
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
{user} worker_processes 1; daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 1024; }}
rtmp {{ server {{ listen 127.0.0.1:{rtmp}; application live {{ live on; hls on; hls_path {self.folder}/hls;
  hls_fragment 5s; hls_playlist_length 15s; }} }} }}
http {{ access_log off; server {{ listen 127.0.0.1:{self.port}; root {self.folder}/hls; }} }}
""")
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", f"{self.folder}/nginx.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(rtmp)
        self.rtmp = f"rtmp://127.0.0.1:{rtmp}/live/"

    def playlist(self, number):
        return f"/cam-{number:04}.m3u8"

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)


def check_playlist(server, number):
    """Checks that a player can play the playlist and its fragments."""
    path = server.playlist(number)
    status, body = get(server.port, path)
    text = body.decode()
    assert status == 200 and text.startswith("#EXTM3U"), f"{path}: {status} {text[:80]}"
    longest = int(re.search(r"#EXT-X-TARGETDURATION:(\d+)", text)[1])
    lengths = [float(length) for length in re.findall(r"#EXTINF:([\d.]+)", text)]
    fragments = re.findall(r"^[^#\s].*\.ts.*$", text, re.M)
    assert lengths and len(lengths) == len(fragments), f"{path}: {text}"
    assert all(round(length) <= longest for length in lengths), f"{path}: {text}"
    for fragment in fragments:
        status, data = get(server.port, f"{path.rsplit('/', 1)[0]}/{fragment}")
        assert status == 200 and len(data) % 188 == 0, f"{fragment}: {status}, {len(data)} bytes"
        assert set(data[::188]) == {0x47}, f"{fragment} is not aligned"


def clip():
    """Returns a clip: ten seconds of 1080p30 at 4 Mbit/s, with a key frame every two seconds."""
    path = f"{OUT}/clip.flv"
    if not os.path.exists(path):
        say("encoding a clip")
        run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30", "-f", "lavfi",
            "-i", "sine=frequency=440:sample_rate=44100", "-t", "10", "-c:v", "libx264", "-preset", "ultrafast",
            "-pix_fmt", "yuv420p", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-b:v", "4M",
            "-minrate", "4M", "-maxrate", "4M", "-bufsize", "4M", "-nal-hrd", "cbr", "-c:a", "aac",
            "-b:a", "128k", "-f", "flv", path)
    return path


def publishers(server, streams, seconds, *watch):
    command = [f"{RELEASE}/rtmp_publishers", clip(), server.rtmp, str(streams), str(seconds), *watch]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if process.stdout.readline().strip() != "ready":
        raise SystemExit(f"{server.name} did not accept {streams} streams")
    return process


def stream(kind, streams):
    """Returns CPU milliseconds per second and KiB of memory, each per stream."""
    server = kind(streams)
    try:
        pids = processes(server.process.pid)
        before = rss_kib(pids)
        process = publishers(server, streams, 20)
        time.sleep(5)
        started, cpu = time.perf_counter(), cpu_s(pids)
        time.sleep(12)
        cpu, elapsed = cpu_s(pids) - cpu, time.perf_counter() - started
        memory = rss_kib(pids) - before
        for number in sorted({0, streams // 2, streams - 1}):
            check_playlist(server, number)
        process.communicate(timeout=60)
        assert process.returncode == 0
        return cpu / elapsed / streams * 1000, memory / streams
    finally:
        server.close()


def listing_delay(kind):
    server = kind(1)
    try:
        url = f"http://127.0.0.1:{server.port}{server.playlist(0)}"
        return float(publishers(server, 1, 26, url).communicate(timeout=60)[0].split()[-1])
    finally:
        server.close()


def rest():
    """Returns the status requests per second on 8 connections."""
    server = OssliveLocal(2)
    try:
        client = ("osslive", [f"{RELEASE}/osslive_client"], FAST, {})
        runs = [measure(client, str(server.port), "stat", 16000, 8, pin=False)[3] for _ in range(3)]
        return statistics.median(runs)
    finally:
        server.close()


def bench_local():
    kinds = [OssliveLocal]
    text = "## The local endpoint\n\n"
    if shutil.which("nginx") and os.path.exists("/usr/lib/nginx/modules/ngx_rtmp_module.so"):
        kinds.append(NginxRtmp)
    else:
        text += ("No comparison: nginx and its RTMP module are not installed "
                 "(Debian: nginx, libnginx-mod-rtmp).\n\n")
    rows = []
    for streams in [1, 10, 50]:
        say(f"{streams} streams")
        results = [stream(kind, streams) for kind in kinds]
        for what, column in [("CPU, ms per second per stream", 0), ("memory, KiB per stream", 1)]:
            values = [result[column] for result in results]
            share = f"{values[0] / values[1]:.2f}" if len(values) > 1 and values[1] else ""
            noun = "stream" if streams == 1 else "streams"
            rows.append([f"{streams} {noun}: {what}", *[f"{value:,.2f}" for value in values], share])
    say("from key frame to playlist")
    delays = [listing_delay(kind) for kind in kinds]
    share = f"{delays[0] / delays[1]:.2f}" if len(delays) > 1 else ""
    rows.append(["from sending a key frame to listing its fragment, ms", *[f"{delay:.1f}" for delay in delays], share])
    head = ["", *[kind.name for kind in kinds], *(["ratio"] if len(kinds) > 1 else [""])]
    say("REST operations")
    text += ("Each publisher sends the same clip, 1080p30 at 4 Mbit/s, without encoding it; fragments last 5 seconds. "
             "Playlists and fragments were checked during the streams.\n\n")
    return text + table(head, rows) + f"\nREST: {rest():,.0f} signed status requests per second on 8 connections, client and endpoint on the same cores.\n"


def bench_python():
    """Runs the script that compares the Python package with oss2."""
    say("Python")
    text = run("make", "--no-print-directory", "--silent", "python-bench", capture_output=True, text=True).stdout
    return ("## The Python package\n\nCalls per second on the local endpoint, over HTTP with signature version 4.\n\n"
            "```text\n" + text[text.index("osslive "):] + "```\n")


def first_line(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return (result.stdout or result.stderr).strip().split("\n")[0]
    except OSError:
        return f"no {command[0]}"


def machine(peers):
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    versions = [first_line("rustc", "--version"), first_line("cc", "--version"), first_line("curl-config", "--version"),
                first_line("nginx", "-v"), first_line("valgrind", "--version"), f"Python {platform.python_version()}"]
    if peers:
        with open(f"{ROOT}/tests/real/setup.sh") as setup:
            versions += [f"{name} {version}" for name, version in
                         re.findall(r"^(OSS2|ALI_OSS)_VERSION=(\S+)", setup.read(), re.M)]
        versions.append(f"node {first_line('node', '--version')}")
    commit = first_line("git", "-C", ROOT, "describe", "--always", "--dirty")
    return (f"{datetime.date.today()}, commit {commit}. {model[1] if model else platform.machine()}, "
            f"{os.cpu_count()} cores, {platform.system()} {platform.release()}; load {os.getloadavg()[0]:.1f} at the start. "
            f"{'; '.join(versions)}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=["client", "counts", "python", "local", []], default=[])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="without oss2 and ali-oss")
    arguments = parser.parse_args()
    parts = arguments.parts or ["client", "counts", "python", "local"]
    described = machine(arguments.peers)
    build(arguments.peers)
    sections = {
        "client": lambda: bench_client(arguments.rounds, arguments.peers),
        "counts": bench_counts,
        "python": bench_python,
        "local": bench_local,
    }
    text = f"# Performance\n\nWritten by `make bench`. Quote ratios: absolute times depend on the machine.\n\n{described}\n\n"
    with open(f"{ROOT}/benches/notes.md") as notes:
        text += "\n".join(sections[part]() for part in parts) + "\n" + notes.read()
    target = f"{ROOT}/docs/evidence/performance.md" if parts == list(sections) else f"{OUT}/performance.md"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w") as out:
        out.write(text)
    say(f"\n{text}\nwritten to {os.path.relpath(target, ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
