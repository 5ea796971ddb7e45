"""Hears from the kernel that routes or rules of ours were removed or replaced by others. Puts nothing back.

A machine may hold a million routes of a routing daemon that come and go by the thousand: there is a subscription only
while something is watched, and a filter in the kernel lets through only what concerns a destination of ours.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterable

from pyhad.common.config.model import Path, VirtualRoute
from pyhad.common.config.model.routes import PROTOCOL_KEEPALIVED
from pyhad.common.loop import Loop
from pyhad.common.packet_filter import assemble, attach
from pyhad.vrrp_proc.kernel.netlink import HEAD
from pyhad.vrrp_proc.kernel.netlink_paths import (
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_NEWROUTE,
    RouteGone,
    RuleGone,
    parse_gone,
)
from pyhad.vrrp_proc.kernel.route_socket import is_overrun, open_socket, read_datagram

_GROUPS = {(4, True): 7, (4, False): 8, (6, True): 11, (6, False): 19}
"""RTNLGRP_* by family, and whether it is for routes."""
_READ_BYTES = 64 * 1024
_DATAGRAMS_PER_TURN = 256
_MOST_WORDS = 200
"""A jump of the filter spans at most 255 instructions."""
_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP = 270, 1
_LITTLE = sys.byteorder == "little"
_TYPE_BYTE, _REPLACE_BYTE, _REPLACE_BIT = (4, 7, 1) if _LITTLE else (5, 6, 1)
_PROTOCOL_BYTE, _ATTRIBUTES = 16 + 5, 16 + 12
_FIND_ATTRIBUTE = 0xFFFFF000 + 12  # SKF_AD_OFF + SKF_AD_NLATTR: A = where attribute X is, from A on; 0: nowhere
_RTA_DST = 1
_LOAD_BYTE, _LOAD_WORD, _LOAD_WORD_AT_X, _LOAD_NUMBER, _X_NUMBER, _X_IS_A = 0x30, 0x20, 0x40, 0x00, 0x01, 0x07
_IF_EQUAL, _IF_BIT, _RETURN = 0x15, 0x45, 0x06
_ALL = 0xFFFFFFFF
_Step = tuple[int, str, str, int]
"""Operation, where to go if true and if false, number."""

Gone = RouteGone | RuleGone


class PathWatch:
    """One socket, open while something is watched. `on_gone` gets losses; `on_overrun` runs when some were missed."""

    def __init__(self, loop: Loop, on_gone: Callable[[list[Gone]], None], on_overrun: Callable[[], None]) -> None:
        self.overruns = 0
        self.refused = 0
        self._loop = loop
        self._on_gone = on_gone
        self._on_overrun = on_overrun
        self._socket: socket.socket | None = None
        self._groups: frozenset[int] = frozenset()
        self._program = b""
        self._buffer = bytearray(_READ_BYTES)

    def fit(self, paths: Iterable[Path]) -> None:
        """Watch these and nothing else; those that nobody tracks are left out. Raises KernelError."""
        watched = [path for path in paths if path.tracked]
        groups = frozenset(_GROUPS[path.family, isinstance(path, VirtualRoute)] for path in watched)
        program = filter_program(watched)
        if groups == self._groups and program == self._program:
            return
        self.close()
        self._groups, self._program = groups, program
        if groups:
            self._socket = open_socket(0)
            attach(self._socket, program)  # before the flood begins
            for group in groups:
                self._socket.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)
            self._loop.watch(self._socket.fileno(), self._read)

    def close(self) -> None:
        """Hear nothing any more."""
        if self._socket is not None:
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket, self._groups, self._program = None, frozenset(), b""

    def _read(self, _events: int = 0) -> None:
        """A bounded number at a time; the rest waits for the next turn."""
        gone: list[Gone] = []
        missed = False
        for _ in range(_DATAGRAMS_PER_TURN):
            if self._socket is None:
                return
            try:
                datagram = read_datagram(self._socket, self._buffer)
            except BlockingIOError:
                break
            except OSError as error:
                if not is_overrun(error):
                    raise
                self.overruns += 1
                missed = True
                continue
            if datagram is None:
                self.refused += 1
            else:
                gone += self._parse(datagram)
        if gone:
            self._on_gone(gone)
        if missed:
            self._on_overrun()

    def _parse(self, datagram: bytes) -> list[Gone]:
        """All losses in it; what makes no sense is counted."""
        found: list[Gone] = []
        at = 0
        while at + HEAD.size <= len(datagram):
            length, kind, _, _, _ = HEAD.unpack_from(datagram, at)
            if length < HEAD.size:
                self.refused += 1
                break
            try:
                one = parse_gone(kind, datagram[at + HEAD.size : at + length])
            except (ValueError, struct.error):
                self.refused += 1
            else:
                if one is not None:
                    found.append(one)
            at += (length + 3) & ~3
        return found


def filter_program(paths: Iterable[Path]) -> bytes:
    """Classic BPF: removals of rules; removals and replacements of routes to a destination of `paths`.

    With more destinations than a program can name it goes by our protocol number, and replacements are not heard.
    """
    routes = [path for path in paths if isinstance(path, VirtualRoute)]
    words = sorted({_first_word(route.destination) for route in routes if route.prefix_len})
    if len(words) > _MOST_WORDS:
        body: list[_Step] = [(_LOAD_BYTE, "", "", _PROTOCOL_BYTE), (_IF_EQUAL, "accept", "drop", PROTOCOL_KEEPALIVED)]
    else:
        body = [
            (_LOAD_NUMBER, "", "", _ATTRIBUTES),
            (_X_NUMBER, "", "", _RTA_DST),
            (_LOAD_WORD, "", "", _FIND_ATTRIBUTE),
            # A default route names no destination.
            (_IF_EQUAL, "drop" if all(route.prefix_len for route in routes) else "accept", "", 0),
            (_X_IS_A, "", "", 0),
            (_LOAD_WORD_AT_X, "", "", 4),
            *((_IF_EQUAL, "accept", "", word) for word in words),
        ]
    start: list[_Step] = [
        (_LOAD_BYTE, "", "", _TYPE_BYTE),
        (_IF_EQUAL, "accept", "", RTM_DELRULE),
        (_IF_EQUAL, "body", "", RTM_DELROUTE),
        (_IF_EQUAL, "", "drop", RTM_NEWROUTE),
        (_LOAD_BYTE, "", "", _REPLACE_BYTE),
        (_IF_BIT, "", "drop", _REPLACE_BIT),
    ]
    return _assembled([*start, *body, (_RETURN, "", "", 0), (_RETURN, "", "", _ALL)], {"body": len(start)})


def _assembled(steps: list[_Step], places: dict[str, int]) -> bytes:
    """The last two steps are `drop` and `accept`; an empty label is the next step."""
    places = {**places, "drop": len(steps) - 2, "accept": len(steps) - 1}

    def steps_to(label: str, at: int) -> int:
        return places[label] - at - 1 if label else 0

    return assemble(
        (code, steps_to(if_true, at), steps_to(if_false, at), number)
        for at, (code, if_true, if_false, number) in enumerate(steps)
    )


def _first_word(address: str) -> int:
    """As the filter loads it: in network order."""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    return int.from_bytes(packed[:4], "big")
