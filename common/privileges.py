"""Giving up rights: user, groups and capabilities of the calling process, by system calls alone.

Nothing here looks at configuration. Every function raises `KernelError` when the kernel refuses.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import struct

from pyhad.common.errors import KernelError

CAP_DAC_READ_SEARCH = 2
CAP_KILL = 5
CAP_SETGID = 6
CAP_SETUID = 7
CAP_NET_BIND_SERVICE = 10
CAP_NET_ADMIN = 12
CAP_NET_RAW = 13
CAP_IPC_LOCK = 14
CAP_SYS_NICE = 23

SERVICE_USER = "pyhad"
FALLBACK_USER = "nobody"

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_LAST_CAP = 40
_CAPSET_HEAD = struct.pack("=Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
_libc = ctypes.CDLL(None, use_errno=True)


def service_account() -> tuple[str, int, int]:
    """(name, uid, gid) of the user for unprivileged children: `pyhad`, or `nobody` where that does not exist."""
    for name in (SERVICE_USER, FALLBACK_USER):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return name, entry.pw_uid, entry.pw_gid
    return "65534", 65534, 65534


def die_with_parent(parent_pid: int) -> None:
    """Ask for SIGTERM when the parent dies; closes the race with a parent already dead (`parent_pid` gone)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        raise SystemExit(1)


def set_process_name(name: str) -> None:
    """The comm name shown by ps and top (15 bytes at most are kept by the kernel)."""
    _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def no_new_privileges() -> None:
    """No execve of this process or its children can ever gain rights."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop(*, uid: int, gid: int, keep: frozenset[int] = frozenset(), programs: frozenset[int] = frozenset()) -> None:
    """Become `uid`:`gid` with exactly the capabilities `keep` (permitted and effective, none inheritable).

    `programs` are those that a program started by this process may still have from its own file, as ping has: the
    kernel refuses to run a program that brings a capability which the bounding set lacks.

    Where the process is not root it already lacks what this would give up: only the capability sets are cut down
    to what of `keep` is there. Clears PDEATHSIG as the kernel does on a change of identity: ask for it afterwards.
    """
    if os.geteuid() == 0:
        for capability in range(_LAST_CAP + 1):
            if capability not in keep | programs:
                _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        _prctl(_PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _capset(keep & permitted())


def permitted() -> frozenset[int]:
    """The capabilities this process may use, by number."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"CapPrm:"):
                mask = int(line.split()[1], 16)
                return frozenset(bit for bit in range(64) if mask >> bit & 1)
    return frozenset()


def _capset(keep: frozenset[int]) -> None:
    mask = sum(1 << capability for capability in keep)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = struct.pack("=6I", low, low, 0, high, high, 0)
    if _libc.capset(_CAPSET_HEAD, data) != 0:
        raise KernelError("capset", ctypes.get_errno())


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise KernelError(f"prctl({option})", ctypes.get_errno())
