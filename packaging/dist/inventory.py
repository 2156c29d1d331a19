"""Lists the contents of the released files for a target, according to cargo: the licences of
all crates in them, and a bill of materials in CycloneDX format.

    python3 inventory.py --target x86_64-unknown-linux-gnu --licences FILE --sbom FILE

Build scripts, procedural macros and test dependencies are not part of any released file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

ROOT = Path(__file__).resolve().parents[2]
#: The released packages: the command and the C library.
RELEASED = ("osslive-cli", "osslive-capi")
#: Prefixes of the names of licence files in crates.
LICENCE_FILES = ("license", "licence", "copying", "notice", "copyright", "unlicense")

Package = Dict[str, Any]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--target", required=True)
    arguments.add_argument("--licences", required=True, type=Path)
    arguments.add_argument("--sbom", required=True, type=Path)
    given = arguments.parse_args()
    packages = linked_packages(given.target)
    others = [package for package in packages if package["source"]]
    given.licences.write_text(licences(others), encoding="utf-8")
    given.sbom.write_text(json.dumps(bill(packages), indent=2) + "\n", encoding="utf-8")


def linked_packages(target: str) -> List[Package]:
    """Returns the packages whose code is released, sorted by name."""
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--locked", "--format-version=1"]
    ran = subprocess.run([*command, "--filter-platform", target], cwd=ROOT, check=True, stdout=-1)
    metadata = json.loads(ran.stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [key for key, package in packages.items() if package["name"] in RELEASED]
    linked: Set[str] = set()
    while waiting:
        key = waiting.pop()
        if key in linked or is_macro(packages[key]):
            continue
        linked.add(key)
        waiting += [
            dependency["pkg"]
            for dependency in nodes[key]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        ]
    return sorted((packages[key] for key in linked), key=lambda p: (p["name"], p["version"]))


def is_macro(package: Package) -> bool:
    return any("proc-macro" in target["kind"] for target in package["targets"])


def licences(packages: List[Package]) -> str:
    """Returns each crate with its licence, and each licence text once."""
    lines = ["The crates in this release, their licences, and the licence texts.", ""]
    texts: Dict[str, List[str]] = {}
    missing = []
    lines.append("Rust's standard library: MIT OR Apache-2.0")
    for package in packages:
        name = f"{package['name']} {package['version']}"
        lines.append(f"{name}: {package['license'] or 'see below'}")
        found = list(licence_texts(package))
        if not found:
            missing.append(name)
        for text in found:
            texts.setdefault(text, []).append(name)
    if missing:
        # Other crates here have the same licences, whose texts are below.
        lines += ["", "Without their own licence file: " + ", ".join(missing)]
    for text, names in texts.items():
        lines += ["", "=" * 78, *wrapped(names), "=" * 78, "", text]
    return "\n".join(lines) + "\n"


def licence_texts(package: Package) -> Iterator[str]:
    folder = Path(package["manifest_path"]).parent
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.lower().startswith(LICENCE_FILES):
            text = path.read_text(encoding="utf-8", errors="replace")
            yield "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def wrapped(names: List[str]) -> List[str]:
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > 76:
            lines.append("")
        lines[-1] += f"{name}, "
    return [line.rstrip() for line in lines[:-1]] + [lines[-1].rstrip(", ")]


def bill(packages: List[Package]) -> Dict[str, Any]:
    """Returns a bill of materials: https://cyclonedx.org/docs/1.5/json/."""
    checksums = dict(locked_checksums())
    components = [component(package, checksums) for package in packages if package["source"]]
    version = next(package["version"] for package in packages if package["name"] == "osslive")
    content = json.dumps(components, sort_keys=True).encode()
    when = int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or datetime.now(timezone.utc).timestamp()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=4)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(when, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "name": "osslive", "version": version},
        },
        "components": components,
    }


def component(package: Package, checksums: Dict[str, str]) -> Dict[str, Any]:
    name, version = package["name"], package["version"]
    url = f"pkg:cargo/{name}@{version}"
    made = {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}
    made["licenses"] = [{"expression": (package["license"] or "NOASSERTION").replace("/", " OR ")}]
    if checksum := checksums.get(f"{name} {version}"):
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return made


def locked_checksums() -> Iterator[tuple[str, str]]:
    for entry in (ROOT / "Cargo.lock").read_text().split("[[package]]"):
        fields = dict(line.split(" = ", 1) for line in entry.splitlines() if " = " in line)
        if "checksum" in fields:
            name, version, checksum = (fields[key].strip('"') for key in ("name", "version", "checksum"))
            yield f"{name} {version}", checksum


if __name__ == "__main__":
    sys.exit(main())
