"""What is left of the kernel for the process that marks sockets: a filter of system calls (seccomp). Nothing else.

With the right to change the network and no way to open a socket, a file or a program there is nothing to use it on:
what may be done is to receive descriptors, to set SO_MARK on them, to answer, to close them, and to have memory.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct

SO_MARK = 36
_MACHINES = {
    "x86_64": (
        0xC000003E,
        {
            "setsockopt": 54, "recvmsg": 47, "sendto": 44, "write": 1, "close": 3, "brk": 12, "mmap": 9, "munmap": 11,
            "mremap": 25, "madvise": 28, "futex": 202, "rt_sigreturn": 15, "rt_sigprocmask": 14, "restart_syscall": 219,
            "exit": 60, "exit_group": 231,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "setsockopt": 208, "recvmsg": 212, "sendto": 206, "write": 64, "close": 57, "brk": 214, "mmap": 222,
            "munmap": 215, "mremap": 216, "madvise": 233, "futex": 98, "rt_sigreturn": 139, "rt_sigprocmask": 135,
            "restart_syscall": 128, "exit": 93, "exit_group": 94,
        },
    ),
}  # fmt: skip
"""AUDIT_ARCH and the numbers of the calls that are left."""
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
_NUMBER, _ARCH, _LEVEL, _OPTION = 0, 4, 24, 32  # of struct seccomp_data; arguments are 8 bytes, the low half first
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_libc = ctypes.CDLL(None, use_errno=True)


def program_for(machine: str) -> bytes:
    """The filter as the kernel wants it; empty for a machine whose numbers are not known here."""
    if machine not in _MACHINES:
        return b""
    arch, calls = _MACHINES[machine]
    setsockopt = calls["setsockopt"]
    others = [number for number in calls.values() if number != setsockopt]
    code = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, _NUMBER)]
    for number in others:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    code += [
        (_EQUAL, 1, 0, setsockopt), (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _LEVEL), (_EQUAL, 1, 0, socket.SOL_SOCKET), (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _OPTION), (_EQUAL, 1, 0, SO_MARK), (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *line) for line in code)


def shut_in() -> bool:
    """From now on, for this process and for good. False where the kernel or the machine has none of it.

    Needs `no_new_privileges` first. Nothing may be imported after it.
    """
    program = program_for(os.uname().machine)
    if not program:
        return False
    memory = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(memory))
    refused: int = _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(described), 0, 0)
    return not refused
