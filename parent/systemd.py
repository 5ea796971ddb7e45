"""What the service manager is told: datagrams to $NOTIFY_SOCKET. Without one, nothing."""

from __future__ import annotations

import os
import socket
import time

_PATIENCE = 6
"""How many times as long the manager waits while the program is replaced."""


class ServiceManager:
    """The other end of sd_notify. `watchdog_ns` is how often it wants to hear of us, 0 for never."""

    def __init__(self, address: str, watchdog_ns: int = 0, environment: dict[str, str] | None = None) -> None:
        self.watchdog_ns = watchdog_ns
        self.environment = environment or {}
        """What was taken out of the environment; an upgraded program wants it back."""
        self._socket: socket.socket | None = None
        if not address:
            return
        where = "\0" + address[1:] if address.startswith("@") else address
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            made.connect(where)
        except OSError:  # a manager that does not listen is no reason to serve nobody
            made.close()
        else:
            self._socket = made

    def ready(self, status: str, pid: int) -> None:
        """All children do their work. Also the end of a reload."""
        self._say(f"READY=1\nMAINPID={pid}\nSTATUS={status}")

    def reloading(self) -> None:
        """A reload begins; Type=notify-reload wants the moment."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=reading the configuration")

    def stopping(self) -> None:
        """An orderly stop begins."""
        self._say("STOPPING=1\nSTATUS=stopping")

    def failed(self, code: int) -> None:
        """The daemon ends because of a permanent error (CLI-38)."""
        self._say(f"ERRNO={code}")

    def beat(self) -> None:
        """Still turning."""
        self._say("WATCHDOG=1")

    def away(self) -> None:
        """About to be silent: the program that replaces this one must start first, slowly at worst."""
        if self.watchdog_ns:
            self._say(f"WATCHDOG_USEC={_PATIENCE * self.watchdog_ns // 1000}\nWATCHDOG=1")

    def back(self) -> None:
        """Beats come again as often as the manager wants them."""
        if self.watchdog_ns:
            self._say(f"WATCHDOG_USEC={self.watchdog_ns // 1000}\nWATCHDOG=1")

    def close(self) -> None:
        """Nothing more to say."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, text: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(text.encode())
        except OSError:  # full or gone: the next word says it again
            pass


def service_manager() -> ServiceManager:
    """The manager of this process's environment. Takes its variables out, so that no child speaks for us."""
    names = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
    taken = {name: os.environ.pop(name) for name in names if name in os.environ}
    address, usec, pid = taken.get("NOTIFY_SOCKET", ""), taken.get("WATCHDOG_USEC", "0"), taken.get("WATCHDOG_PID", "")
    is_ours = pid in ("", str(os.getpid()))
    return ServiceManager(address, int(usec) * 1000 if usec.isdigit() and is_ours else 0, taken)
