"""Programs are run from their installation, never from the working directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest

from osslive import _programs
from osslive.testing import EndpointError, LocalEndpoint, publish

NAME = f"osslive{_programs._SUFFIX}"

Make = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Creates a program in an otherwise empty directory; the working directory is ``here/below`` in
    it, and an installation of the package would put programs in ``scripts``."""
    here = tmp_path / "here" / "below"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.delenv("OSSLIVE_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    folders = [str(tmp_path / "scripts"), str(tmp_path / "user" / "scripts")]
    monkeypatch.setattr(_programs, "_own_folders", lambda: folders)

    def make(path: str) -> Path:
        program = tmp_path / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(0o755)
        return program

    return make


@pytest.mark.parametrize("profile", ["release", "debug"])
@pytest.mark.parametrize("folder", ["here/below", "here", "."])
def test_programs_in_or_above_the_working_directory_are_not_run(
    profile: str, folder: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(f"{folder}/target/{profile}/{NAME}")
    make(f"{folder}/{NAME}")
    make(f"{folder}/bin/{NAME}")
    for path in ("", ".", os.pathsep, f".{os.pathsep}..", f"bin{os.pathsep}../bin", "target/debug"):
        monkeypatch.setenv("PATH", path)
        assert _programs.on_path("osslive") is None
        with pytest.raises(EndpointError, match="the command osslive was not found"):
            LocalEndpoint().start()
    monkeypatch.delenv("PATH")
    assert _programs.on_path("osslive") is None


def test_ffmpeg_in_the_working_directory_is_not_run(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(f"here/below/ffmpeg{_programs._SUFFIX}")
    monkeypatch.setenv("PATH", f".{os.pathsep}")
    with pytest.raises(EndpointError, match="ffmpeg was not found in any absolute directory"):
        with publish("rtmp://127.0.0.1:1/live/a"):
            pass


def test_the_first_location_with_the_command_is_used(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = make(f"path/{NAME}")
    monkeypatch.setenv(
        "PATH", os.pathsep.join(["", str(on_path.parent.parent), str(on_path.parent)])
    )
    assert _programs.osslive_command() == str(on_path)
    of_user = make(f"user/scripts/{NAME}")
    assert _programs.osslive_command() == str(of_user)
    own = make(f"scripts/{NAME}")
    assert _programs.osslive_command() == str(own)
    variable = make("elsewhere/osslive-debug")
    monkeypatch.setenv("OSSLIVE_BIN", str(variable))
    assert _programs.osslive_command() == str(variable)
    given = make("given")
    assert _programs.osslive_command(given) == str(given)


def test_a_given_name_is_a_path_and_not_searched(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(make("path/mine").parent))
    with pytest.raises(EndpointError, match="binary 'mine': no such executable file"):
        LocalEndpoint(binary="mine").start()
    given = make("here/below/mine")
    assert _programs.osslive_command("mine") == str(given)
    monkeypatch.setenv("OSSLIVE_BIN", "/nowhere")
    with pytest.raises(EndpointError, match="OSSLIVE_BIN '/nowhere': no such executable file"):
        LocalEndpoint().start()


def test_a_file_that_is_not_executable_is_ignored(make: Make) -> None:
    make(f"scripts/{NAME}").chmod(0o644)
    (Path(_programs._own_folders()[1]) / NAME).mkdir(parents=True)
    if os.name == "posix":
        with pytest.raises(_programs.ProgramNotFound):
            _programs.osslive_command()
