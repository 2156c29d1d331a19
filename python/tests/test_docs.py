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
TOP = Path(__file__).parents[2]
PAGES = [
    page
    for folder in (TOP, TOP / "docs", TOP / "examples", README.parent)
    for page in sorted(folder.glob("*.md" if folder in (TOP, README.parent) else "**/*.md"))
    if "```python" in page.read_text(encoding="utf-8")
]
EVERY_PAGE = pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(TOP)) for page in PAGES]
)


def programs(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def test_the_quick_start_runs_as_it_is(osslive_endpoint: LocalEndpoint) -> None:
    program = programs(README)[0]
    assert "http://127.0.0.1:9000" in program
    output = run(program.replace("http://127.0.0.1:9000", osslive_endpoint.url))
    assert "publish to rtmp://" in output
    assert "it is Idle" in output
    assert "['main-stage']" in output
    assert "NoSuchLiveChannel: " in output


@EVERY_PAGE
def test_every_program_compiles(page: Path) -> None:
    for program in programs(page):
        body = textwrap.indent(program, "    ")
        compile(f"async def main():\n{body}", str(page), "exec")


@EVERY_PAGE
def test_every_name_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"\bosslive\.([A-Z]\w+)", text):
        assert hasattr(osslive, name), name
    for name in re.findall(r"\bclient\.(\w+)", text):
        assert hasattr(osslive.Client, name), name
    parameters = osslive.client.Settings.__annotations__
    for name in re.findall(r"`Client\(\.\.\., (\w+)=", text):
        assert name in parameters, name
