"""Notes what happens on a host, for others to read: `python -m bench.vrrp.watch adverts|addresses FILE`.

`adverts`: each VRRP packet of every interface with the kernel's own time stamp, so that how busy this process is does
not matter. `addresses`: each IPv4 address that comes or goes, with the time at which it was read. Records are of fixed
length, times are CLOCK_REALTIME ns.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ADVERT = struct.Struct("=QIBBBx")
"""When, interface index, VRID, priority, whether it left this host rather than came in."""
ADDRESS = struct.Struct("=Q4sB")
"""When, which, whether it came."""
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33
_PACKET_OUTGOING = 4
_ETH_P_ALL = 3
_BUFFER_BYTES = 64 * 1024 * 1024
_DRAIN_S = 0.02
_ONLY_VRRP = (
    (0x30, 0, 0, 0), (0x54, 0, 0, 0xF0), (0x15, 0, 3, 0x40),  # IPv4
    (0x30, 0, 0, 9), (0x15, 0, 1, 112), (0x06, 0, 0, 64), (0x06, 0, 0, 0),
)  # fmt: skip
_TIMESPEC = struct.Struct("@ll")


class Advert(NamedTuple):
    """One packet on the wire."""

    at_ns: int
    interface: int
    vrid: int
    priority: int
    is_outgoing: bool


class Change(NamedTuple):
    """One address that came or went."""

    at_ns: int
    address: str
    came: bool


def adverts_in(path: Path) -> list[Advert]:
    """All that was noted so far."""
    content = path.read_bytes()
    whole = len(content) // ADVERT.size * ADVERT.size
    return [Advert(*one[:4], bool(one[4])) for one in ADVERT.iter_unpack(content[:whole])]


def changes_in(path: Path) -> list[Change]:
    """All that was noted so far."""
    content = path.read_bytes()
    whole = len(content) // ADDRESS.size * ADDRESS.size
    return [
        Change(at, socket.inet_ntoa(address), bool(came)) for at, address, came in ADDRESS.iter_unpack(content[:whole])
    ]


def _packet_socket() -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _ONLY_VRRP)
    buffer = ctypes.create_string_buffer(program, len(program))
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", len(_ONLY_VRRP), ctypes.addressof(buffer)))
    sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    sock.setblocking(False)
    return sock


def watch_adverts(path: Path) -> None:
    """Until it is ended."""
    sock = _packet_socket()
    indexes: dict[str, int] = {}
    with path.open("ab", buffering=0) as notes:
        while True:
            time.sleep(_DRAIN_S)
            found = []
            while True:
                try:
                    packet, ancillary, _, sender = sock.recvmsg(64, 64)
                except BlockingIOError:
                    break
                seconds, ns = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
                head = (packet[0] & 15) * 4
                index = indexes.get(sender[0])
                if index is None:
                    index = indexes[sender[0]] = socket.if_nametoindex(sender[0])
                outgoing = sender[2] == _PACKET_OUTGOING
                found.append(
                    ADVERT.pack(seconds * 1_000_000_000 + ns, index, packet[head + 1], packet[head + 2], outgoing)
                )
            if found:
                notes.write(b"".join(found))


def watch_addresses(path: Path) -> None:
    """Until it is ended."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    sock.bind((0, 0x10))  # RTMGRP_IPV4_IFADDR
    with path.open("ab", buffering=0) as notes:
        while True:
            select.select([sock], [], [])
            message = sock.recv(65536)
            now_ns = time.time_ns()
            for address, came in address_changes(message):
                notes.write(ADDRESS.pack(now_ns, address, came))


def address_changes(message: bytes) -> Iterator[tuple[bytes, bool]]:
    """(IPv4 address packed, whether it came) as a notification of rtnetlink has it."""
    _, kind, _, _, _ = struct.unpack_from("=IHHII", message)
    at = 24  # after both heads
    while at + 4 <= len(message):
        length, attribute = struct.unpack_from("=HH", message, at)
        if attribute == 2:  # IFA_LOCAL
            yield message[at + 4 : at + 8], kind == 20
        at += max(4, (length + 3) & ~3)


def main() -> None:
    """Ahead of everybody where it may: only times matter, and few are needed."""
    what, path = sys.argv[1], Path(sys.argv[2])
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(90))
    except PermissionError:
        pass  # late notes of addresses then; those of adverts carry the kernel's time
    {"adverts": watch_adverts, "addresses": watch_addresses}[what](path)


if __name__ == "__main__":
    main()
