"""Sources of credentials: the role of an ECS instance, OIDC, a program and a URL."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Callable, Dict, List, Tuple
from urllib.parse import parse_qs

import pytest
from conftest import IDLE, Responder

import osslive

ROLE = "acs:ram::1234567890123456:role/live"

#: The issued credentials, which are valid for a long time.
ISSUED = {
    "Code": "Success",
    "AccessKeyId": "STS.1",
    "AccessKeySecret": "secret",
    "SecurityToken": "token",
    "Expiration": "2099-01-01T00:00:00Z",
}


class Cloud:
    """OSS, an ECS instance's metadata service and STS in one server."""

    def __init__(self, serve: Callable[[Responder], str]) -> None:
        self.keys: List[str] = []
        self.forms: List[Dict[str, List[str]]] = []
        self.url = serve(self.respond)

    def respond(self, request: BaseHTTPRequestHandler) -> Tuple[int, bytes]:
        issued = json.dumps(ISSUED).encode()
        if request.path.startswith("/live-demo/"):
            key = request.headers["Authorization"].split("Credential=")[1].split("/")[0]
            self.keys.append(f"{key} {request.headers['x-oss-security-token']}")
            return 200, IDLE
        if request.command == "POST":
            length = int(request.headers["Content-Length"])
            self.forms.append(parse_qs(request.rfile.read(length).decode()))
            return 200, json.dumps({"Credentials": ISSUED}).encode()
        if request.path == "/latest/api/token":
            return 200, b"imds"
        if request.path == "/latest/meta-data/ram/security-credentials/":
            return 200, b"live"
        return 200, issued

    def client(self, credentials: osslive.sources.CredentialsSource) -> osslive.Client:
        return osslive.Client(
            endpoint=self.url,
            region="cn-hangzhou",
            bucket="live-demo",
            proxy="",
            credentials=credentials,
        )


@pytest.fixture
def cloud(serve: Callable[[Responder], str]) -> Cloud:
    return Cloud(serve)


def test_an_ecs_role(cloud: Cloud) -> None:
    # Variables set by Python reach the library only if it is loaded later.
    program = (
        "import osslive, sys\n"
        "with osslive.Client(endpoint=sys.argv[1], region='cn-hangzhou', bucket='live-demo',\n"
        "                    proxy='', credentials=osslive.EcsRole()) as client:\n"
        "    client.get_channel_status('c')\n"
    )
    environment = {**os.environ, "OSSLIVE_ECS_METADATA_ENDPOINT": cloud.url}
    subprocess.run([sys.executable, "-c", program, cloud.url], env=environment, check=True)
    assert cloud.keys == ["STS.1 token"]


def test_an_oidc_role(cloud: Cloud, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a.b+c\n")
    role = osslive.OidcRole(ROLE, "provider", token, session_name="box", sts_endpoint=cloud.url)
    with cloud.client(role) as client:
        client.get_channel_status("c")
        client.get_channel_status("c")
    assert cloud.keys == ["STS.1 token"] * 2
    (form,) = cloud.forms
    assert form["OIDCToken"] == ["a.b+c"]
    assert form["RoleSessionName"] == ["box"]


def test_a_program_and_a_url(cloud: Cloud) -> None:
    command = f"{sys.executable} -c {shlex.quote(f'print({json.dumps(ISSUED)!r})')}"
    with cloud.client(osslive.CredentialProcess(command)) as client:
        client.get_channel_status("c")
    with cloud.client(osslive.CredentialsUri(f"{cloud.url}/issue")) as client:
        client.get_channel_status("c")
        assert "OSSAccessKeyId=STS.1" in client.get_rtmp_url("c")
    assert cloud.keys == ["STS.1 token"] * 2


def test_a_failing_source_is_named(cloud: Cloud) -> None:
    for source, words in (
        (osslive.CredentialProcess("false"), "no credentials from the command false"),
        (osslive.CredentialsUri("http://127.0.0.1:1/"), "the credentials URI at 127.0.0.1:1"),
        (osslive.OidcRole(ROLE, "p", "/nowhere/token"), "/nowhere/token"),
    ):
        with cloud.client(source) as client:
            with pytest.raises(osslive.OssLiveError, match=words):
                client.get_channel_status("c")
    with pytest.raises(osslive.CredentialsError, match="http://"):
        cloud.client(osslive.CredentialsUri("nonsense"))
    with pytest.raises(TypeError, match="either"):
        osslive.Client(access_key_id="a", access_key_secret="b", credentials=osslive.EcsRole())


def test_default_credentials(cloud: Cloud, tmp_path: Path) -> None:
    """The chain is implemented in the library; this tests that it is used, and its error."""
    program = (
        "import osslive, sys\n"
        "client = osslive.Client.from_default_credentials(\n"
        "    endpoint=sys.argv[1], region='cn-hangzhou', bucket='live-demo', proxy='')\n"
        "try:\n"
        "    client.get_channel_status('c')\n"
        "except osslive.OssLiveError as error:\n"
        "    print(error)\n"
    )
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OSS_", "ALIBABA_CLOUD_"))
    }
    environment["HOME"] = environment["USERPROFILE"] = str(tmp_path)

    def run(**variables: str) -> str:
        command = [sys.executable, "-c", program, cloud.url]
        done = subprocess.run(
            command, env={**environment, **variables}, check=True, capture_output=True, text=True
        )
        return done.stdout

    assert run(OSSLIVE_ECS_METADATA_ENDPOINT=cloud.url) == ""
    config = tmp_path / ".aliyun" / "config.json"
    config.parent.mkdir()
    profile = {"name": "p", "mode": "CredentialsURI", "credentials_uri": f"{cloud.url}/issue"}
    config.write_text(json.dumps({"current": "p", "profiles": [profile]}))
    assert run() == ""
    assert cloud.keys == ["STS.1 token"] * 2
    config.unlink()
    message = run(OSSLIVE_ECS_METADATA_ENDPOINT="http://127.0.0.1:1")
    tried = ["OSS_ACCESS_KEY_ID", "~/.aliyun/config.json", "the ECS instance's role", "127.0.0.1:1"]
    assert [word for word in tried if word not in message] == []


def test_sources_do_not_show_secrets() -> None:
    for source in (osslive.CredentialProcess("x hush"), osslive.CredentialsUri("http://h/hush")):
        assert "hush" not in repr(source)


def test_a_diagnosis(osslive_client: osslive.Client, channel: str) -> None:
    message: List[Tuple[int, int]] = []
    diagnosis = osslive_client.diagnose(
        channel, progress=lambda done, total: message.append((done, total))
    )
    assert diagnosis.problems == 0
    assert diagnosis["channel"].verdict is osslive.Verdict.OK
    assert message
    assert message[-1][1] == len(diagnosis.checks)
    wrong = osslive_client.diagnose("never-made", publish_url="rtmp://127.0.0.1/other/x")
    found = {check.id: check for check in wrong.found()}
    assert {"channel", "publish-url-path"} <= set(found)
    assert found["channel"].advice
    with pytest.raises(KeyError):
        diagnosis["nothing"]
