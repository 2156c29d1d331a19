"""Packs a folder into a zip file, in a fixed order: python3 zip.py FOLDER FILE."""

import sys
import zipfile
from pathlib import Path

folder, file = sys.argv[1:]
with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            archive.write(path)
