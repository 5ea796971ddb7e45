"""What a driver says of its carrier, asked by ioctl in one of three ways. Keeps nothing, and may take milliseconds.

Never to be called from the loop: some drivers wait for their hardware, and the kernel for its network lock.
"""

from __future__ import annotations

import ctypes
import fcntl
import struct
from collections.abc import Callable

from pyhad.common.config.model.lookout import PollMethod
from pyhad.vrrp_proc.kernel.netlink import IFF_RUNNING

_SIOCGIFFLAGS = 0x8913
_SIOCETHTOOL = 0x8946
_SIOCGMIIPHY, _SIOCGMIIREG = 0x8947, 0x8948
_ETHTOOL_GLINK = 0x0A
_MII_STATUS = 1  # IEEE 802.3 clause 22: the basic mode status register
_MII_LINK = 0x0004
_NAME = struct.Struct("=16s24x")
_MII = struct.Struct("=16sHHHH16x")
_FLAGS = struct.Struct("=16sH22x")
_POINTER = struct.Struct("@16sP16x")
_VALUE = struct.Struct("=II")


def ask(descriptor: int, name: str, method: PollMethod) -> bool | None:
    """Whether there is carrier; None when the interface is gone or its driver cannot be asked so.

    `descriptor` is any socket. With ANY nothing is asked: see `first_that_works`.
    """
    way = _WAYS.get(method)
    if way is None:
        return None
    try:
        return way(descriptor, name.encode())
    except OSError:
        return None


def first_that_works(descriptor: int, name: str) -> tuple[PollMethod, bool | None]:
    """The method, of all, that has an answer, and the answer; ANY and None without one."""
    for method in _WAYS:
        answer = ask(descriptor, name, method)
        if answer is not None:
            return method, answer
    return PollMethod.ANY, None


def _by_mii(descriptor: int, name: bytes) -> bool | None:
    phy = _MII.unpack(fcntl.ioctl(descriptor, _SIOCGMIIPHY, _NAME.pack(name)))[1]
    request, status = _MII.pack(name, phy, _MII_STATUS, 0, 0), 0
    for _ in range(2):  # a loss is kept in the register until it is read
        status = _MII.unpack(fcntl.ioctl(descriptor, _SIOCGMIIREG, request))[4]
    if status in (0, 0xFFFF):  # nobody answers at that address
        return None
    return status & _MII_LINK != 0


def _by_ethtool(descriptor: int, name: bytes) -> bool | None:
    value = ctypes.create_string_buffer(_VALUE.pack(_ETHTOOL_GLINK, 0), _VALUE.size)
    fcntl.ioctl(descriptor, _SIOCETHTOOL, _POINTER.pack(name, ctypes.addressof(value)))
    return bool(_VALUE.unpack(value.raw)[1])


def _by_flags(descriptor: int, name: bytes) -> bool | None:
    flags: int = _FLAGS.unpack(fcntl.ioctl(descriptor, _SIOCGIFFLAGS, _NAME.pack(name)))[1]
    return flags & IFF_RUNNING != 0


_WAYS: dict[PollMethod, Callable[[int, bytes], bool | None]] = {
    PollMethod.MII: _by_mii,
    PollMethod.ETHTOOL: _by_ethtool,
    PollMethod.IOCTL: _by_flags,
}
