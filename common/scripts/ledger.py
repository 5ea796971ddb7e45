"""The file that says what a VRRP process may have installed: replaced as a whole, read once. Knows no content.

What was there before the first note of a process stays beside it until that process has seen to it: it may die in
between, and so may the helper; so may the next ones, and each has left a note of its own.
"""

from __future__ import annotations

import contextlib
import os
import struct

MOST_BYTES = 4 * 1024 * 1024
"""Some 5,000 routes and rules; a longer file is neither written nor read."""
_UNREAD = ".unread"
_BARE = b"\x92\xa5Noted"
"""What a former version left unread is one note without its length; no length is that large."""
_LENGTH = struct.Struct("=I")
MOST_NOTE_BYTES = MOST_BYTES - _LENGTH.size
"""Of one note, which has to fit beside its length."""


def put(path: str, descriptor: int) -> None:
    """Put what is in `descriptor` (a memfd) at `path`. Raises OSError; the old content stays then."""
    _replace(path, os.pread(descriptor, MOST_NOTE_BYTES, 0))


def exchange(path: str, descriptor: int) -> bytes:
    """The same; returns the notes that nobody has seen to, for `notes_in`, and keeps them until `settle`."""
    notes = notes_in(_content(path + _UNREAD))
    last = _content(path)
    if last and last not in notes:
        notes.append(last)
    unread = _joined(notes)
    if unread:
        _replace(path + _UNREAD, unread)
    put(path, descriptor)
    return unread


def notes_in(unread: bytes) -> list[bytes]:
    """Each of them, the oldest first."""
    if unread.startswith(_BARE):
        return [unread]
    notes = []
    while len(unread) > _LENGTH.size:
        end = _LENGTH.size + _LENGTH.unpack_from(unread)[0]
        notes.append(unread[_LENGTH.size : end])
        unread = unread[end:]
    return notes


def settle(path: str) -> None:
    """Nobody needs what was there before the first note. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path + _UNREAD)


def _joined(notes: list[bytes]) -> bytes:
    """For `notes_in`; the oldest are left out where there are too many for one file."""
    joined = b""
    for note in reversed(notes):
        if len(joined) + _LENGTH.size + len(note) > MOST_BYTES:
            break
        joined = _LENGTH.pack(len(note)) + note + joined
    return joined


def _content(path: str) -> bytes:
    """Empty where there is no file, and where it is too long."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return b""
    return content if len(content) <= MOST_BYTES else b""


def _replace(path: str, content: bytes) -> None:
    fresh = f"{path}.new"
    with open(fresh, "wb", opener=_private) as file:
        file.write(content)
    os.replace(fresh, path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
