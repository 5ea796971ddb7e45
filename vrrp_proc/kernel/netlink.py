"""The rtnetlink bytes that a fail-over needs, packed and parsed: links and addresses. No socket, no clock, no state.

Encoders give whole messages, ready to be joined into one `sendmsg`. `parse` reads what the kernel sends; what does not
fit is counted, never raised: one bad message must not cost the ones around it. Layouts: netlink(7), rtnetlink(7).
"""

from __future__ import annotations

import socket
import struct
import sys

from pyhad.common.records import dataclass

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22

NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN = 1, 2, 3, 4

NLM_F_REQUEST = 0x001
NLM_F_ACK = 0x004
NLM_F_DUMP_INTERRUPTED = 0x010
NLM_F_DUMP = 0x300
NLM_F_EXCL = 0x200
NLM_F_REPLACE = 0x100
NLM_F_CREATE = 0x400
NLM_F_CAPPED = 0x100
NLM_F_ACK_TLVS = 0x200
_NLMSGERR_ATTR_MSG = 1

GROUP_LINK = 0x1
GROUP_IPV4_ADDRESS = 0x10
GROUP_IPV6_ADDRESS = 0x100

IFF_UP = 0x1
IFF_LOOPBACK = 0x8
IFF_RUNNING = 0x40
IFF_NOARP = 0x80
IFF_MULTICAST = 0x1000

IFA_F_SECONDARY = 0x01
IFA_F_NODAD = 0x02
IFA_F_DADFAILED = 0x08
IFA_F_TENTATIVE = 0x40

PROTOCOL_VRRP = 112
"""Our mark on addresses (IFA_PROTO, kernel 5.18 and later; older ones ignore it): VRRP's own protocol number. A daemon
with a name has another one (`addresses.address_mark_of`)."""

LIFETIME_SEQUENCE = 0xFFFFFFFF
"""Of every `encode_lifetime`, and of no other message (see renewal_news.py)."""

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER, _IFLA_LINKINFO = 1, 3, 4, 5, 10, 18
_IFLA_IFALIAS, _IFLA_GROUP = 20, 27
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _FIRST_SETTING = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_BROADCAST, _IFA_CACHEINFO, _IFA_FLAGS, _IFA_PROTO = 1, 2, 3, 4, 6, 8, 11

HEAD = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
_IFINFO = struct.Struct("=BxHiII")  # family, device type, index, flags, change mask
_IFADDR = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ATTRIBUTE = struct.Struct("=HH")  # length with this head, type
_ERRNO = struct.Struct("=i")
_FLAGS = struct.Struct("=I")
_CACHEINFO = struct.Struct("=IIII")  # preferred and valid lifetime in s, two time stamps
_FOREVER = 0xFFFFFFFF
_TYPE_MASK = 0x3FFF
_ADDRESS_BYTES = {socket.AF_INET: 4, socket.AF_INET6: 16}


@dataclass(frozen=True, slots=True)
class LinkDetails:
    """What matters of an interface only where virtual MACs are in use."""

    kind: str = ""
    """`macvlan`, `ipvlan`, `veth`, `vrf` …; empty: plain hardware."""
    mode: int = 0
    """Of a macvlan or ipvlan; the routing table of a VRF."""
    base: int = 0
    """Index of the interface that it stands on."""
    master: int = 0
    """Index of the bridge, bond or VRF that it belongs to."""
    mtu: int = 0
    group: int = 0
    alias: str = ""


NO_DETAILS = LinkDetails()


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """One interface as the kernel describes it; `gone` when it was deleted."""

    index: int
    name: str
    flags: int
    mac: bytes
    gone: bool
    details: LinkDetails = NO_DETAILS


@dataclass(frozen=True, slots=True)
class AddressSeen:
    """One address on one interface; `gone` when it was removed. `protocol` is IFA_PROTO, 0 if none."""

    index: int
    address: str
    prefix_len: int
    scope: int
    flags: int
    protocol: int
    gone: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The kernel's answer to the request `sequence`: `errno` 0 is an acknowledgement."""

    sequence: int
    errno: int
    detail: str = ""
    """What the kernel says about it in words."""


@dataclass(frozen=True, slots=True)
class DumpDone:
    """End of the dump `sequence`. `interrupted`: something changed meanwhile, ask again."""

    sequence: int
    interrupted: bool


Seen = LinkSeen | AddressSeen | Answer | DumpDone


@dataclass(frozen=True, slots=True)
class AddressRequest:
    """An address to add or remove, with everything the kernel wants to know."""

    index: int
    address: str
    prefix_len: int
    scope: int = 0
    label: str = ""
    broadcast: str = ""
    preferred_lft_s: int | None = None
    """None: for ever. 0: nobody takes it as source who was not told to (NET-1)."""
    peer: str = ""
    flags: int = 0
    """IFA_F_* beside NODAD."""
    detects_duplicates: bool = False
    protocol: int = PROTOCOL_VRRP


def encode_add(request: AddressRequest, sequence: int) -> bytes:
    """RTM_NEWADDR that fails with EEXIST when the address is there already (NET-11). IPv6 without DAD (NET-1)."""
    lifetimes = None if request.preferred_lft_s is None else (request.preferred_lft_s, _FOREVER)
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
    return message(RTM_NEWADDR, flags, sequence, _address_body(request, lifetimes))


def encode_lifetime(request: AddressRequest, valid_s: int | None) -> bytes:
    """RTM_NEWADDR without acknowledgement: the address that is there lives for `valid_s` more, None: for ever."""
    valid = _FOREVER if valid_s is None else valid_s
    preferred = valid if request.preferred_lft_s is None else min(request.preferred_lft_s, valid)
    body = _address_body(request, (preferred, valid))
    return message(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_REPLACE, LIFETIME_SEQUENCE, body)


def _address_body(request: AddressRequest, lifetimes: tuple[int, int] | None) -> bytes:
    """`lifetimes`: preferred and valid, in seconds."""
    family, packed = _pack_address(request.address)
    other = _pack_address(request.peer)[1] if request.peer else packed
    wanted = [attribute(_IFA_LOCAL, packed), attribute(_IFA_ADDRESS, other)]
    flags = request.flags
    if family == socket.AF_INET6 and not request.detects_duplicates:
        flags |= IFA_F_NODAD
    if request.label:
        wanted.append(attribute(_IFA_LABEL, request.label.encode() + b"\0"))
    if request.broadcast:
        wanted.append(attribute(_IFA_BROADCAST, _pack_address(request.broadcast)[1]))
    if lifetimes is not None:
        wanted.append(attribute(_IFA_CACHEINFO, _CACHEINFO.pack(*lifetimes, 0, 0)))
    if flags > 0xFF:  # more than the head has room for
        wanted.append(attribute(_IFA_FLAGS, _FLAGS.pack(flags)))
    wanted.append(attribute(_IFA_PROTO, bytes((request.protocol,))))
    head = _IFADDR.pack(family, request.prefix_len, flags & 0xFF, request.scope, request.index)
    return head + b"".join(wanted)


def encode_remove(request: AddressRequest, sequence: int) -> bytes:
    """RTM_DELADDR of exactly this address and prefix; EADDRNOTAVAIL when it is not there."""
    family, packed = _pack_address(request.address)
    body = _IFADDR.pack(family, request.prefix_len, 0, request.scope, request.index) + attribute(_IFA_LOCAL, packed)
    return message(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK, sequence, body)


def encode_link_dump(sequence: int) -> bytes:
    """All interfaces."""
    return message(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence, _IFINFO.pack(0, 0, 0, 0, 0))


def encode_address_dump(sequence: int, family: int = socket.AF_UNSPEC) -> bytes:
    """All addresses of `family` (0: of every family)."""
    return message(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence, _IFADDR.pack(family, 0, 0, 0, 0))


def parse(datagram: bytes) -> tuple[list[Seen], int]:
    """(what a datagram of the kernel says, number of malformed messages in it). Never raises."""
    seen: list[Seen] = []
    malformed = 0
    at, end = 0, len(datagram)
    while at < end:
        if end - at < HEAD.size:
            return seen, malformed + 1
        length, kind, flags, sequence, _ = HEAD.unpack_from(datagram, at)
        if length < HEAD.size or at + length > end:
            return seen, malformed + 1
        try:
            one = _parse_body(kind, flags, sequence, datagram[at + HEAD.size : at + length])
        except (struct.error, ValueError, IndexError):
            malformed += 1
        else:
            if one is not None:
                seen.append(one)
        at += (length + 3) & ~3
    return seen, malformed


def _parse_body(kind: int, flags: int, sequence: int, body: bytes) -> Seen | None:
    if kind in (RTM_NEWADDR, RTM_DELADDR):
        return _parse_address(body, gone=kind == RTM_DELADDR)
    if kind in (RTM_NEWLINK, RTM_DELLINK):
        return _parse_link(body, gone=kind == RTM_DELLINK)
    if kind == NLMSG_ERROR:
        return Answer(sequence, -_ERRNO.unpack_from(body)[0], _detail(flags, body))
    if kind == NLMSG_DONE:
        return DumpDone(sequence, bool(flags & NLM_F_DUMP_INTERRUPTED))
    return None


def _detail(flags: int, body: bytes) -> str:
    """The words stand after the head of the refused message, which is all of it that comes back (NETLINK_CAP_ACK)."""
    if not flags & NLM_F_ACK_TLVS or not flags & NLM_F_CAPPED:
        return ""
    return attributes(body, _ERRNO.size + HEAD.size).get(_NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode(errors="replace")


def _parse_link(body: bytes, *, gone: bool) -> LinkSeen | None:
    family, _, index, flags, _ = _IFINFO.unpack_from(body)
    if family != socket.AF_UNSPEC:  # AF_BRIDGE: a port left its bridge, the interface itself is still there
        return None
    found = attributes(body, _IFINFO.size)
    name = _text(found.get(_IFLA_IFNAME, b""))
    if index <= 0 or not name:
        raise ValueError("a link without index or name")
    return LinkSeen(index, name, flags, found.get(_IFLA_ADDRESS, b""), gone, _details(found))


def _details(found: dict[int, bytes]) -> LinkDetails:
    info = attributes(found.get(_IFLA_LINKINFO, b""), 0)
    kind, mode = _text(info.get(_IFLA_INFO_KIND, b"")), 0
    if kind in ("macvlan", "ipvlan", "vrf"):
        mode = int.from_bytes(attributes(info.get(_IFLA_INFO_DATA, b""), 0).get(_FIRST_SETTING, b""), sys.byteorder)
    return LinkDetails(
        kind=kind,
        mode=mode,
        base=_number(found, _IFLA_LINK),
        master=_number(found, _IFLA_MASTER),
        mtu=_number(found, _IFLA_MTU),
        group=_number(found, _IFLA_GROUP),
        alias=_text(found.get(_IFLA_IFALIAS, b"")),
    )


def _number(found: dict[int, bytes], kind: int) -> int:
    return _FLAGS.unpack(found[kind])[0] if kind in found else 0


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("ascii", "backslashreplace")


def _parse_address(body: bytes, *, gone: bool) -> AddressSeen | None:
    family, prefix_len, flags, scope, index = _IFADDR.unpack_from(body)
    wanted = _ADDRESS_BYTES.get(family)
    if wanted is None:
        return None
    found = attributes(body, _IFADDR.size)
    packed = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS) or b""
    if len(packed) != wanted or prefix_len > wanted * 8:
        raise ValueError("an address of the wrong length")
    if _IFA_FLAGS in found:  # the eight bits of the head were not enough
        flags = _FLAGS.unpack(found[_IFA_FLAGS])[0]
    protocol = found.get(_IFA_PROTO, b"\0")[0]
    return AddressSeen(index, socket.inet_ntop(family, packed), prefix_len, scope, flags, protocol, gone)


def attributes(body: bytes, at: int) -> dict[int, bytes]:
    """Attributes by type, from byte `at` on. Raises ValueError where one runs over the end."""
    found: dict[int, bytes] = {}
    end = len(body)
    while at + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size or at + length > end:
            raise ValueError("an attribute runs over the end")
        found[kind & _TYPE_MASK] = body[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def _pack_address(text: str) -> tuple[int, bytes]:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return family, socket.inet_pton(family, text)


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One whole message."""
    return HEAD.pack(HEAD.size + len(body), kind, flags, sequence, 0) + body
