"""How the command ends: its exit codes, and the one line that says why (PROC-20)."""

from __future__ import annotations

import sys

FATAL, PERMISSION, INTERNAL_ERROR = 1, 4, 70


def say(text: str, code: int) -> int:
    """One line on standard error; returns `code`."""
    sys.stderr.write(f"pyhad: {text}\n")
    return code
