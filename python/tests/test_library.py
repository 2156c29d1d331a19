"""How the library is found, and whether the declarations are those of its header."""

from __future__ import annotations

import ctypes
import inspect
import os
import re
import shutil
import subprocess
import sys
import typing
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import run

import osslive
from osslive import _library, client

HEADER = Path(__file__).parents[2] / "include" / "osslive.h"

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


def test_the_package_brings_its_own_library() -> None:
    assert Path(osslive.library_path()).parent == Path(osslive.__file__).parent


def test_a_missing_library_is_told_with_everything_that_was_tried(tmp_path: Path) -> None:
    path = package_without_library(tmp_path)
    said = run(SHOW_ERROR, PYTHONPATH=path, OSSLIVE_LIBRARY="/nowhere/lib.so")
    own, system = _library.file_names()
    assert "no usable osslive library; tried" in said
    assert f"the package's own: {tmp_path}/osslive/{own}: " in said
    assert "OSSLIVE_LIBRARY: /nowhere/lib.so: " in said
    assert f"the system's: {system}: " in said
    assert "OSSLIVE_LIBRARY: not set" in run(SHOW_ERROR, PYTHONPATH=path, OSSLIVE_LIBRARY="")


def test_the_environment_names_a_library_where_the_package_has_none(tmp_path: Path) -> None:
    path = package_without_library(tmp_path)
    said = run(
        "import osslive; print(osslive.library_path())",
        PYTHONPATH=path,
        OSSLIVE_LIBRARY=osslive.library_path(),
    )
    assert said.strip() == osslive.library_path()


@pytest.mark.skipif(sys.platform != "linux", reason="LD_LIBRARY_PATH is the Linux loader's")
@pytest.mark.parametrize("search", ["", ":", ".", "/nowhere:", "/nowhere;.", "here"])
def test_a_library_in_the_working_folder_is_not_loaded(
    search: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = package_without_library(tmp_path / "package")
    for name in _library.file_names():
        for folder in (tmp_path, tmp_path / "here"):
            folder.mkdir(exist_ok=True)
            shutil.copy(osslive.library_path(), folder / name)
    monkeypatch.chdir(tmp_path)
    said = run(SHOW_ERROR, PYTHONPATH=path, LD_LIBRARY_PATH=search, OSSLIVE_LIBRARY="")
    assert "no usable osslive library; tried" in said


def test_the_environment_names_a_file_and_not_something_to_look_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = package_without_library(tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    said = run(SHOW_ERROR, PYTHONPATH=path, OSSLIVE_LIBRARY="libc.so.6")
    assert f"OSSLIVE_LIBRARY: {tmp_path}/libc.so.6: " in said


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("unsigned osslive_abi_version(void) { return 999; }", "ABI version 999; 1 is needed"),
        ("unsigned osslive_abi_version(void) { return 1; }", "it has no function osslive_"),
        ("int something_else;", "it has no function osslive_abi_version"),
    ],
)
def test_a_library_that_does_not_fit_is_refused(source: str, reason: str, tmp_path: Path) -> None:
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
    said = run(SHOW_ERROR, PYTHONPATH=path, OSSLIVE_LIBRARY=str(library))
    assert f"OSSLIVE_LIBRARY: {library}: " in said
    assert reason in said


# The declarations beside the header.


def squeezed(text: str) -> str:
    return re.sub(r"\s*([(),;*])\s*", r"\1", " ".join(text.split()))


def header_text() -> str:
    if not HEADER.exists():
        pytest.skip("the header is not here")
    return re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)


def header_prototypes() -> dict[str, str]:
    text = header_text()
    found = re.findall(r"^[a-z][\w ]*\*?(osslive_\w+)\(([^;]*)\);", text, flags=re.MULTILINE)
    names = {name for name, _ in found}
    statements = (statement.strip() for statement in text.split(";"))
    return {
        match[1]: squeezed(statement.split("\n\n")[-1] + ";")
        for statement in statements
        for match in [re.search(r"(\bosslive_\w+)\(", statement)]
        if match and match[1] in names
    }


def commented_prototypes() -> dict[str, str]:
    source = inspect.getsource(_library.Library)
    blocks = re.findall(r"(?:^ *# .*\n)+", source, flags=re.MULTILINE)
    texts = (re.sub(r"^ *# ", "", block, flags=re.MULTILINE) for block in blocks)
    prototypes = (squeezed(text) for text in texts if text.rstrip().endswith(");"))
    return {re.findall(r"\b(osslive_\w+)\(", text)[0]: text for text in prototypes}


C_TYPES = {
    "uint32_t": "c_uint",
    "int": "c_int",
    "int64_t": "c_long",
    "size_t": "c_ulong",
    "uint64_t": "c_ulong",
    "double": "c_double",
    "osslive_status": "c_int",
    "void*": "c_void_p",
    "const char*": "c_char_p",
    "char*": "OwnedString",
    "int*": "LP_c_int",
    "const char*const*": "LP_c_char_p",
    "const osslive_param*": "LP_Param",
    "const osslive_highlight*": "LP_HighlightPart",
    "const osslive_channel_config*const*": "LP_LP_ChannelConfigObject",
    "char**": "LP_OwnedString",
    "osslive_error**": "LP_LP_ErrorObject",
    "osslive_client**": "LP_LP_ClientObject",
    "osslive_channel_config**": "LP_LP_ChannelConfigObject",
    "osslive_channel_monitor**": "LP_LP_ChannelMonitorObject",
    "osslive_client*": "LP_ClientObject",
    "osslive_config*": "LP_ConfigObject",
    "osslive_channel_config*": "LP_ChannelConfigObject",
    "osslive_channel_monitor*": "LP_ChannelMonitorObject",
    "osslive_sweep_options*": "LP_SweepOptionsObject",
    "osslive_error*": "LP_ErrorObject",
    "osslive_log_callback": "CFunctionType",
    "osslive_progress_callback": "CFunctionType",
    "void": "NoneType",
}


def c_type(text: str) -> str:
    if text not in C_TYPES:
        text = text.replace("const osslive_", "osslive_")
    return C_TYPES[text]


def test_the_prototypes_in_the_comments_are_those_of_the_header() -> None:
    header, comments = header_prototypes(), commented_prototypes()
    assert len(header) > 60
    assert comments == header


@pytest.mark.skipif(sys.maxsize < 2**62 or sys.platform == "win32", reason="other names of types")
def test_the_declarations_are_those_of_the_comments() -> None:
    library = _library.library()
    for name, prototype in commented_prototypes().items():
        match = re.fullmatch(r"(.*?\W?)osslive_\w+\((.*)\);", prototype)
        declared = next(f for f in vars(library).values() if getattr(f, "__name__", "") == name)
        assert match is not None
        result, parameters = match[1].strip(), match[2]
        expected = [] if parameters == "void" else parameters.split(",")
        types = [c_type(re.sub(r" ?\w+$", "", parameter)) for parameter in expected]
        assert [argument.__name__ for argument in declared.argtypes] == types, name
        found = declared.restype
        assert ("NoneType" if found is None else found.__name__) == c_type(result), name


@pytest.mark.parametrize("name", ["osslive_log_callback", "osslive_progress_callback"])
def test_the_callbacks_are_those_of_the_header(name: str) -> None:
    prototype = re.search(rf"^typedef [^;]*\(\*{name}\)[^;]*;", header_text(), flags=re.MULTILINE)
    assert prototype is not None
    assert f"# {prototype[0]}\n" in inspect.getsource(_library)


@pytest.mark.parametrize("structure", [_library.Param, _library.HighlightPart])
def test_the_structures_have_the_fields_of_the_header(structure: type[ctypes.Structure]) -> None:
    name = structure.__doc__
    body = re.search(rf"^typedef struct {{([^}}]*)}} {name};", header_text(), flags=re.MULTILINE)
    assert body is not None
    fields = re.findall(r"(\w[\w ]*?\W+)(\w+);", body[1])
    declared = [(field[0], field[1].__name__) for field in structure._fields_]
    assert declared == [(field, c_type(squeezed(type_).strip())) for type_, field in fields]


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


def test_importing_neither_loads_the_library_nor_what_few_need() -> None:
    said = run(
        """
        import sys, osslive, osslive._library
        print(osslive._library.library.cache_info().currsize)
        print(sorted({"matplotlib", "pytest", "subprocess"} & set(sys.modules)))
        """
    )
    assert said.split("\n")[:2] == ["0", "[]"]


def test_typed_marker_is_there() -> None:
    assert os.path.exists(Path(osslive.__file__).parent / "py.typed")
    assert typing.get_type_hints(osslive.ChannelStatus)["video"] is not None
