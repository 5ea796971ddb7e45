"""The four kinds of error pyhad expects. Everything else is a bug: let it crash, the parent restarts."""

from __future__ import annotations

import os


class PyhadError(Exception):
    """Root of every error that pyhad raises on purpose."""


class ConfigError(PyhadError):
    """The user's mistake in a configuration file.

    `file`, `line` (1-based) and `column` (1-based) say where, `hint` says what to do about it.
    """

    def __init__(self, message: str, *, file: str = "", line: int = 0, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.hint = hint


class WireError(PyhadError):
    """Bytes from another process that are not a message of the catalogue: refused, counted, dropped."""


class PacketError(PyhadError):
    """An advertisement that must be dropped. Subclasses are the protocol's drop reasons, each has a counter."""


class KernelError(PyhadError):
    """The kernel refused an operation. `operation` is what we asked, `errno` is its answer."""

    def __init__(self, operation: str, errno: int, detail: str = "") -> None:
        text = f"{operation}: {os.strerror(errno)}"
        super().__init__(f"{text} ({detail})" if detail else text)
        self.operation = operation
        self.errno = errno
        self.detail = detail
