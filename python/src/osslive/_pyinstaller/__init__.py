"""Lets PyInstaller find its hook for this package, through an entry point of the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import List


def hook_dirs() -> List[str]:
    """Returns the folders with hooks."""
    return [str(Path(__file__).parent)]
