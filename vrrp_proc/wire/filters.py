"""Which packets the sockets of VRRP are handed: filters that the kernel runs, made of VRIDs. Opens no socket."""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.packet_filter import DROP, Instruction, assemble
from pyhad.vrrp_proc.core.ah import HEADER_BYTES as AH_BYTES, PROTOCOL_AH
from pyhad.vrrp_proc.core.packet import PROTOCOL_VRRP

_LOAD_HEADER_LENGTH = (0xB1, 0, 0, 0)  # X = 4 * (first byte & 15): bytes of the IPv4 header
_LOAD_LENGTH = (0x80, 0, 0, 0)  # A = bytes in the packet
_SUBTRACT_X = (0x1C, 0, 0, 0)
_ZERO_X = (0x01, 0, 0, 0)
_LOAD_BYTE_AT_X = (0x50, 0, 0)  # A = byte at X + k
_JUMP_IF_AT_LEAST = 0x35
_JUMP_IF_EQUAL = 0x15
_ACCEPT = (0x06, 0, 0, 0xFFFFFFFF)
_X_IS_IPV6_HEADER = (0x01, 0, 0, 40)
_LOAD_BYTE = (0x30, 0, 0)  # A = byte at k
_JUMP = 0x05
_JUMP_MOST = 255  # of a conditional one
_X_IS_A = (0x07, 0, 0, 0)
_LOAD_INTERFACE = (0x20, 0, 0, 0xFFFFF008)  # SKF_AD_OFF + SKF_AD_IFINDEX
_SHIFT_8 = (0x64, 0, 0, 8)
_OR_X = (0x4C, 0, 0, 0)
_MOST_PAIRS = 3500
"""The kernel takes 4096 instructions; of more, VRIDs alone are looked at."""


def filter_vrids(vrids: Iterable[int], skip: int = 0) -> bytes:
    """Classic BPF for a raw IPv4 socket: packets of these VRIDs, and those too short to have one (they are counted).

    `skip` bytes stand between the IPv4 header and the message. Foreign virtual routers on the same segment then cost
    nothing (PKT-20).
    """
    return _filter([_LOAD_HEADER_LENGTH, _LOAD_LENGTH, _SUBTRACT_X], vrids, skip)


def filter_vrids6(vrids: Iterable[int]) -> bytes:
    """The same for a raw IPv6 socket, where the filter sees the payload only."""
    return _filter([_ZERO_X, _LOAD_LENGTH], vrids)


def filter_frames(family: int, wanted: Iterable[tuple[int, int]], sealed: Iterable[int]) -> bytes:
    """The same for a packet socket, which is given every packet of its family that comes by any interface.

    `wanted`: (interface index, VRID). A multicast packet comes by each virtual MAC of its segment once, and only one of
    those is meant. `sealed` have an IPv4 AH header and are told apart by their VRID alone.
    """
    start = [_LOAD_HEADER_LENGTH if family == 4 else _X_IS_IPV6_HEADER, _LOAD_LENGTH, _SUBTRACT_X]
    pairs = sorted(set(wanted))
    if len(pairs) <= _MOST_PAIRS:
        plain = _instructions_by_pair(start, pairs)
    else:
        plain = _instructions(start, {vrid for _, vrid in pairs})
    behind_ah = _instructions(start, sealed, AH_BYTES)
    program = [(*_LOAD_BYTE, 9 if family == 4 else 6), (_JUMP_IF_EQUAL, 1, 0, PROTOCOL_VRRP)]
    program += [(_JUMP, 0, 0, len(plain)), *plain, (_JUMP_IF_EQUAL, 1, 0, PROTOCOL_AH), DROP, *behind_ah]
    return assemble(program)


def _filter(start: list[Instruction], vrids: Iterable[int], skip: int = 0) -> bytes:
    return assemble(_instructions(start, vrids, skip))


def _instructions(start: list[Instruction], vrids: Iterable[int], skip: int = 0) -> list[Instruction]:
    """`start` leaves the bytes of the message in A, and where it begins in X."""
    wanted = sorted(set(vrids))
    program = [*start, (_JUMP_IF_AT_LEAST, 1, 0, skip + 2), _ACCEPT, (*_LOAD_BYTE_AT_X, skip + 1)]
    # Each comparison jumps to the last instruction, over those after it and the drop.
    program += [(_JUMP_IF_EQUAL, len(wanted) - place, 0, vrid) for place, vrid in enumerate(wanted)]
    return [*program, DROP, _ACCEPT]


def _instructions_by_pair(start: list[Instruction], pairs: list[tuple[int, int]]) -> list[Instruction]:
    """`start` as above. Interface index and VRID make one number, so that each pair costs one instruction."""
    program = [*start, (_JUMP_IF_AT_LEAST, 1, 0, 2), _ACCEPT, (*_LOAD_BYTE_AT_X, 1), _X_IS_A]
    program += [_LOAD_INTERFACE, _SHIFT_8, _OR_X]
    for first in range(0, len(pairs), _JUMP_MOST):
        group = pairs[first : first + _JUMP_MOST]
        program += [
            (_JUMP_IF_EQUAL, len(group) - place, 0, index << 8 | vrid) for place, (index, vrid) in enumerate(group)
        ]
        program += [(_JUMP, 0, 0, 1), _ACCEPT]
    return [*program, DROP]


def filter_nothing() -> bytes:
    """Classic BPF that accepts no packet: for sockets that only send."""
    return assemble([DROP])
