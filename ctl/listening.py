"""Frames from an interface or a file: a packet socket with a filter, scapy's reader of pcap and pcapng.

scapy is imported here, when a file is read, and nowhere else: it looks at every interface when it is imported.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from typing import BinaryIO

from pyhad.common.packet_filter import assemble, attach
from pyhad.ctl.exits import FORBIDDEN, NOT_WELL, CommandError

_ALL = 3
_MAX_FRAME = 65535
_LINK_ETHERNET = 1
_FILTER = (
    (0x28, 0, 0, 12),  # the Ethernet type
    (0x15, 9, 0, 0x0806),
    (0x15, 0, 4, 0x0800),
    (0x30, 0, 0, 23),  # IPv4's protocol
    (0x15, 6, 0, 112),
    (0x15, 5, 0, 51),
    (0x06, 0, 0, 0),
    (0x15, 0, 4, 0x86DD),
    (0x30, 0, 0, 20),  # IPv6's next header
    (0x15, 1, 0, 112),
    (0x15, 0, 1, 58),
    (0x06, 0, 0, _MAX_FRAME),
    (0x06, 0, 0, 0),
)
"""VRRP, AH, ARP, ICMPv6; everything else stays in the kernel."""


def from_interface(interface: str, seconds: float) -> Iterator[tuple[float, bytes]]:
    """(wall clock in s, frame) as they come, for so long; for ever when `seconds` is 0. Raises `CommandError`."""
    try:
        listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError:
        raise CommandError("only root may listen to an interface", FORBIDDEN) from None
    with listener:
        attach(listener, assemble(_FILTER))
        try:
            listener.bind((interface, _ALL))
        except OSError as error:
            raise CommandError(f"cannot listen to {interface}: {error.strerror}", NOT_WELL) from None
        end = time.monotonic() + seconds
        while not seconds or time.monotonic() < end:
            listener.settimeout(max(0.01, end - time.monotonic()) if seconds else None)
            try:
                yield time.time(), listener.recv(_MAX_FRAME)
            except TimeoutError:
                return
            except OSError as error:
                raise CommandError(f"{interface}: {error.strerror}", NOT_WELL) from None


def from_file(path: str) -> Iterator[tuple[float, bytes]]:
    """(time in s, frame) of a pcap or pcapng file. Raises `CommandError`."""
    try:
        from scapy.error import Scapy_Exception
        from scapy.utils import RawPcapReader
    except ImportError:
        raise CommandError("reading packet files needs scapy, which is not installed", NOT_WELL) from None
    try:
        reader = RawPcapReader(path)
    except (OSError, Scapy_Exception) as error:
        raise CommandError(f"cannot read {path}: {error}", NOT_WELL) from None
    with reader:
        for frame, about in reader:
            seconds = getattr(about, "sec", 0) or 0
            yield float(seconds) + float(getattr(about, "usec", 0) or 0) / 1e6, frame


def begin_file(file: BinaryIO) -> None:
    """The header of a pcap file."""
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _MAX_FRAME, _LINK_ETHERNET))


def write_frame(file: BinaryIO, at: float, frame: bytes) -> None:
    """One frame of a pcap file, at once on disk."""
    whole = int(at)
    file.write(struct.pack("<IIII", whole, int((at - whole) * 1e6), len(frame), len(frame)) + frame)
    file.flush()
