"""A local endpoint for your own tests: real RTMP in, real HLS out.

::

    with osslive.testing.LocalEndpoint() as endpoint, endpoint.client() as client:
        client.put_channel("main-stage")
        with osslive.testing.publish(client.get_rtmp_url("main-stage")):
            ...

With pytest, this package provides the fixtures ``osslive_endpoint`` and
``osslive_client``.

You control the endpoint, so you can test how your own software reacts::

    endpoint.fail("GetLiveChannelStat", status=503, times=2)
    endpoint.clock.advance(days=7)
    assert endpoint.requests("PutLiveChannel")
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
import threading
from base64 import b64encode
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Dict, Generator, List, Optional, Type, Union
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from . import _programs
from .client import Client, Settings

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: The default access key, bucket and region of an endpoint.
ACCESS_KEY_ID = "osslive-local"
ACCESS_KEY_SECRET = "osslive-local-secret"
BUCKET = "live-demo"
REGION = "cn-hangzhou"


class EndpointError(RuntimeError):
    """The local endpoint could not be started or controlled; the message says why."""


class LocalEndpoint:
    """A local endpoint on a free port, for the duration of a ``with`` block.

    It runs the command ``osslive local``: ``binary``, or the one in ``OSSLIVE_BIN``,
    or the one installed with this package, or ``osslive`` on ``PATH``; never one in
    the working directory. Data is stored in ``data``, or in a temporary directory that is
    deleted at the end; ``memory`` keeps that directory in memory (Linux only). ``init``
    is the initial state: a JSON file, or a dictionary with the same content.
    ``arguments`` are added to the command line; ``osslive local --help`` lists them.
    The environment variables listed there are ignored.

    It exits when this process ends, even if it is killed.
    """

    def __init__(
        self,
        *,
        bucket: str = BUCKET,
        access_key_id: str = ACCESS_KEY_ID,
        access_key_secret: str = ACCESS_KEY_SECRET,
        region: str = REGION,
        data: Union[str, os.PathLike[str], None] = None,
        memory: bool = False,
        init: Union[str, os.PathLike[str], Dict[str, Any], None] = None,
        arguments: Optional[List[str]] = None,
        binary: Union[str, os.PathLike[str], None] = None,
        timeout: float = 20.0,
    ) -> None:
        self.bucket = bucket
        self.access_key_id = access_key_id
        self.access_key_secret = access_key_secret
        self.region = region
        #: The URL at which it listens for both HTTP and RTMP, such as ``http://127.0.0.1:40123``.
        self.url = ""
        self._data = data
        self._memory = memory
        self._init = init
        self._arguments = list(arguments or [])
        self._binary = binary
        self._timeout = timeout
        self._control = Control("", "")
        self._process: Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> LocalEndpoint:
        self.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.stop()

    def client(self, **settings: Unpack[Settings]) -> Client:
        """Returns a client for this endpoint; ``settings`` are those of :class:`osslive.Client`."""
        own: Settings = {
            "endpoint": self.url,
            "region": self.region,
            "bucket": self.bucket,
            "proxy": "",
        }
        if "credentials" not in settings:
            own["access_key_id"] = self.access_key_id
            own["access_key_secret"] = self.access_key_secret
        own.update(settings)
        return Client(**own)

    def start(self) -> None:
        """Starts the endpoint and waits until it listens."""
        if self._process is not None:
            raise EndpointError("the local endpoint is already running")
        command = [_command(self._binary), "local", "--listen", "127.0.0.1:0"]
        command += ["--bucket", self.bucket, "--region", self.region]
        command += ["--access-key-id", self.access_key_id]
        command += self._place()
        # The system closes its standard input with this process.
        command += ["--exit-with-stdin", "--control"]
        token = secrets.token_urlsafe(24)
        # Other users of this machine may read the command line, but not the environment.
        # Variables that configure other endpoints are removed from it.
        others = {name: value for name, value in os.environ.items() if not _configures(name)}
        environment = {
            **others,
            "OSSLIVE_LOCAL_ACCESS_KEY_SECRET": self.access_key_secret,
            "OSSLIVE_LOCAL_CONTROL_TOKEN": token,
        }
        with tempfile.TemporaryFile() as errors, _description(self._init) as init:
            command += [] if init is None else ["--init", init]
            self._process = subprocess.Popen(
                command + self._arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
            )
            line = _first_line(self._process.stdout, self._timeout)
            if not line.startswith("listening on "):
                self.stop()
                errors.seek(0)
                output = line + errors.read().decode(errors="replace").strip()
                raise EndpointError(f"{command[0]} local did not start: {output or 'no output'}")
        self.url = line[len("listening on ") :]
        self._control = Control(self.url, token)

    def _place(self) -> List[str]:
        if self._data is not None:
            return ["--data", os.fspath(self._data)]
        return ["--memory" if self._memory else "--temporary"]

    @property
    def clock(self) -> Clock:
        """The endpoint's clock, which determines signatures, expiry and history."""
        return Clock(self._control)

    def fail(
        self,
        operation: str,
        *,
        channel: Optional[str] = None,
        times: Optional[int] = None,
        probability: Optional[float] = None,
        seed: Optional[int] = None,
        status: Optional[int] = None,
        code: Optional[str] = None,
        ec: Optional[str] = None,
        message: Optional[str] = None,
        latency: Optional[float] = None,
        bytes_per_second: Optional[int] = None,
        cut_after_bytes: Optional[int] = None,
        cut_after: Optional[float] = None,
        disconnect_after: Optional[float] = None,
        disconnect: Optional[str] = None,
        body: Optional[str] = None,
        content_type: Optional[str] = None,
        raw: Union[str, bytes, None] = None,
        endless: Optional[str] = None,
        garbage: bool = False,
        date_skew: Optional[int] = None,
    ) -> int:
        """Adds a fault rule for future requests and returns its id.

        ``operation`` is the service's name, such as ``GetLiveChannelStat``, or
        ``RtmpConnect``, ``RtmpPublish``, or ``*`` for every HTTP operation.
        ``channel`` is the channel or object key; ``*`` matches any characters.
        Times are in seconds. ``disconnect`` is ``"close"``, ``"reset"`` or
        ``"hang"``. ``body`` replaces the response body; ``raw`` is sent as the entire
        response, and ``endless`` is repeated after it.
        Raises :class:`EndpointError` for an invalid rule.
        """
        rule = {
            "operation": operation,
            "channel": channel,
            "times": times,
            "probability": probability,
            "seed": seed,
            "status": status,
            "code": code,
            "ec": ec,
            "message": message,
            "latencyMs": None if latency is None else round(latency * 1000),
            "bytesPerSecond": bytes_per_second,
            "cutAfterBytes": cut_after_bytes,
            "cutAfterMs": None if cut_after is None else round(cut_after * 1000),
            "disconnectAfterMs": None
            if disconnect_after is None
            else round(disconnect_after * 1000),
            "disconnect": disconnect,
            "body": body,
            "contentType": content_type,
            "raw": raw if isinstance(raw, str) else None,
            "rawBase64": b64encode(raw).decode() if isinstance(raw, bytes) else None,
            "endless": endless,
            "garbage": garbage or None,
            "dateSkewSeconds": date_skew,
        }
        given = {name: value for name, value in rule.items() if value is not None}
        return int(self._control.request("POST", "faults", given)["id"])

    def faults(self) -> List[Dict[str, Any]]:
        """Returns the fault rules, with the number of times each has applied (``hits``)."""
        faults: List[Dict[str, Any]] = self._control.request("GET", "faults")["faults"]
        return faults

    def clear_faults(self, number: Optional[int] = None) -> None:
        """Deletes all fault rules, or the one with this id. Hanging connections are closed."""
        self._control.request("DELETE", "faults" if number is None else f"faults/{number}")

    def requests(self, operation: Optional[str] = None) -> List[Dict[str, Any]]:
        """Returns the latest requests and publishers, oldest first, with their outcome."""
        query = "" if operation is None else f"?operation={quote(operation)}"
        events: List[Dict[str, Any]] = self._control.request("GET", f"requests{query}")["requests"]
        return events

    def reset(self) -> None:
        """Restores the initial state: ``init``, no fault rules, and the current time.

        Other channels, history, objects and buckets are deleted; publishers are
        disconnected.
        """
        self._control.request("POST", "reset")

    def stop(self) -> None:
        """Stops the endpoint and deletes its temporary directory."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            _wait(process)
            if process.stdout is not None:
                process.stdout.close()


class Clock:
    """The clock of a local endpoint."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def now(self) -> datetime:
        """Returns its time, in UTC."""
        return self._time("GET", None)

    def advance(self, **duration: float) -> datetime:
        """Advances it by ``days``, ``hours``, ``minutes`` and ``seconds``; returns the new time."""
        seconds = timedelta(**duration).total_seconds()
        return self._time("PUT", {"advanceSeconds": seconds})

    def set(self, time: datetime) -> datetime:
        """Sets it to an aware time."""
        if time.tzinfo is None:
            raise ValueError("the time must be aware: it has no time zone")
        return self._time("PUT", {"set": time.isoformat()})

    def freeze(self) -> datetime:
        """Stops it."""
        return self._time("PUT", {"freeze": True})

    def rate(self, rate: float) -> datetime:
        """Sets how many seconds pass on it per second, from 0 to 3600."""
        return self._time("PUT", {"rate": rate})

    def reset(self) -> datetime:
        """Makes it follow this machine's clock again."""
        return self._time("PUT", {"reset": True})

    def _time(self, method: str, change: Optional[Dict[str, Any]]) -> datetime:
        now: str = self._control.request(method, "clock", change)["now"]
        whole = now.rstrip("Z").split(".")[0]
        return datetime.fromisoformat(whole).replace(tzinfo=timezone.utc)


class Control:
    """Controls an endpoint over HTTP."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def request(
        self, method: str, path: str, body: Optional[Dict[str, Any]] = None
    ) -> Dict[str, Any]:
        """Sends a request and returns the response."""
        if not self._url:
            raise EndpointError("the local endpoint is not running")
        request = Request(f"{self._url}/_osslive/control/{path}", method=method)
        request.add_header("x-osslive-control", "1")
        request.add_header("x-osslive-token", self._token)
        if body is not None:
            request.data = json.dumps(body).encode()
        try:
            # Never through a proxy.
            with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
                text = response.read()
        except HTTPError as error:
            output = error.read().decode(errors="replace")
            with suppress(ValueError, KeyError, TypeError):
                output = json.loads(output)["error"]
            raise EndpointError(output) from None
        except URLError as error:
            raise EndpointError(f"the local endpoint does not respond: {error.reason}") from None
        return json.loads(text) if text else {}


@contextmanager
def publish(
    url: str, *, size: str = "320x180", rate: int = 25, bit_rate: str = "400k"
) -> Generator[subprocess.Popen[bytes], None, None]:
    """Publishes a test pattern and a tone to a URL with ffmpeg, which must be on
    ``PATH``, until the end of the ``with`` block. There is a key frame every second."""
    ffmpeg = _programs.on_path("ffmpeg")
    if ffmpeg is None:
        raise EndpointError("ffmpeg was not found in any absolute directory on PATH")
    command = [ffmpeg, "-hide_banner", "-loglevel", "error", "-re"]
    command += ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}", "-f", "lavfi"]
    command += ["-i", "sine=sample_rate=44100", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-pix_fmt", "yuv420p", "-g", str(rate), "-b:v", bit_rate, "-c:a", "aac"]
    command += ["-f", "flv", url]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        _end(process)


def _configures(name: str) -> bool:
    """Returns whether an environment variable configures a local endpoint."""
    return name.startswith("OSSLIVE_LOCAL_")


@contextmanager
def _description(
    init: Union[str, os.PathLike[str], Dict[str, Any], None],
) -> Generator[Optional[str], None, None]:
    """Returns the file with the initial state of an endpoint. Only this user can read a file made
    from a dictionary, which may contain keys."""
    if not isinstance(init, dict):
        yield None if init is None else os.fspath(init)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "init.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(init, file)
        yield path


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    _wait(process)


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _first_line(stream: Optional[IO[bytes]], timeout: float) -> str:
    lines: List[bytes] = []

    def read() -> None:
        if stream is not None:
            lines.append(stream.readline())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(timeout)
    return lines[0].decode().strip() if lines else ""


def _command(given: Union[str, os.PathLike[str], None]) -> str:
    try:
        return _programs.osslive_command(given)
    except _programs.ProgramNotFound as error:
        raise EndpointError(str(error)) from None
