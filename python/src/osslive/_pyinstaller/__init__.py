"""Where PyInstaller finds its hook for this package, by an entry point of the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import List


def hook_dirs() -> List[str]:
    """The folders with hooks."""
    return [str(Path(__file__).parent)]
