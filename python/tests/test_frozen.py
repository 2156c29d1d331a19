"""Standalone programs, built from a script and the installed package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

import osslive

pytest.importorskip("PyInstaller")

PROGRAM = """
import osslive

with osslive.Client(
    region="cn-hangzhou",
    bucket="bucket",
    credentials=osslive.Credentials("id", "secret"),
) as client:
    print(client.get_rtmp_url("cam").split("?")[0])
try:
    osslive.Client(region="cn-hangzhou", credentials=osslive.Credentials("id", "secret"))
except osslive.ConfigError as error:
    print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = tmp_path_factory.mktemp("frozen") / "program.py"
    script.write_text(PROGRAM, encoding="utf-8")
    return script


def freeze(script: Path, folder: Path, *options: str) -> None:
    # Uses the installed package, not the one in the sources.
    environment = {**os.environ, "PYINSTALLER_CONFIG_DIR": str(folder / "config")}
    where = ["--distpath", "dist", "--workpath", "build", "--specpath", "."]
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", *options, *where, str(script)],
        cwd=folder,
        env=environment,
        check=True,
        timeout=300,
        capture_output=True,
    )


def run(program: Path, folder: Path) -> List[str]:
    """Returns the program's output on a machine without osslive."""
    environment = {"PATH": "", "HOME": str(folder), "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    done = subprocess.run(
        [program], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(
    "site-packages" not in osslive.__file__, reason="the package is not installed from its wheel"
)
@pytest.mark.parametrize(
    ("option", "place"), [("--onedir", "dist/program/program"), ("--onefile", "dist/program")]
)
def test_a_standalone_program_contains_the_library(
    option: str, place: str, script: Path, tmp_path: Path
) -> None:
    freeze(script, tmp_path, option)
    program = tmp_path / place
    if sys.platform == "win32":
        program = program.with_suffix(".exe")
    output = run(program, tmp_path)
    assert output == ["rtmp://bucket.oss-cn-hangzhou.aliyuncs.com/live/cam", "NoBucket"]
