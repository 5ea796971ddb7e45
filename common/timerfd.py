"""A timer of the kernel as a descriptor. Two processes may share one: while one moves it, the other hears nothing."""

from __future__ import annotations

import ctypes
import os

_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000
_TFD_TIMER_ABSTIME = 1
_libc = ctypes.CDLL(None, use_errno=True)


class _Itimerspec(ctypes.Structure):
    _fields_ = [("interval_s", ctypes.c_long), ("interval_ns", ctypes.c_long),
                ("value_s", ctypes.c_long), ("value_ns", ctypes.c_long)]  # fmt: skip


class TimerFd:
    """Watch `fd` for reading; whoever has it may `move` it. Raises OSError."""

    def __init__(self, fd: int = -1) -> None:
        """`fd`: one that was inherited; without it a new one."""
        self.fd = fd if fd >= 0 else _libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def move(self, at_ns: int) -> None:
        """It fires at that time of CLOCK_MONOTONIC, and not before; 0: never."""
        spec = _Itimerspec(0, 0, at_ns // 1_000_000_000, at_ns % 1_000_000_000)
        if _libc.timerfd_settime(self.fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def drain(self) -> None:
        """It was heard."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """In this process."""
        os.close(self.fd)
