"""Classic BPF programs on sockets: what the kernel keeps to itself instead of handing it over. Knows no protocol."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterable

Instruction = tuple[int, int, int, int]
"""Code, lines to skip if true, lines to skip if false, operand (`struct sock_filter`)."""

DROP: Instruction = (0x06, 0, 0, 0)

_INSTRUCTION = struct.Struct("=HBBI")
_SO_ATTACH_FILTER = 26


def assemble(instructions: Iterable[Instruction]) -> bytes:
    """The program as the kernel reads it."""
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in instructions)


def attach(sock: socket.socket, program: bytes) -> None:
    """Filter what `sock` receives from now on. Raises OSError."""
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)
