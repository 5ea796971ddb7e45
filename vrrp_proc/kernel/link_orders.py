"""The rtnetlink bytes that make, change and remove interfaces of our own: macvlan and ipvlan. No socket, no state.

An interface is named by its name, not by its index: so one write can hold its creation and all its settings.
Layouts: rtnetlink(7), linux/if_link.h.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from pyhad.vrrp_proc.kernel.netlink import (
    IFF_UP,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REQUEST,
    RTM_DELLINK,
    RTM_NEWLINK,
    RTM_SETLINK,
    attribute,
    message,
)

MACVLAN_PRIVATE = 1
IPVLAN_L2 = 0
IPVLAN_PRIVATE, IPVLAN_VEPA = 1, 2

# Settings of IPv4 on an interface, as in net.ipv4.conf.* (linux/ip.h, IPV4_DEVCONF_*).
RP_FILTER, ARP_ANNOUNCE, ARP_IGNORE, PROMOTE_SECONDARIES, ACCEPT_LOCAL = 8, 18, 19, 20, 23

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER, _IFLA_LINKINFO = 1, 3, 4, 5, 10, 18
_IFLA_IFALIAS, _IFLA_AF_SPEC, _IFLA_GROUP = 20, 26, 27
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFLA_MACVLAN_MODE = 1
_IFLA_IPVLAN_MODE, _IFLA_IPVLAN_FLAGS = 1, 2
_IFLA_INET_CONF = 1
_IFLA_INET6_ADDR_GEN_MODE, _GENERATE_NONE = 8, 1
_AF_INET, _AF_INET6 = 2, 10
_NESTED = 0x8000
_IFINFO = struct.Struct("=BxHiII")  # family, device type, index, flags, change mask
_U32 = struct.Struct("=I")
_U16 = struct.Struct("=H")


def encode_macvlan(name: str, base: int, mac: bytes, group: int, master: int, sequence: int) -> bytes:
    """A macvlan in private mode (VMAC-1), down. EEXIST where the name is taken. `master`: a VRF, or 0."""
    return _create(
        name, base, "macvlan", attribute(_IFLA_MACVLAN_MODE, _U32.pack(MACVLAN_PRIVATE)), group, master, mac, sequence
    )


def encode_ipvlan(name: str, base: int, flags: int, group: int, master: int, sequence: int) -> bytes:
    """An ipvlan in L2 mode (VMAC-6), down; `flags` say private or vepa."""
    data = attribute(_IFLA_IPVLAN_MODE, _U16.pack(IPVLAN_L2)) + attribute(_IFLA_IPVLAN_FLAGS, _U16.pack(flags))
    return _create(name, base, "ipvlan", data, group, master, b"", sequence)


def _create(name: str, base: int, kind: str, data: bytes, group: int, master: int, mac: bytes, sequence: int) -> bytes:
    info = attribute(_IFLA_INFO_KIND, kind.encode()) + attribute(_IFLA_INFO_DATA | _NESTED, data)
    body = _IFINFO.pack(0, 0, 0, 0, 0) + attribute(_IFLA_IFNAME, name.encode() + b"\0")
    body += attribute(_IFLA_LINK, _U32.pack(base)) + attribute(_IFLA_LINKINFO | _NESTED, info)
    body += attribute(_IFLA_GROUP, _U32.pack(group))
    if mac:
        body += attribute(_IFLA_ADDRESS, mac)
    if master:
        body += attribute(_IFLA_MASTER, _U32.pack(master))
    return message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sequence, body)


def encode_alias(name: str, alias: str, sequence: int) -> bytes:
    """What `ip link` shows as alias."""
    return _set(name, attribute(_IFLA_IFALIAS, alias.encode()), sequence)


def encode_mac(name: str, mac: bytes, sequence: int) -> bytes:
    """Another hardware address."""
    return _set(name, attribute(_IFLA_ADDRESS, mac), sequence)


def encode_mtu(name: str, mtu: int, sequence: int) -> bytes:
    """Another MTU."""
    return _set(name, attribute(_IFLA_MTU, _U32.pack(mtu)), sequence)


def encode_group(name: str, group: int, sequence: int) -> bytes:
    """Its link group; the kernel tells everybody of the interface even when that is no change."""
    return _set(name, attribute(_IFLA_GROUP, _U32.pack(group)), sequence)


def encode_ipv4_settings(name: str, settings: Mapping[int, int], sequence: int) -> bytes:
    """Settings of net.ipv4.conf by their number, without a look at /proc, which may be read-only."""
    values = b"".join(attribute(number, _U32.pack(value)) for number, value in settings.items())
    conf = attribute(_AF_INET | _NESTED, attribute(_IFLA_INET_CONF | _NESTED, values))
    return _set(name, attribute(_IFLA_AF_SPEC | _NESTED, conf), sequence)


def encode_no_link_local(name: str, sequence: int) -> bytes:
    """The kernel makes no IPv6 link-local address of its own; refused where there is no IPv6."""
    mode = attribute(_IFLA_INET6_ADDR_GEN_MODE, bytes((_GENERATE_NONE,)))
    return _set(name, attribute(_IFLA_AF_SPEC | _NESTED, attribute(_AF_INET6 | _NESTED, mode)), sequence)


def encode_up(name: str, sequence: int) -> bytes:
    """Administratively up."""
    return _set(name, b"", sequence, flags=IFF_UP, mask=IFF_UP)


def encode_delete(index: int, sequence: int) -> bytes:
    """By index: of two that ever had one name, only the one that was meant."""
    return message(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, sequence, _IFINFO.pack(0, 0, index, 0, 0))


def encode_delete_group(group: int, sequence: int) -> bytes:
    """All interfaces of a link group at once."""
    body = _IFINFO.pack(0, 0, 0, 0, 0) + attribute(_IFLA_GROUP, _U32.pack(group))
    return message(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, sequence, body)


def _set(name: str, attributes: bytes, sequence: int, *, flags: int = 0, mask: int = 0) -> bytes:
    body = _IFINFO.pack(0, 0, 0, flags, mask) + attribute(_IFLA_IFNAME, name.encode() + b"\0") + attributes
    return message(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, sequence, body)
