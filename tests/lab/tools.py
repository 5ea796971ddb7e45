"""Marks for tests that need a program which another daemon's package brings. Where it is missing they are skipped; in
`make test`, which installs all of them, they fail (tests/conftest.py)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """Skip without `program`, and name the Debian package that has it."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {package}")


# tools/packages does not drive out a mail server that is in use for OpenSMTPD.
needs_smtpd = pytest.mark.skipif(
    shutil.which("smtpd") is None,
    reason="another mail server is in use here" if Path("/usr/sbin/sendmail").exists() else "needs opensmtpd",
)
