"""A local endpoint for your own tests: real RTMP in, real HLS out.

::

    with osslive.testing.LocalEndpoint() as endpoint, endpoint.client() as client:
        client.put_channel("main-stage")
        with osslive.testing.publish(client.get_rtmp_url("main-stage")):
            ...

With pytest, this package provides the fixtures ``osslive_endpoint`` and
``osslive_client``.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from types import TracebackType
from typing import IO, TYPE_CHECKING, Generator, List, Optional, Type, Union

from . import _programs
from .client import Client, Settings

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: The access key, bucket and region of an endpoint that was given no others.
ACCESS_KEY_ID = "osslive-local"
ACCESS_KEY_SECRET = "osslive-local-secret"
BUCKET = "live-demo"
REGION = "cn-hangzhou"


class EndpointError(RuntimeError):
    """The local endpoint could not be started; contains its output, or what was tried."""


class LocalEndpoint:
    """A local endpoint on a free port, for the duration of a ``with`` block.

    It runs the command ``osslive local``: ``binary``, or what ``OSSLIVE_BIN``
    names, or the command that is installed with this package, or ``osslive`` on
    ``PATH``; never one in the working folder. Its data goes into ``data``, or
    into a temporary folder that is deleted at the end. ``arguments`` are added
    to the command line; ``osslive local --help`` lists them.

    It ends with this process, however that ends.
    """

    def __init__(
        self,
        *,
        bucket: str = BUCKET,
        access_key_id: str = ACCESS_KEY_ID,
        access_key_secret: str = ACCESS_KEY_SECRET,
        region: str = REGION,
        data: Union[str, os.PathLike[str], None] = None,
        arguments: Optional[List[str]] = None,
        binary: Union[str, os.PathLike[str], None] = None,
        timeout: float = 20.0,
    ) -> None:
        self.bucket = bucket
        self.access_key_id = access_key_id
        self.access_key_secret = access_key_secret
        self.region = region
        #: Where it listens for HTTP and RTMP alike, such as ``http://127.0.0.1:40123``.
        self.url = ""
        self._data = data
        self._arguments = list(arguments or [])
        self._binary = binary
        self._timeout = timeout
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
            raise EndpointError("the local endpoint is running already")
        command = [_command(self._binary), "local", "--listen", "127.0.0.1:0"]
        command += ["--bucket", self.bucket, "--region", self.region]
        command += ["--access-key-id", self.access_key_id]
        command += ["--temporary"] if self._data is None else ["--data", os.fspath(self._data)]
        # The system closes its standard input with this process.
        command += ["--exit-with-stdin"]
        # Others on this machine may read the command line, but not the environment.
        environment = {**os.environ, "OSSLIVE_LOCAL_ACCESS_KEY_SECRET": self.access_key_secret}
        with tempfile.TemporaryFile() as errors:
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
                said = line + errors.read().decode(errors="replace").strip()
                raise EndpointError(f"{command[0]} local did not start: {said or 'it is silent'}")
        self.url = line[len("listening on ") :]

    def stop(self) -> None:
        """Stops the endpoint and deletes its temporary directory."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            _wait(process)
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def publish(
    url: str, *, size: str = "320x180", rate: int = 25, bit_rate: str = "400k"
) -> Generator[subprocess.Popen[bytes], None, None]:
    """Publishes a test pattern and a tone to a URL with ffmpeg, which must be on
    ``PATH``, until the end of the ``with`` block. There is a key frame every second."""
    ffmpeg = _programs.on_path("ffmpeg")
    if ffmpeg is None:
        raise EndpointError("ffmpeg is in no absolute folder on PATH")
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
