"""Which addresses this machine has, for `ha_suspend` (CHK-10): the kernel is asked at each news. Needs no right.

The news are not read, only that there are some: so none that got lost matters, and the answer is always whole.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable, Iterator

from pyhad.common.loop import Loop, Timer

SETTLE_NS = 50_000_000
"""Changes of this long are one question."""
_GROUPS = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_NEWADDR, _GETADDR, _DONE, _ERROR = 20, 22, 3, 2
_REQUEST_DUMP = 0x301
_INTERRUPTED = 0x10
_ATTEMPTS = 20
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_READ_BYTES = 1 << 18
_HEAD = struct.Struct("=IHHII")
_IFADDR = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")


class LocalAddresses:
    """Knows which of the addresses of `follow` are here. `on_change()` runs when `here` became another."""

    def __init__(self, loop: Loop, on_change: Callable[[], None]) -> None:
        self._loop = loop
        self._on_change = on_change
        self._wanted: frozenset[str] = frozenset()
        self._news: socket.socket | None = None
        self._timer: Timer | None = None
        self.here: frozenset[str] = frozenset()

    def follow(self, wanted: frozenset[str]) -> None:
        """Follow these from now on; `here` is true when this returns."""
        self._wanted = wanted
        if wanted and self._news is None:
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._news = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
            self._news.bind((0, _GROUPS))
            self._loop.watch(self._news.fileno(), self._told)
        elif not wanted and self._news is not None:
            self._loop.unwatch(self._news.fileno())
            self._news.close()
            self._news = None
        self.here = self._find()

    def lacks(self, address: str) -> bool:
        """Whether this address is followed and not here; never of no address."""
        return bool(address) and address not in self.here

    def _told(self, _events: int) -> None:
        assert self._news is not None
        try:
            while self._news.recv(_READ_BYTES):
                pass
        except OSError:  # empty, or news were lost: either way we ask
            pass
        if self._timer is None:
            self._timer = self._loop.after(SETTLE_NS, self._ask)

    def _ask(self) -> None:
        self._timer = None
        here = self._find()
        if here != self.here:
            self.here = here
            self._on_change()

    def _find(self) -> frozenset[str]:
        try:
            return frozenset(addresses() & self._wanted) if self._wanted else self._wanted
        except OSError:  # who does not know goes on checking
            return self._wanted


def addresses() -> set[str]:
    """All addresses of this network namespace. Raises OSError when the kernel gives no whole answer."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as asking:
        asking.bind((0, 0))
        for sequence in range(1, _ATTEMPTS):
            asking.send(_HEAD.pack(_HEAD.size + 8, _GETADDR, _REQUEST_DUMP, sequence, 0) + bytes(8))
            found: set[str] = set()
            whole = None
            while whole is None:
                datagram, sender = asking.recvfrom(_READ_BYTES)
                if sender[0] == 0:
                    whole = _read(datagram, sequence, found)
            if whole:
                return found
    raise OSError("no whole list of addresses")


def _read(datagram: bytes, sequence: int, found: set[str]) -> bool | None:
    """One datagram of the answer into `found`; at its end True, or False when something changed meanwhile."""
    for kind, flags, numbered, body in _messages(datagram):
        if numbered != sequence:
            continue
        if kind in (_DONE, _ERROR) or flags & _INTERRUPTED:
            return kind == _DONE and not flags & _INTERRUPTED
        if kind == _NEWADDR and len(body) >= _IFADDR.size:
            held = dict(_attributes(body[_IFADDR.size :]))
            raw = held.get(_IFA_LOCAL, held.get(_IFA_ADDRESS, b""))
            if len(raw) in (4, 16):
                found.add(str(ipaddress.ip_address(raw)))
    return None


def _messages(datagram: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    at = 0
    while at + _HEAD.size <= len(datagram):
        length, kind, flags, sequence, _ = _HEAD.unpack_from(datagram, at)
        if length < _HEAD.size:
            return
        yield kind, flags, sequence, datagram[at + _HEAD.size : at + length]
        at += (length + 3) & ~3


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind, body[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
