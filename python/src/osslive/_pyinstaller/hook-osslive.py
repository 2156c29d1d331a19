"""Puts the shared library into programs that PyInstaller makes.

It is loaded by its path, which PyInstaller cannot see in the code.
"""

from PyInstaller.utils.hooks import collect_dynamic_libs

binaries = collect_dynamic_libs("osslive")
