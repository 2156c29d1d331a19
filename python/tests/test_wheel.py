"""The wheel: its content, and a first program in a new environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from test_docs import TOP

from osslive.testing import LocalEndpoint, publish

DIST = Path(__file__).parents[1] / "dist"

# In addition to the Python that runs the tests, all others on this machine that the wheel supports.
VERSIONS = [f"python3.{minor}" for minor in range(9, 20) if minor != sys.version_info.minor]


@pytest.fixture
def wheel() -> Path:
    wheels = sorted(DIST.glob("osslive-*.whl"))
    if not wheels:
        pytest.skip("there is no wheel in dist; run make wheel")
    return wheels[-1]


def test_the_wheel_is_for_every_python_and_contains_the_library(wheel: Path) -> None:
    assert "-py3-none-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if re.search(r"\.(so|dylib|dll)\b", name)] == [
        f"osslive/{library}" for library in ("libosslive.so",) if sys.platform == "linux"
    ]
    assert {"osslive/py.typed", "osslive/testing.py"} <= set(names)
    (command,) = (name for name in names if ".data/" in name and not name.endswith("/"))
    assert re.fullmatch(r"osslive-[\d.]+\.data/scripts/osslive(\.exe)?", command)
    folders = {name.split("/")[0] for name in names} - {command.split("/")[0]}
    assert folders == {"osslive", *(f for f in folders if f.endswith(".dist-info"))}
    assert sum("LICENSE" in name for name in names) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="auditwheel is for Linux")
def test_auditwheel_finds_no_missing_dependencies(wheel: Path) -> None:
    pytest.importorskip("auditwheel")
    show = [sys.executable, "-m", "auditwheel", "show", str(wheel)]
    output = subprocess.run(show, capture_output=True, text=True, timeout=120, check=True).stdout
    tags = re.findall(r'"(manylinux_2_\d+)_\w+"', output)
    assert tags
    assert tags[0] in wheel.name


def test_the_source_distribution_has_what_cargo_needs(tmp_path: Path) -> None:
    pytest.importorskip("build")
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not on PATH")
    build = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run([*build, str(DIST.parent)], check=True, timeout=120, stdout=subprocess.DEVNULL)
    (archive,) = tmp_path.glob("osslive-*.tar.gz")
    shutil.unpack_archive(archive, tmp_path)
    (sources,) = tmp_path.glob("osslive-*/rust")
    # Cargo reads every member's manifest and checks that every target's sources exist.
    metadata = ["cargo", "metadata", "--offline", "--locked", "--no-deps", "--format-version=1"]
    done = subprocess.run(metadata, cwd=sources, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def pythons() -> list[str]:
    others = [found for version in VERSIONS if (found := shutil.which(version))]
    return [sys.executable, *filter(runs, others)]


def runs(python: str) -> bool:
    """Returns whether a Python works and can create environments."""
    probe = subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True)
    return probe.returncode == 0


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on PATH")
@pytest.mark.skipif(sys.platform == "win32", reason="bin is called Scripts on Windows")
@pytest.mark.parametrize("python", pythons(), ids=lambda path: Path(path).name)
def test_the_readme_runs_in_a_new_environment_without_a_compiler(
    python: str, wheel: Path, tmp_path: Path, osslive_endpoint: LocalEndpoint
) -> None:
    subprocess.run([python, "-m", "venv", tmp_path / "new"], check=True, timeout=120)
    folder = tmp_path / "new" / "bin"
    environment = {
        "PATH": str(folder),
        "HOME": str(tmp_path),
        "OSS_ENDPOINT": osslive_endpoint.url,
        "OSS_REGION": osslive_endpoint.region,
        "OSS_BUCKET": osslive_endpoint.bucket,
        "OSS_ACCESS_KEY_ID": osslive_endpoint.access_key_id,
        "OSS_ACCESS_KEY_SECRET": osslive_endpoint.access_key_secret,
    }
    for compiler in ("cc", "gcc", "clang", "cargo", "rustc"):
        assert shutil.which(compiler, path=environment["PATH"]) is None
    # Without an index: there are no dependencies.
    install = ["pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"]
    subprocess.run(
        [folder / "python", "-m", *install, wheel], env=environment, check=True, timeout=120
    )

    program = tmp_path / "quickstart.py"
    shutil.copy(TOP / "examples" / "python" / "quickstart.py", program)
    running = subprocess.Popen(
        [folder / "python", program, f"new-{os.getpid()}"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    url = running.stdout.readline().split()[-1]
    with publish(url):
        output, _ = running.communicate(timeout=150)
    assert running.returncode == 0
    assert "status=<StreamState.LIVE: 'Live'>" in output
