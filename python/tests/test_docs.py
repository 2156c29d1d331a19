"""The programs in the documentation."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from conftest import run

import osslive
from osslive.testing import LocalEndpoint

README = Path(__file__).parents[1] / "README.md"
MAIN_README = Path(__file__).parents[2] / "README.md"
GUIDE = Path(__file__).parents[2] / "docs" / "python.md"

PAGES = pytest.mark.parametrize(
    "page", [README, GUIDE, MAIN_README], ids=["README", "guide", "main README"]
)


def programs(page: Path) -> list[str]:
    if not page.exists():
        pytest.skip(f"{page.name} is not here")
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)


def test_the_quick_start_runs_as_it_is(osslive_endpoint: LocalEndpoint) -> None:
    program = programs(README)[0]
    assert "http://127.0.0.1:9000" in program
    said = run(program.replace("http://127.0.0.1:9000", osslive_endpoint.url))
    assert "publish to rtmp://" in said
    assert "it is Idle" in said
    assert "['main-stage']" in said
    assert "NoSuchLiveChannel: " in said


@PAGES
def test_every_program_compiles(page: Path) -> None:
    for program in programs(page):
        body = textwrap.indent(program, "    ")
        compile(f"async def main():\n{body}", str(page), "exec")


@PAGES
def test_every_name_exists(page: Path) -> None:
    text = page.read_text() if page.exists() else ""
    for name in re.findall(r"\bosslive\.([A-Z]\w+)", text):
        assert hasattr(osslive, name), name
    for name in re.findall(r"\bclient\.(\w+)", text):
        assert hasattr(osslive.Client, name), name
    parameters = osslive.client.Settings.__annotations__
    for name in re.findall(r"`Client\(\.\.\., (\w+)=", text):
        assert name in parameters, name
