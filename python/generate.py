"""Generates the Python package's declarations of the library.

    python python/generate.py            writes them
    python python/generate.py --check    checks whether they are up to date

``src/osslive/_declarations.py`` comes from ``include/osslive.h``: its functions,
types and constants, for ctypes. ``src/osslive/_codes.py`` comes from the codes in
``src/error.rs``: an exception class for each.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import Dict, List, Tuple

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "osslive"

SCALARS = {
    "int": "c_int",
    "size_t": "c_size_t",
    "int64_t": "c_int64",
    "uint32_t": "c_uint32",
    "uint64_t": "c_uint64",
    "double": "c_double",
    "osslive_status": "c_int",
}

#: The base class for codes that the client mostly detects itself.
BASES = {
    "InvalidChannelName": "InvalidArgument",
    "NoBucket": "ConfigError",
    "NoRegion": "ConfigError",
    "ProxyFailed": "ConnectionFailed",
    "UnknownHost": "ConnectionFailed",
    "UntrustedCertificate": "ConnectionFailed",
    "WaitTimedOut": "CallTimeout",
}
#: Names of classes that differ from the code: Python has its own NotImplemented.
NAMES = {"NotImplemented": "NotImplementedByService"}
#: Codes that have the class of a kind.
KINDS = {"InvalidArgument"}


class Header:
    """The declarations in a header, in the format of cbindgen."""

    def __init__(self, text: str) -> None:
        self.constants = re.findall(r"^#define OSSLIVE_(\w+) (\d+)$", text, re.MULTILINE)
        code = re.sub(r"/\*.*?\*/|^#.*?$|//.*?$", "", text, flags=re.DOTALL | re.MULTILINE)
        self.opaque = re.findall(r"^typedef struct (\w+) \1;", code, re.MULTILINE)
        self.structs = {
            name: [declaration(field) for field in body.split(";") if field.strip()]
            for body, name in re.findall(r"^typedef struct \{([^}]*)\} (\w+);", code, re.MULTILINE)
        }
        self.callbacks = {
            name: (result, parameters(listed))
            for result, name, listed in re.findall(
                r"^typedef ([^;{}]*?)\(\*(\w+)\)\(([^;]*)\);", code, re.MULTILINE
            )
        }
        self.functions = {
            name: (result.strip(), parameters(listed))
            for result, name, listed in re.findall(
                r"^(?!typedef)(\w[\w ]*?[ *]+)(osslive_\w+)\(([^;]*)\);", code, re.MULTILINE
            )
        }
        self.statuses = re.findall(r"\bOSSLIVE_ERR_(\w+) = (\d+),", code)
        declared = set(re.findall(r"\b(osslive_\w+)\(", code)) | set(self.callbacks)
        understood = set(self.functions) | set(self.callbacks)
        assert declared == understood, f"not understood: {sorted(declared ^ understood)}"


def declaration(text: str) -> Tuple[str, str]:
    """Returns the name and the type in a declaration."""
    match = re.fullmatch(r"(.*?)(\w+)", " ".join(text.split()))
    assert match is not None, text
    return match[2], match[1].strip()


def parameters(text: str) -> List[Tuple[str, str]]:
    return [] if text.strip() == "void" else list(map(declaration, text.split(",")))


def camel(name: str) -> str:
    """osslive_channel_config: ChannelConfig"""
    return "".join(map(str.capitalize, name.split("_")[1:]))


def c_type(text: str, header: Header) -> str:
    """Returns the ctypes type."""
    base = re.sub(r"\bconst\b|\*", "", text).strip()
    stars = text.count("*")
    if base in SCALARS:
        inner = SCALARS[base]
    elif base in header.callbacks:
        inner = camel(base)
    else:
        # Each of these is a pointer.
        inner, stars = pointer(base, is_const=text.startswith("const ")), stars - 1
    return "POINTER(" * stars + inner + ")" * stars


def pointer(base: str, is_const: bool) -> str:
    if base == "void":
        return "c_void_p"
    if base == "char":
        # A string owned by the caller must be freed. Never c_char_p, which ctypes
        # converts to bytes: the pointer would be lost.
        return "c_char_p" if is_const else "OwnedString"
    assert base.startswith("osslive_"), f"unknown type {base}"
    return f"{camel(base)}Pointer"


def declarations(header: Header) -> str:
    lines = [
        '"""The functions, types and constants of the library, for ctypes.',
        "",
        "Written by generate.py from include/osslive.h, which is the reference.",
        '"""',
        "",
        "# fmt: off",
        "# ruff: noqa: E501",
        "",
        "import ctypes",
        "from ctypes import (",
        *(f"    {name}," for name in ("POINTER", *sorted(imported(header)))),
        ")",
        "from typing import Any, Callable, Dict, List, Tuple",
        "",
        *(f"{name} = {value}" for name, value in header.constants),
        "",
        "#: The statuses of failures.",
        "STATUSES: Dict[str, int] = {",
        *(f'    "{name}": {value},' for name, value in header.statuses),
        "}",
        "",
        "",
        "class OwnedString(c_void_p):",
        '    """char *, to be freed"""',
        "",
        "",
        "# One type per kind of object: a pointer to another kind is a TypeError, not a crash.",
    ]
    for name in header.opaque:
        lines += [f"class {camel(name)}Object(ctypes.Structure):", f'    """{name}"""', "", ""]
    for name, fields in header.structs.items():
        lines += [f"class {camel(name)}(ctypes.Structure):", f'    """{name}"""', ""]
        lines += ["    _fields_ = ["]
        lines += [f'        ("{field}", {c_type(kind, header)}),' for field, kind in fields]
        lines += ["    ]", "", ""]
    lines += [f"{camel(name)}Pointer = POINTER({camel(name)}Object)" for name in header.opaque]
    lines += [f"{camel(name)}Pointer = POINTER({camel(name)})" for name in header.structs]
    for name, (result, listed) in header.callbacks.items():
        types = ", ".join(result_and_arguments(result, listed, header))
        lines += [f"{camel(name)} = ctypes.CFUNCTYPE({types})"]
    lines += ["", "#: The result and the arguments of each function."]
    lines += ["FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {"]
    for name, (result, listed) in header.functions.items():
        returned, *arguments = result_and_arguments(result, listed, header)
        lines += [f'    "{name}": ({returned}, [{", ".join(arguments)}]),']
    lines += ["}", "", "Function = Callable[..., Any]", "", "", "class Functions:"]
    lines += ['    """The functions, without their prefix."""', ""]
    for name, (_, listed) in header.functions.items():
        names = ", ".join(parameter for parameter, _ in listed)
        lines += [f"    #: {name}({names})", f"    {name[len('osslive_') :]}: Function"]
    return "\n".join(lines) + "\n"


def result_and_arguments(result: str, listed: List[Tuple[str, str]], header: Header) -> List[str]:
    returned = "None" if result.strip() == "void" else c_type(result.strip(), header)
    return [returned, *(c_type(kind, header) for _, kind in listed)]


def imported(header: Header) -> List[str]:
    of_functions = [*header.functions.values(), *header.callbacks.values()]
    types = [kind for _, listed in of_functions for _, kind in listed]
    types += [result.strip() for result, _ in of_functions]
    types += [kind for fields in header.structs.values() for _, kind in fields]
    written = " ".join(c_type(kind, header) for kind in types if kind != "void")
    return sorted(set(re.findall(r"\bc_\w+", written)) | {"c_void_p"})


def codes(rust: str) -> str:
    listed = re.search(r"    codes! \{\n(.*?)\n    \}", rust, re.DOTALL)
    assert listed is not None
    found = re.findall(r'((?: *///.*\n)+) *\w+ = "(\w+)";', listed[1])
    assert len(found) == listed[1].count(" = "), "a code is not understood"
    kinds = sorted({*BASES.values(), "OssLiveError", "ServiceError"})
    lines = [
        '"""An exception class for each code.',
        "",
        "Written by generate.py from src/error.rs.",
        '"""',
        "",
        "# fmt: off",
        "# ruff: noqa: RUF022",
        "",
        "from __future__ import annotations",
        "",
        "from typing import Dict, Type",
        "",
        "from ._kinds import (",
        *(f"    {kind}," for kind in kinds),
        ")",
    ]
    by_code: Dict[str, str] = {}
    for doc, code in found:
        by_code[code] = NAMES.get(code, code)
        if code in KINDS:
            continue
        base = BASES.get(code, "ServiceError")
        lines += ["", "", f"class {by_code[code]}({base}):", *docstring(doc)]
    lines += ["", "", "BY_CODE: Dict[str, Type[OssLiveError]] = {"]
    lines += [f'    "{code}": {name},' for code, name in by_code.items()]
    lines += ["}", "", "__all__ = ["]
    lines += [f'    "{name}",' for code, name in by_code.items() if code not in KINDS]
    return "\n".join([*lines, "]"]) + "\n"


def docstring(doc: str) -> List[str]:
    text = " ".join(re.sub(r"^ *///|^ *\* ?", "", doc, flags=re.MULTILINE).split())
    text = text.replace("`", "``")
    if len(text) < 90:
        return [f'    """{text}"""']
    wrapped = textwrap.wrap(text, 93)
    return [f'    """{wrapped[0]}', *(f"    {line}" for line in wrapped[1:]), '    """']


def outputs() -> Dict[Path, str]:
    header = Header((HERE.parent / "include" / "osslive.h").read_text(encoding="utf-8"))
    rust = (HERE.parent / "src" / "error.rs").read_text(encoding="utf-8")
    return {
        PACKAGE / "_declarations.py": declarations(header),
        PACKAGE / "_codes.py": codes(rust),
    }


def main() -> int:
    stale = [
        path
        for path, text in outputs().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(HERE.parent)} is out of date: run python/generate.py")
        else:
            path.write_text(outputs()[path], encoding="utf-8")
    return int("--check" in sys.argv[1:] and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
