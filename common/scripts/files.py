"""Tracked files as the script helper follows them: inotify on their folders, read after each change (TRK-20 to TRK-23).

The VRRP process itself opens no file: one on a dead file server would stop its loop. Weighs nothing.
"""

from __future__ import annotations

import ctypes
import os
import re
import stat
from collections.abc import Callable

from pyhad.common.config.model.tracking import TrackFile
from pyhad.common.loop import Loop
from pyhad.common.scripts.orders import Answer, FileRead, Follow, Trouble

LOOK_AGAIN_NS = 5_000_000_000
"""Where a folder cannot be watched, and in case a notification was lost."""
MODE = 0o600
_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _DELETE = 0x8, 0x40, 0x80, 0x200
_MASK = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _DELETE
_READ_BYTES = 65536
_MOST_TEXT = 64
_NUMBER = re.compile(rb"[ \t\n]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")
_LEAST, _LARGEST = -(2**31), 2**31 - 1
_libc = ctypes.CDLL(None, use_errno=True)


def parse_number(text: bytes) -> int | None:
    """C notation (decimal, 0x, leading 0 for octal); empty is 0; None: no number, or none of 32 bits (TRK-21)."""
    if not text.strip():
        return 0
    match = _NUMBER.match(text)
    if match is None:
        return None
    digits = match[2].lower()
    try:
        base = 16 if digits.startswith(b"0x") else 8 if digits.startswith(b"0") and len(digits) > 1 else 10
        number = int(digits, base)
    except ValueError:
        return None
    value = -number if match[1] == b"-" else number
    return value if _LEAST <= value <= _LARGEST else None


class HelperFiles:
    """Follows the files of the last `Follow`. Says only what became different."""

    def __init__(self, loop: Loop, answer: Callable[[Answer], None]) -> None:
        self._loop = loop
        self._answer = answer
        self._files: tuple[TrackFile, ...] = ()
        self._said: dict[str, int] = {}
        self._bad: set[str] = set()
        self._fd = -1
        self._again = False

    def follow(self, order: Follow) -> None:
        """Another set of files: write what is to be there first, watch, read."""
        self._files = order.files
        self._said.clear()
        if order.initialize:
            for file in order.files:
                self._initialize(file)
        self._watch()
        self._read_all()
        if order.files and not self._again:
            self._again = True
            self._loop.after(LOOK_AGAIN_NS, self._look_again)

    def _initialize(self, file: TrackFile) -> None:
        if file.initial is None:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(file.path, flags | (os.O_TRUNC if file.overwrite else os.O_EXCL), MODE)
        except FileExistsError:
            return
        except OSError as error:
            self._answer(Trouble(event="track_file_not_made", path=file.path, detail=error.strerror or ""))
            return
        try:
            os.write(fd, f"{file.initial}\n".encode())
        finally:
            os.close(fd)

    def _watch(self) -> None:
        if self._fd >= 0:
            self._loop.unwatch(self._fd)
            os.close(self._fd)
            self._fd = -1
        folders = {os.path.dirname(os.path.abspath(file.path)) for file in self._files}
        if not folders:
            return
        fd = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if fd < 0:
            return
        for folder in folders:
            _libc.inotify_add_watch(fd, os.fsencode(folder), _MASK)
        self._fd = fd
        self._loop.watch(fd, self._changed)

    def _changed(self, _events: int) -> None:
        """Which file it was does not matter: they are few, and what did not change is not said."""
        try:
            while os.read(self._fd, _READ_BYTES):
                pass
        except BlockingIOError:
            pass
        self._read_all()

    def _look_again(self) -> None:
        self._again = False
        if self._files:
            self._watch()
            self._read_all()
            self._again = True
            self._loop.after(LOOK_AGAIN_NS, self._look_again)

    def _read_all(self) -> None:
        for file in self._files:
            value = self._value_of(file)
            if value is not None and self._said.get(file.name) != value:
                self._said[file.name] = value
                self._answer(FileRead(name=file.name, value=value))

    def _value_of(self, file: TrackFile) -> int | None:
        try:
            fd = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return 0
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):  # somebody's pipe is not ours to empty
                return 0
            value = parse_number(os.read(fd, _MOST_TEXT))
        except OSError:
            return 0
        finally:
            os.close(fd)
        if value is None and file.name not in self._bad:
            self._bad.add(file.name)
            self._answer(Trouble(event="track_file_holds_no_number", path=file.path, detail="the old value stays"))
        elif value is not None:
            self._bad.discard(file.name)
        return value
