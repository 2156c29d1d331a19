"""Where each setting comes from: the cases of the SDK's own test that have at most one source
besides explicit settings. Each runs in its own process, because the library reads the
environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

TABLE = json.loads(
    (Path(__file__).parents[2] / "tests" / "data" / "sources.json").read_text(encoding="utf-8")
)
CASES: List[Dict[str, Any]] = [case for case in TABLE["cases"] if len(case["sources"]) < 2]

PROGRAM = """
import json, sys
import osslive

source, settings, file = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
if "key" in settings:
    settings["credentials"] = osslive.Credentials(settings.pop("key"), "s")
try:
    if source == "environment":
        client = osslive.Client.from_env(**settings)
    elif source == "profile":
        client = osslive.Client.from_profile(file, "default", **settings)
    elif source == "default profile":
        client = osslive.Client.from_profile(**settings)
    else:
        client = osslive.Client(**settings)
    print("url", client.get_rtmp_url("c"))
except osslive.OssLiveError as error:
    print("error", error)
"""


@pytest.fixture(scope="module")
def config_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sources") / "ossutilconfig"
    # Its comment contains a byte that is not valid UTF-8.
    file.write_bytes(TABLE["profile"].encode("latin-1"))
    return file


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_setting_comes_from_the_first_source_that_has_it(
    case: Dict[str, Any], config_file: Path
) -> None:
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "PYTHONPATH", "OSSLIVE_LIBRARY", "SYSTEMROOT")
        if name in os.environ
    }
    variables = {
        name: value.replace("FILE", str(config_file)) for name, value in case["environment"].items()
    }
    (source,) = case["sources"] or [None]
    arguments = [json.dumps(source), json.dumps(case["settings"]), str(config_file)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    outcome, _, output = done.stdout.strip().partition(" ")
    if "error" in case:
        assert outcome == "error"
        assert case["error"] in output
    else:
        assert outcome == "url", output
        assert output.startswith(case["url"])
        assert f"OSSAccessKeyId={case['key']}&" in output


def test_most_cases_apply() -> None:
    assert len(CASES) > 20
