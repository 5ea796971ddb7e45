"""Services, destinations, timeouts and sync daemons as attributes of the kernel's IPVS family, both ways.

Kinds and layouts: linux/ip_vs.h. Addresses are a union of 16 bytes in network order, ports are in network order
too; everything else is in the machine's own. Writes whole objects: what is left out the kernel refuses or guesses.
"""

from __future__ import annotations

import functools
import ipaddress
import struct
from typing import Literal

from pyhad.common.config.model import (
    Forwarding,
    IpvsTimeouts,
    Listener,
    Protocol,
    SyncDaemon,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from pyhad.common.errors import WireError
from pyhad.ipvs_proc.core.genl import attribute, attributes_from
from pyhad.ipvs_proc.core.table import (
    FLAG_ONE_PACKET,
    FLAG_SCHEDULER_1,
    FLAG_SCHEDULER_2,
    FLAG_SCHEDULER_3,
    Connections,
    Destination,
    Endpoint,
    Service,
    rates_of,
)

NEW_SERVICE, SET_SERVICE, DEL_SERVICE, GET_SERVICE = 1, 2, 3, 4
NEW_DEST, SET_DEST, DEL_DEST, GET_DEST = 5, 6, 7, 8
NEW_DAEMON, DEL_DAEMON, GET_DAEMON, SET_CONFIG, GET_CONFIG = 9, 10, 11, 12, 13
FLUSH = 17

_SERVICE, _DEST, _DAEMON, _TIMEOUT_TCP, _TIMEOUT_TCP_FIN, _TIMEOUT_UDP = 1, 2, 3, 4, 5, 6
(_S_FAMILY, _S_PROTOCOL, _S_ADDRESS, _S_PORT, _S_MARK, _S_SCHEDULER, _S_FLAGS, _S_TIMEOUT, _S_NETMASK) = range(1, 10)
_S_ENGINE, _S_STATS64 = 11, 12
(_D_ADDRESS, _D_PORT, _D_METHOD, _D_WEIGHT, _D_UPPER, _D_LOWER, _D_ACTIVE, _D_INACTIVE) = range(1, 9)
_D_FAMILY, _D_STATS64, _D_TUNNEL_TYPE, _D_TUNNEL_PORT, _D_TUNNEL_FLAGS = 11, 12, 13, 14, 15
(_Y_STATE, _Y_INTERFACE, _Y_ID, _Y_MAX_LEN, _Y_GROUP, _Y_GROUP6, _Y_PORT, _Y_TTL) = range(1, 9)

DEST, DEST_STATS64, DEST_SHORT_COUNTERS = _DEST, _D_STATS64, (_D_ACTIVE, _D_INACTIVE)
DEST_VOLATILE = (_D_ACTIVE, _D_INACTIVE, 9, 10, _D_STATS64)
"""What changes with traffic: also persistent connections, and the statistics of 32 bits."""
STATS_COUNTERS, STATS_RATES = (1, 2, 3, 4, 5), (6, 7, 8, 9, 10)
"""Connections, packets in and out, bytes in and out: so far, and each second."""

_FLAG_PERSISTENT = 0x01
_OUR_FLAGS = FLAG_ONE_PACKET | FLAG_SCHEDULER_1 | FLAG_SCHEDULER_2 | FLAG_SCHEDULER_3
_MASK = 0xFFFFFFFF
_METHODS = {Forwarding.NAT: 0, Forwarding.TUNNEL: 2, Forwarding.DIRECT_ROUTE: 3}  # LVS-7
_METHOD_MASK = 0x07
_METHODS_BACK = {0: Forwarding.NAT, 1: Forwarding.NAT, 2: Forwarding.TUNNEL, 3: Forwarding.DIRECT_ROUTE}
_PROTOCOLS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}
_PROTOCOLS_BACK = {number: protocol for protocol, number in _PROTOCOLS.items()}
_TUNNELS = tuple(TunnelType)  # ipip 0, gue 1, gre 2
_CHECKSUMS = tuple(TunnelChecksum)  # none 0, csum 1, remcsum 2
_INET, _INET6 = 2, 10
_FAMILIES = {4: _INET, 6: _INET6}
MASTER, BACKUP = 1, 2
"""States of a sync daemon: one sends, one receives."""

_ORDER: Literal["little", "big"] = "little" if struct.pack("=H", 1) == b"\1\0" else "big"
_U8, _U16, _U32, _BE16 = struct.Struct("=B"), struct.Struct("=H"), struct.Struct("=I"), struct.Struct("!H")


def _u16(kind: int, value: int) -> bytes:
    return attribute(kind, _U16.pack(value))


def _u32(kind: int, value: int) -> bytes:
    return attribute(kind, _U32.pack(value))


def _text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


@functools.lru_cache(maxsize=65536)
def _address(address: str) -> tuple[int, bytes]:
    """Family number and the union."""
    parsed = ipaddress.ip_address(address)
    return _FAMILIES[parsed.version], parsed.packed.ljust(16, b"\0")


# ------------------------------------------------------------------------------------------------ out


def _identity(listener: Listener) -> bytes:
    family = _u16(_S_FAMILY, _FAMILIES[listener.family])
    if listener.fwmark:
        return family + _u32(_S_MARK, listener.fwmark)
    return (
        family
        + _u16(_S_PROTOCOL, _PROTOCOLS[listener.protocol])
        + attribute(_S_ADDRESS, _address(listener.address)[1])
        + attribute(_S_PORT, _BE16.pack(listener.port))
    )


@functools.lru_cache(maxsize=4096)
def service_key(listener: Listener) -> bytes:
    """What identifies a service."""
    return attribute(_SERVICE, _identity(listener))


def service(wanted: Service) -> bytes:
    """A whole service."""
    flags = wanted.flags
    family = wanted.listener.family
    length = 32 if family == 4 else 128
    if wanted.persistence_timeout_s:
        flags |= _FLAG_PERSISTENT
        length = wanted.persistence_prefix_len
    # IPv4: the mask in network order. IPv6: the length in the machine's own.
    netmask = struct.pack("!I", _MASK << (32 - length) & _MASK) if family == 4 else _U32.pack(length)
    content = (
        _identity(wanted.listener)
        + _text(_S_SCHEDULER, wanted.scheduler)
        + attribute(_S_FLAGS, struct.pack("=II", flags, _MASK))
        + _u32(_S_TIMEOUT, wanted.persistence_timeout_s)
        + attribute(_S_NETMASK, netmask)
    )
    if wanted.persistence_engine:
        content += _text(_S_ENGINE, wanted.persistence_engine)
    return attribute(_SERVICE, content)


_KEY = struct.Struct("=HHH2x HH16s HH2s2x")
_SETTINGS = struct.Struct("=HHI HHI HHI HHI")


def _endpoint(endpoint: Endpoint) -> bytes:
    """There are very many destinations: their attributes are packed in one go."""
    family, packed = _address(endpoint[0])
    port = _BE16.pack(endpoint[1])
    return _KEY.pack(6, _D_FAMILY, family, 20, _D_ADDRESS, packed, 6, _D_PORT, port)


def destination_key(endpoint: Endpoint) -> bytes:
    """What identifies a destination within its service."""
    return attribute(_DEST, _endpoint(endpoint))


def destination(wanted: Destination) -> bytes:
    """A whole destination."""
    content = _endpoint(wanted.endpoint) + _SETTINGS.pack(
        8, _D_METHOD, _METHODS[wanted.forwarding],
        8, _D_WEIGHT, wanted.weight,
        8, _D_UPPER, wanted.upper_threshold,
        8, _D_LOWER, wanted.lower_threshold,
    )  # fmt: skip
    if wanted.forwarding is Forwarding.TUNNEL:
        tunnel = wanted.tunnel
        content += (
            attribute(_D_TUNNEL_TYPE, _U8.pack(_TUNNELS.index(tunnel.type)))
            + attribute(_D_TUNNEL_PORT, _BE16.pack(tunnel.port))
            + _u16(_D_TUNNEL_FLAGS, _CHECKSUMS.index(tunnel.checksum))
        )
    return attribute(_DEST, content)


def timeouts(wanted: IpvsTimeouts) -> bytes:
    """All three; the kernel takes 0 as "as it is"."""
    return (
        _u32(_TIMEOUT_TCP, wanted.tcp_s) + _u32(_TIMEOUT_TCP_FIN, wanted.tcp_fin_s) + _u32(_TIMEOUT_UDP, wanted.udp_s)
    )


def sync_daemon(state: int, wanted: SyncDaemon) -> bytes:
    """A whole sync daemon, MASTER or BACKUP. Its port is in the machine's own order."""
    content = _u32(_Y_STATE, state) + _text(_Y_INTERFACE, wanted.interface) + _u32(_Y_ID, wanted.sync_id)
    if wanted.max_len:
        content += _u16(_Y_MAX_LEN, wanted.max_len)
    if wanted.group:
        family, packed = _address(wanted.group)
        content += attribute(_Y_GROUP, packed[:4]) if family == _INET else attribute(_Y_GROUP6, packed)
    if wanted.port:
        content += _u16(_Y_PORT, wanted.port)
    if wanted.ttl:
        content += attribute(_Y_TTL, _U8.pack(wanted.ttl))
    return attribute(_DAEMON, content)


# ------------------------------------------------------------------------------------------------- in


class _Read:
    """Attributes with types. Every method raises `WireError` when the value has another size."""

    def __init__(self, data: bytes) -> None:
        self._values = attributes_from(data)

    def has(self, kind: int) -> bool:
        return kind in self._values

    def number(self, kind: int, default: int = 0) -> int:
        """Of any size, in the machine's own order."""
        raw = self._values.get(kind)
        return default if raw is None else int.from_bytes(raw, _ORDER)

    def port(self, kind: int) -> int:
        return int.from_bytes(self._values.get(kind, b""), "big")

    def text(self, kind: int) -> str:
        return self._values.get(kind, b"").rstrip(b"\0").decode("ascii", "replace")

    def raw(self, kind: int, length: int) -> bytes:
        raw = self._values.get(kind, b"")
        if len(raw) < length:
            raise WireError(f"attribute {kind} has {len(raw)} of {length} bytes")
        return raw[:length]

    def inside(self, kind: int) -> _Read:
        """What is nested there."""
        return _Read(self._values.get(kind, b""))

    def address(self, kind: int, family: int) -> str:
        return _address_text(self.raw(kind, 4 if family == 4 else 16))


@functools.lru_cache(maxsize=65536)
def _address_text(raw: bytes) -> str:
    return str(ipaddress.ip_address(raw))


def service_from(payload: bytes) -> Service | None:
    """A service as the kernel shows it; None for a protocol that pyhad has no word for. Raises `WireError`."""
    read = _Read(payload).inside(_SERVICE)
    family = 4 if read.number(_S_FAMILY) == _INET else 6
    flags = struct.unpack("=I", read.raw(_S_FLAGS, 4))[0]
    mark = read.number(_S_MARK)
    if mark:
        listener = Listener(protocol=Protocol.NONE, family=family, fwmark=mark)
    else:
        protocol = _PROTOCOLS_BACK.get(read.number(_S_PROTOCOL))
        if protocol is None:
            return None
        address = read.address(_S_ADDRESS, family)
        listener = Listener(protocol=protocol, family=family, address=address, port=read.port(_S_PORT))
    persistent = bool(flags & _FLAG_PERSISTENT)
    length = 0
    if persistent:
        raw = read.raw(_S_NETMASK, 4)
        length = int.from_bytes(raw, "big").bit_count() if family == 4 else _U32.unpack(raw)[0]
    return Service(
        listener=listener,
        scheduler=read.text(_S_SCHEDULER) or "none",
        flags=flags & _OUR_FLAGS,
        persistence_timeout_s=read.number(_S_TIMEOUT) if persistent else 0,
        persistence_prefix_len=length,
        persistence_engine=read.text(_S_ENGINE) if persistent else "",
    )


def destination_from(payload: bytes, service_family: int) -> tuple[Destination, Connections]:
    """A destination as the kernel shows it, and what it counted. Raises `WireError`."""
    read = _Read(payload).inside(_DEST)
    family = service_family
    if read.has(_D_FAMILY):
        family = 4 if read.number(_D_FAMILY) == _INET else 6
    method = _METHODS_BACK.get(read.number(_D_METHOD) & _METHOD_MASK, Forwarding.DIRECT_ROUTE)
    found = Destination(
        address=read.address(_D_ADDRESS, family),
        port=read.port(_D_PORT),
        weight=read.number(_D_WEIGHT),
        forwarding=method,
        upper_threshold=read.number(_D_UPPER),
        lower_threshold=read.number(_D_LOWER),
        tunnel=_tunnel_from(read) if method is Forwarding.TUNNEL else Tunnel(),
    )
    return found, _connections_from(read)


def _connections_from(read: _Read) -> Connections:
    return _counted_from(read.inside(_D_STATS64), read.number(_D_ACTIVE), read.number(_D_INACTIVE))


def service_counts_from(payload: bytes) -> Connections:
    """What is counted for a service itself; its open connections only its destinations know. Raises `WireError`."""
    return _counted_from(_Read(payload).inside(_SERVICE).inside(_S_STATS64), -1, -1)


def _counted_from(stats: _Read, active: int, inactive: int) -> Connections:
    numbers = [stats.number(kind, -1) for kind in STATS_COUNTERS]
    rates = [stats.number(kind, -1) for kind in STATS_RATES]
    return Connections._make((active, inactive, *numbers, None if -1 in rates else rates_of(rates)))


def _tunnel_from(read: _Read) -> Tunnel:
    kind, checksum = read.number(_D_TUNNEL_TYPE), read.number(_D_TUNNEL_FLAGS)
    if kind >= len(_TUNNELS) or checksum >= len(_CHECKSUMS):
        raise WireError(f"tunnel of type {kind} with flags {checksum}")
    return Tunnel(type=_TUNNELS[kind], port=read.port(_D_TUNNEL_PORT), checksum=_CHECKSUMS[checksum])


def timeouts_from(payload: bytes) -> IpvsTimeouts:
    """What is in force. Raises `WireError`."""
    read = _Read(payload)
    return IpvsTimeouts(
        tcp_s=read.number(_TIMEOUT_TCP), tcp_fin_s=read.number(_TIMEOUT_TCP_FIN), udp_s=read.number(_TIMEOUT_UDP)
    )


def sync_daemon_from(payload: bytes) -> tuple[int, SyncDaemon]:
    """The state and all attributes, the kernel's defaults filled in by the kernel. Raises `WireError`."""
    read = _Read(payload).inside(_DAEMON)
    group = ""
    if read.has(_Y_GROUP):
        group = read.address(_Y_GROUP, 4)
    elif read.has(_Y_GROUP6):
        group = read.address(_Y_GROUP6, 6)
    return read.number(_Y_STATE), SyncDaemon(
        interface=read.text(_Y_INTERFACE),
        sync_id=read.number(_Y_ID),
        max_len=read.number(_Y_MAX_LEN),
        port=read.number(_Y_PORT),
        ttl=read.number(_Y_TTL),
        group=group,
    )
