"""How the library is found, and whether the declarations match its header."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
import typing
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import run

import osslive
from osslive import _declarations, _library, client, errors

SHOW_ERROR = """
import osslive
try:
    osslive.library_version()
except osslive.LibraryError as error:
    print(error)
"""


def package_without_library(folder: Path) -> str:
    source = Path(osslive.__file__).parent
    skip = shutil.ignore_patterns("*.so", "*.dylib", "*.dll", "__pycache__")
    shutil.copytree(source, folder / "osslive", ignore=skip)
    return str(folder)


def test_the_library_has_the_version_of_the_package() -> None:
    assert osslive.library_version() == osslive.__version__ == version("osslive")


def test_the_package_includes_the_library() -> None:
    assert Path(osslive.library_path()).parent == Path(osslive.__file__).parent


def test_the_error_for_a_missing_library_lists_everything_that_was_tried(tmp_path: Path) -> None:
    path = package_without_library(tmp_path)
    output = run(SHOW_ERROR, PYTHONPATH=path, OSSLIVE_LIBRARY="/nowhere/lib.so")
    own, system = _library.file_names()
    assert "no usable osslive library; tried" in output
    assert f"the package's own: {tmp_path}/osslive/{own}: " in output
    assert "OSSLIVE_LIBRARY: /nowhere/lib.so: " in output
    assert f"the system's: {system}: " in output
    assert "OSSLIVE_LIBRARY: not set" in run(SHOW_ERROR, PYTHONPATH=path, OSSLIVE_LIBRARY="")


def test_the_environment_sets_the_library_if_the_package_has_none(tmp_path: Path) -> None:
    path = package_without_library(tmp_path)
    output = run(
        "import osslive; print(osslive.library_path())",
        PYTHONPATH=path,
        OSSLIVE_LIBRARY=osslive.library_path(),
    )
    assert output.strip() == osslive.library_path()


@pytest.mark.skipif(sys.platform != "linux", reason="LD_LIBRARY_PATH is the Linux loader's")
@pytest.mark.parametrize("search", ["", ":", ".", "/nowhere:", "/nowhere;.", "here"])
def test_a_library_in_the_working_directory_is_not_loaded(
    search: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = package_without_library(tmp_path / "package")
    for name in _library.file_names():
        for folder in (tmp_path, tmp_path / "here"):
            folder.mkdir(exist_ok=True)
            shutil.copy(osslive.library_path(), folder / name)
    monkeypatch.chdir(tmp_path)
    output = run(SHOW_ERROR, PYTHONPATH=path, LD_LIBRARY_PATH=search, OSSLIVE_LIBRARY="")
    assert "no usable osslive library; tried" in output


def test_the_library_in_the_environment_is_a_path_and_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = package_without_library(tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    output = run(SHOW_ERROR, PYTHONPATH=path, OSSLIVE_LIBRARY="libc.so.6")
    assert f"OSSLIVE_LIBRARY: {tmp_path}/libc.so.6: " in output


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("unsigned osslive_abi_version(void) { return 999; }", "ABI version 999: must be 1"),
        ("unsigned osslive_abi_version(void) { return 1; }", "it has no function osslive_"),
        ("int something_else;", "it has no function osslive_abi_version"),
    ],
)
def test_an_incompatible_library_is_rejected(source: str, reason: str, tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("needs a C compiler")
    if "return" in source:
        source += ' const char *osslive_version(void) { return "0"; }'
    library = tmp_path / "libother.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)],
        input=source.encode(),
        check=True,
    )
    path = package_without_library(tmp_path)
    output = run(SHOW_ERROR, PYTHONPATH=path, OSSLIVE_LIBRARY=str(library))
    assert f"OSSLIVE_LIBRARY: {library}: " in output
    assert reason in output


# Generated code.


def test_generated_code_is_up_to_date() -> None:
    script = Path(__file__).parents[1] / "generate.py"
    if not (script.parents[1] / "include" / "osslive.h").exists():
        pytest.skip("there is no header")
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_every_status_is_a_kind_with_a_class() -> None:
    assert {kind.name: kind.value for kind in osslive.ErrorKind} == _declarations.STATUSES
    assert set(errors.BY_KIND) == set(osslive.ErrorKind)


def test_every_code_has_a_class_that_is_exported() -> None:
    assert len(errors.BY_CODE) > 30
    for of_code in errors.BY_CODE.values():
        assert of_code.__name__ in osslive.__all__
        assert of_code.__module__ == "osslive.errors"


def test_every_setting_of_the_constructor_is_one_of_the_typed_settings() -> None:
    parameters = list(inspect.signature(osslive.Client.__init__).parameters)
    public = [name for name in parameters if name != "self" and not name.startswith("_")]
    assert public == list(client.Settings.__annotations__)


def test_everything_public_is_exported_and_documented() -> None:
    for name in osslive.__all__:
        if not name.startswith("__"):
            assert getattr(osslive, name).__doc__, name
    for name, member in inspect.getmembers(osslive.Client):
        if not name.startswith("_"):
            assert member.__doc__, name
    assert issubclass(osslive.LibraryError, ImportError)


def test_importing_loads_neither_the_library_nor_optional_modules() -> None:
    output = run(
        """
        import sys, osslive, osslive._library
        print(osslive._library.library.cache_info().currsize)
        print(sorted({"matplotlib", "pytest", "subprocess"} & set(sys.modules)))
        """
    )
    assert output.split("\n")[:2] == ["0", "[]"]


def test_the_typed_marker_exists() -> None:
    assert os.path.exists(Path(osslive.__file__).parent / "py.typed")
    assert typing.get_type_hints(osslive.ChannelStatus)["video"] is not None
