"""Checks the results of build.sh for a target: they require nothing from a system that the
target's name does not promise, and export exactly what the header declares.

    python3 check.py TARGET FOLDER
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import List, Set, Tuple

ROOT = Path(__file__).resolve().parents[2]
#: The newest glibc symbol version that a file may need.
GLIBC = (2, 17)
#: Libraries that are part of glibc 2.17.
GLIBC_LIBRARIES = re.compile(r"(libc|libm|libdl|libpthread|librt|ld-linux.*)\.so\.\d+$")
#: Libraries that are part of Windows 10.
WINDOWS_LIBRARIES = re.compile(
    r"(kernel32|ntdll|advapi32|bcrypt\w*|crypt32|secur32|ws2_32|userenv|user32|shell32|msvcrt"
    r"|ucrtbase|api-ms-win-\S+)\.dll$",
    re.IGNORECASE,
)


def main() -> int:
    target, folder = sys.argv[1], Path(sys.argv[2])
    windows = target.endswith("windows")
    faults: List[str] = []
    library = folder / ("osslive.dll" if windows else "libosslive.so")
    command = folder / ("osslive.exe" if windows else "osslive")
    for file in (library, command):
        found = windows_imports(file) if windows else linux_imports(file, target)
        print(f"{file.name}: {found[0]}")
        faults += [f"{file.name}: {fault}" for fault in found[1]]
    exported = windows_exports(library) if windows else linux_exports(library)
    declared = header_functions()
    print(f"{library.name}: exports {len(exported)} functions, the header declares {len(declared)}")
    faults += [f"{name} is not exported" for name in sorted(declared - exported)]
    faults += [f"{name} is not in the header" for name in sorted(exported - declared)]
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    return bool(faults)


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def header_functions() -> Set[str]:
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "include/osslive.h").read_text(), flags=re.S)
    return set(re.findall(r"\b(osslive_\w+)\(", text)) - set(re.findall(r"\(\*(osslive_\w+)\)", text))


def linux_imports(file: Path, target: str) -> Tuple[str, List[str]]:
    needed = re.findall(r"NEEDED\s+(\S+)", output_of("objdump", "-p", str(file)))
    if target.endswith("musl"):
        allowed = [] if file.name == "osslive" else ["libc.so"]
        return f"needs {needed or 'nothing'}", [f"needs {n}" for n in needed if n not in allowed]
    symbols = output_of("objdump", "-T", str(file))
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([\d.]+)", symbols)}
    newest = max(versions)
    faults = [f"needs {name}" for name in needed if not GLIBC_LIBRARIES.match(name)]
    shown = ".".join(map(str, newest))
    faults += [f"needs GLIBC_{shown}"] if newest > GLIBC else []
    return f"needs {', '.join(needed)}; newest symbol GLIBC_{shown}", faults


def linux_exports(file: Path) -> Set[str]:
    lines = output_of("objdump", "-T", str(file)).splitlines()
    return {line.split()[-1] for line in lines if " .text" in line and " g " in line}


def windows_imports(file: Path) -> Tuple[str, List[str]]:
    names = re.findall(r"DLL Name: (\S+)", output_of("x86_64-w64-mingw32-objdump", "-p", str(file)))
    faults = [f"needs {name}" for name in names if not WINDOWS_LIBRARIES.match(name)]
    return f"needs {', '.join(names)}", faults


def windows_exports(file: Path) -> Set[str]:
    text = output_of("x86_64-w64-mingw32-objdump", "-p", str(file))
    table = text.split("[Ordinal/Name Pointer] Table")[-1]
    return set(re.findall(r"^\s+\[\s*\d+\].*\s(\w+)$", table.split("\n\n")[0], flags=re.M))


if __name__ == "__main__":
    sys.exit(main())
