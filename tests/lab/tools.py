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

_OWN_PLACES = """
mount --make-rprivate / && mount -t tmpfs run /run && mount -t tmpfs -o mode=711 spool /var/spool/smtpd || exit 1
exec smtpd -d -f "$0"
"""


def smtpd(config: Path) -> tuple[str, ...]:
    """OpenSMTPD, with a control socket and a queue of its own: where another one runs it does not start."""
    return ("unshare", "-m", "sh", "-c", _OWN_PLACES, str(config))
