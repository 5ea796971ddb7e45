"""The socketpair between the parent and each child: a handful of fixed words, documents as descriptors.

SEQPACKET, so a word is a packet. The parent never looks inside a document or report: it only passes memfds on.
"""

from __future__ import annotations

import os
import socket
import struct

DOCUMENT = b"document"
"""parent -> child, with one memfd: your part of a new configuration. Answered by APPLIED."""
STOP = b"stop"
"""parent -> child: stop in an orderly way and exit 0."""
HAND_OVER = b"hand over"
"""parent -> child: end at once and touch nothing; the successor goes on where you stopped."""
RELOADED = b"reloaded"
"""parent -> control, with a memfd: a reload is in force; the compiler's warnings as text."""
REFUSED = b"refused"
"""parent -> control, with a memfd: a reload was refused; the compiler's messages as text."""
UPGRADING = b"upgrading"
"""parent -> control: the new program was tried and fits; it takes over now."""
KEPT = b"kept"
"""parent -> control, with a memfd: the upgrade was refused; why, as text. The old program runs on."""
DUMP = b"dump "
"""parent -> control, before the name of a dump, with one end of a socketpair: whoever writes it down listens there."""
MAIN = b"-"
"""On that socketpair, with a memfd: the text of the file itself; other words stand for a part of its name."""
CONFIRMATION = b"confirmation"
"""parent -> control, with a memfd: a `ConfirmationNotice`, encoded."""
BUSY = b"busy"
"""parent -> control, with a memfd: a wish to reload was not taken; why, as text. No file was read."""
READY = b"ready"
"""child -> parent: I do my work."""
APPLIED = b"applied"
"""child -> parent: the last document is in force."""
RELOAD = b"reload"
"""control -> parent: somebody asks for a reload."""
RELOAD_FOR = b"reload "
"""control -> parent, before a number: as RELOAD, to be confirmed within so many seconds."""
CONFIRM = b"confirm"
"""control -> parent: somebody keeps the configuration of the last reload."""
UPGRADE = b"upgrade"
"""control -> parent: somebody asks for the program that is installed now."""

MAX_WORD = 16
CONFIRM_MOST_S = 86_400
_INT = struct.Struct("=i")


def seconds_of(word: bytes) -> int:
    """The seconds behind RELOAD_FOR; 0 for anything but a number of one second to CONFIRM_MOST_S."""
    digits = word.removeprefix(RELOAD_FOR)
    seconds = int(digits) if digits != word and digits.isdigit() else 0
    return seconds if seconds <= CONFIRM_MOST_S else 0


def pair() -> tuple[socket.socket, socket.socket]:
    """(parent's end, child's end), both non-blocking and closed on exec."""
    parent, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    parent.setblocking(False)
    child.setblocking(False)
    return parent, child


def say(end: socket.socket, word: bytes, fd: int = -1) -> bool:
    """Send one word, with a descriptor if given. False when the other end is gone or does not read."""
    try:
        if fd >= 0:
            socket.send_fds(end, [word], [fd])
        else:
            end.send(word)
    except OSError:
        return False
    return True


def hear(end: socket.socket) -> tuple[bytes, int] | None:
    """One word and its descriptor (-1 without); None when nothing waits; (b"", -1) when the other end is gone."""
    try:
        # Not socket.recv_fds: in Python 3.11 it ignores its flags, and a check script would inherit the document.
        word, rights, _, _ = end.recvmsg(MAX_WORD, socket.CMSG_LEN(_INT.size), socket.MSG_CMSG_CLOEXEC)
    except BlockingIOError:
        return None
    except OSError:
        return b"", -1
    fds = [_INT.unpack_from(data)[0] for _, kind, data in rights if kind == socket.SCM_RIGHTS]
    return word, fds[0] if fds else -1


def read_memfd(fd: int) -> bytes:
    """All bytes of a memfd, from its beginning; closes it."""
    try:
        size = os.fstat(fd).st_size
        return os.pread(fd, size, 0)
    finally:
        os.close(fd)


def write_memfd(name: str, content: bytes) -> int:
    """A new memfd that holds `content`."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    return fd
