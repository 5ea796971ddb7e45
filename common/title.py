"""What `ps` shows of a process beside its name: its command line. Harmless where it does not work."""

from __future__ import annotations

import ctypes

_ARG_START, _ARG_END = 45, 46
"""Fields of /proc/PID/stat, counted after the name in brackets."""


def set_title(title: str) -> None:
    """Put `title` where the words of the command line stand, as far as there is room; /proc/PID/cmdline shows it.

    Python made copies of those words when it began, and nothing reads them any more.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    except (OSError, IndexError, ValueError):
        return
    room = end - start
    if start and room > 1:
        ctypes.memmove(start, title.encode()[: room - 1].ljust(room, b"\0"), room)


def title_of(name: str, daemon: str) -> str:
    """`pyhad: vrrp`, with the name of the daemon where it has one: `pyhad left: vrrp`."""
    return f"pyhad {daemon}: {name}" if daemon else f"pyhad: {name}"
