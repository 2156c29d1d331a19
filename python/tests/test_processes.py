"""Forks, child processes, and interpreter shutdown."""

from __future__ import annotations

import sys

import pytest
from conftest import run

from osslive.testing import LocalEndpoint

needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")

OPEN = """
import os, sys, threading, osslive
def open_client():
    return osslive.Client(endpoint=sys.argv[1], region="cn-hangzhou", bucket=sys.argv[2],
                          access_key_id=sys.argv[3], access_key_secret=sys.argv[4])
"""


def program(text: str, endpoint: LocalEndpoint) -> str:
    import textwrap

    return run(
        OPEN + textwrap.dedent(text),
        endpoint.url,
        endpoint.bucket,
        endpoint.access_key_id,
        endpoint.access_key_secret,
    )


@needs_fork
def test_parent_and_child_continue_with_their_own_connections(
    osslive_endpoint: LocalEndpoint,
) -> None:
    output = program(
        """
        client = open_client()
        quick = client.with_timeout(5)
        for name in ("parent", "child"):
            client.put_channel(name)
        child = os.fork()
        me = "parent" if child else "child"
        for _ in range(300):
            assert client.get_channel(me).name == me
            assert quick.get_channel(me).name == me
        if not child:
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        osslive_endpoint,
    )
    assert output.split() == ["7"]


@needs_fork
def test_a_child_does_not_wait_for_threads_of_its_parent(
    osslive_endpoint: LocalEndpoint,
) -> None:
    output = program(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads
        client = open_client()
        client.put_channel("busy")
        stop = threading.Event()
        def work():
            while not stop.is_set():
                client.get_channel_status("busy")
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            child = os.fork()
            if not child:
                client.get_channel_status("busy")
                del client
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads:
            thread.join()
        print("done")
        """,
        osslive_endpoint,
    )
    assert output.split() == ["done"]


@needs_fork
@pytest.mark.parametrize("level", ["DEBUG", "WARNING", "CRITICAL"])
def test_a_child_forked_during_log_callbacks_can_make_calls(
    level: str, osslive_endpoint: LocalEndpoint
) -> None:
    output = program(
        f"""
        import logging, signal, time, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads
        logger = logging.getLogger("osslive")
        logger.setLevel("DEBUG")
        inside = 0
        class Slow(logging.Handler):
            def createLock(self):
                self.lock = None
            def emit(self, record):
                global inside
                inside += 1
                time.sleep(0.005)
                inside -= 1
        handler = Slow()
        logger.addHandler(handler)
        client = open_client()
        client.put_channel("busy")
        stop = threading.Event()
        def work():
            while not stop.is_set():
                client.get_channel_status("busy")
        threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        amid = 0
        for _ in range(60):
            amid += inside > 0
            child = os.fork()
            if not child:
                signal.alarm(30)  # in case it hangs
                logger.removeHandler(handler)
                logger.setLevel({level!r})
                client.get_channel_status("busy")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads:
            thread.join()
        print(amid > 0)
        """,
        osslive_endpoint,
    )
    assert output.split() == ["True"]


@needs_fork
def test_a_child_keeps_the_latest_key(osslive_endpoint: LocalEndpoint) -> None:
    program(
        """
        good = sys.argv[3:5]
        sys.argv[4] = "wrong"
        client = open_client()
        client.set_credentials(*good)
        client.put_channel("rotated")
        child = os.fork()
        client.get_channel("rotated")
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """,
        osslive_endpoint,
    )


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_multiprocessing_works_and_passes_errors_on(
    osslive_endpoint: LocalEndpoint, method: str, tmp_path: object
) -> None:
    import multiprocessing
    import subprocess
    from pathlib import Path

    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    script = Path(str(tmp_path), "workers.py")
    script.write_text(
        OPEN
        + f"""
import multiprocessing

def work(name):
    with open_client() as client:
        return client.get_channel(name)

if __name__ == "__main__":
    with open_client() as client:
        client.put_channel("shared", osslive.ChannelConfig("Shared"))
        with multiprocessing.get_context({method!r}).Pool(2) as pool:
            assert {{c.description for c in pool.map(work, ["shared"] * 8)}} == {{"Shared"}}
            try:
                pool.apply(work, ["missing"])
            except osslive.NoSuchLiveChannel as error:
                print(error.http_status, error.kind.name)
"""
    )
    arguments = [osslive_endpoint.url, osslive_endpoint.bucket]
    arguments += [osslive_endpoint.access_key_id, osslive_endpoint.access_key_secret]
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["404", "SERVICE"], "")


def test_an_interpreter_exits_with_live_objects(osslive_endpoint: LocalEndpoint) -> None:
    program(
        """
        import builtins
        client = open_client()
        client.put_channel("last")
        monitor = client.monitor(["last"])
        builtins.kept = [client, client.with_timeout(1), client.channels(), monitor]
        next(builtins.kept[2])
        monitor.next_changes()
        class AtTheEnd:
            def __del__(self, client=client):
                client.get_channel_status("last")
                client.monitor_channels(["last"], progress=lambda done, total: None)
        builtins.end = AtTheEnd()
        """,
        osslive_endpoint,
    )


def test_an_interpreter_exits_while_daemon_threads_call_and_log(
    osslive_endpoint: LocalEndpoint,
) -> None:
    for _ in range(3):
        program(
            """
            import logging, time
            logging.getLogger("osslive").setLevel(logging.DEBUG)
            logging.getLogger("osslive").addHandler(logging.FileHandler(os.devnull))
            client = open_client()
            client.put_channel("busy")
            def work():
                while True:
                    client.get_channel_status("busy")
            for _ in range(8):
                threading.Thread(target=work, daemon=True).start()
            time.sleep(0.2)
            """,
            osslive_endpoint,
        )


@needs_fork
def test_a_child_does_not_free_inherited_objects() -> None:
    output = run(
        """
        import os
        from osslive._native import Handle
        handle = Handle("a pointer", lambda pointer: print("freed in", os.getpid(), flush=True))
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            print("parent", os.getpid(), flush=True)
        del handle
        """
    )
    parent = output.split()[1]
    assert output.splitlines() == [f"parent {parent}", f"freed in {parent}"]
