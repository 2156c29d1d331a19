"""Adds the shared library to programs built by PyInstaller.

It is loaded by its path, which PyInstaller cannot see in the code.
"""

from PyInstaller.utils.hooks import collect_dynamic_libs

binaries = collect_dynamic_libs("osslive")
