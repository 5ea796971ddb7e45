"""The load-balancing table in the kernel's IPVS, over generic netlink. Refuses to decide what belongs in it.

pyroute2 carries the messages; their attributes are declared here, because its own lack IPv6 masks and flags.
Attribute numbers and layouts: linux/ip_vs.h. CAP_NET_ADMIN is enough.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any, assert_never

from pyroute2.netlink import NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, genlmsg, nla
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.generic import AsyncGenericNetlinkSocket, GenericNetlinkSocket

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.common.errors import KernelError
from pyhad.ipvs_proc.core.reconcile import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    SetDestination,
    SetService,
)
from pyhad.ipvs_proc.core.table import (
    FLAG_ONE_PACKET,
    FLAG_SCHEDULER_1,
    FLAG_SCHEDULER_2,
    FLAG_SCHEDULER_3,
    Connections,
    Destination,
    Endpoint,
    Entry,
    Reading,
    Service,
    Table,
    endpoint_name,
    listener_name,
)
from pyhad.ipvs_proc.plane import Refusal

FAMILY = "IPVS"
_VERSION = 1
_NEW_SERVICE, _SET_SERVICE, _DEL_SERVICE, _GET_SERVICE = 1, 2, 3, 4
_NEW_DEST, _SET_DEST, _DEL_DEST, _GET_DEST = 5, 6, 7, 8

_FLAG_PERSISTENT = 0x01
_OUR_FLAGS = FLAG_ONE_PACKET | FLAG_SCHEDULER_1 | FLAG_SCHEDULER_2 | FLAG_SCHEDULER_3
_MASK = 0xFFFFFFFF
_FORWARDING = {Forwarding.NAT: 0, Forwarding.TUNNEL: 2, Forwarding.DIRECT_ROUTE: 3}  # LVS-7
_FORWARDING_MASK = 0x07
_FORWARDING_BACK = {0: Forwarding.NAT, 1: Forwarding.NAT, 2: Forwarding.TUNNEL, 3: Forwarding.DIRECT_ROUTE}
_PROTOCOLS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}
_PROTOCOLS_BACK = {number: protocol for protocol, number in _PROTOCOLS.items()}
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_ADDRESS_BYTES = 16  # union nf_inet_addr

_COUNTERS = tuple(
    (f"IPVS_STATS_ATTR_{name}", kind)
    for name, kind in (
        ("UNSPEC", "none"), ("CONNS", "uint64"), ("INPKTS", "uint64"), ("OUTPKTS", "uint64"), ("INBYTES", "uint64"),
        ("OUTBYTES", "uint64"), ("CPS", "uint64"), ("INPPS", "uint64"), ("OUTPPS", "uint64"), ("INBPS", "uint64"),
        ("OUTBPS", "uint64"), ("PAD", "hex"),
    )
)  # fmt: skip


class _Message(genlmsg):  # type: ignore[misc]
    """IPVS_CMD_*: a service, and a destination of it. Addresses and masks are raw bytes in network order."""

    prefix = "IPVS_CMD_ATTR_"
    nla_map = (
        ("IPVS_CMD_ATTR_UNSPEC", "none"),
        ("IPVS_CMD_ATTR_SERVICE", "service"),
        ("IPVS_CMD_ATTR_DEST", "dest"),
    )

    class service(nla):  # type: ignore[misc]
        prefix = "IPVS_SVC_ATTR_"
        nla_map = (
            ("IPVS_SVC_ATTR_UNSPEC", "none"),
            ("IPVS_SVC_ATTR_AF", "uint16"),
            ("IPVS_SVC_ATTR_PROTOCOL", "uint16"),
            ("IPVS_SVC_ATTR_ADDR", "cdata"),
            ("IPVS_SVC_ATTR_PORT", "be16"),
            ("IPVS_SVC_ATTR_FWMARK", "uint32"),
            ("IPVS_SVC_ATTR_SCHED_NAME", "asciiz"),
            ("IPVS_SVC_ATTR_FLAGS", "cdata"),
            ("IPVS_SVC_ATTR_TIMEOUT", "uint32"),
            ("IPVS_SVC_ATTR_NETMASK", "cdata"),
            ("IPVS_SVC_ATTR_STATS", "hex"),
            ("IPVS_SVC_ATTR_PE_NAME", "asciiz"),
            ("IPVS_SVC_ATTR_STATS64", "hex"),
        )

    class dest(nla):  # type: ignore[misc]
        prefix = "IPVS_DEST_ATTR_"
        nla_map = (
            ("IPVS_DEST_ATTR_UNSPEC", "none"),
            ("IPVS_DEST_ATTR_ADDR", "cdata"),
            ("IPVS_DEST_ATTR_PORT", "be16"),
            ("IPVS_DEST_ATTR_FWD_METHOD", "uint32"),
            ("IPVS_DEST_ATTR_WEIGHT", "uint32"),
            ("IPVS_DEST_ATTR_U_THRESH", "uint32"),
            ("IPVS_DEST_ATTR_L_THRESH", "uint32"),
            ("IPVS_DEST_ATTR_ACTIVE_CONNS", "uint32"),
            ("IPVS_DEST_ATTR_INACT_CONNS", "uint32"),
            ("IPVS_DEST_ATTR_PERSIST_CONNS", "uint32"),
            ("IPVS_DEST_ATTR_STATS", "hex"),
            ("IPVS_DEST_ATTR_ADDR_FAMILY", "uint16"),
            ("IPVS_DEST_ATTR_STATS64", "stats64"),
        )

        class stats64(nla):  # type: ignore[misc]
            prefix = "IPVS_STATS_ATTR_"
            nla_map = _COUNTERS


class _AsyncChannel(AsyncGenericNetlinkSocket):  # type: ignore[misc]
    async def exchange(self, message: Any, flags: int) -> list[Any]:
        return [answer async for answer in await self.nlm_request(message, msg_type=self.prid, msg_flags=flags)]


class _Channel(GenericNetlinkSocket):  # type: ignore[misc]
    async_class = _AsyncChannel

    def exchange(self, message: Any, flags: int) -> list[Any]:
        answers: list[Any] = self._run_with_cleanup(self.asyncore.exchange, message, flags)
        return answers


class IpvsPlane:
    """The kernel's IPVS. Raises `KernelError` when the kernel has none (and does not load it).

    `breathe` is called with each message, so that a table of thousands is not taken for a process that hangs.
    """

    name = "ipvs"
    owns_everything = False

    def __init__(self, breathe: Callable[[], None] = lambda: None) -> None:
        self._breathe = breathe
        if not logging.getLogger().handlers:  # pyroute2 prints there that a family is missing, before it raises
            logging.getLogger().addHandler(logging.NullHandler())
        self._channel = _Channel()
        try:
            self._channel.bind(FAMILY, _Message)
        except NetlinkError as error:
            self._channel.close()
            raise KernelError("find IPVS in the kernel", error.code or errno.ENOENT, "is ip_vs loaded?") from None

    def read(self) -> Reading:
        """Every service with its destinations."""
        table: Table = {}
        connections: dict[tuple[Listener, Endpoint], Connections] = {}
        for answer in self._ask("list services", _GET_SERVICE, [], NLM_F_DUMP):
            service = service_from(answer.get_attr("IPVS_CMD_ATTR_SERVICE"))
            if service is None:
                continue  # a protocol pyhad does not know
            entry = Entry(service=service, destinations={})
            key = [("IPVS_CMD_ATTR_SERVICE", {"attrs": _key(service.listener)})]
            name = f"list destinations of {listener_name(service.listener)}"
            for each in self._ask(name, _GET_DEST, key, NLM_F_DUMP):
                attributes = each.get_attr("IPVS_CMD_ATTR_DEST")
                destination = destination_from(attributes, service.listener.family)
                entry.destinations[destination.endpoint] = destination
                connections[service.listener, destination.endpoint] = _connections_from(attributes)
            table[service.listener] = entry
        return Reading(table=table, connections=connections)

    def problem_with(self, entry: Entry) -> str:
        """IPVS can do all that the configuration can say; what this kernel lacks shows in `apply`."""
        return ""

    def apply(self, changes: list[Change]) -> list[Refusal]:
        """Write each change; the error of one names its service and server."""
        refusals: list[Refusal] = []
        for change in changes:
            try:
                self._apply(change)
            except KernelError as error:
                refusals.append(Refusal(change=change, error=error))
        return refusals

    def retire(self) -> None:
        """Nothing but services was made here."""

    def close(self) -> None:
        """Release the socket; the table stays."""
        self._channel.close()

    def _apply(self, change: Change) -> None:
        name = listener_name(change.listener)
        match change:
            case AddService():
                self._tell(f"add service {name}", _NEW_SERVICE, service_attributes(change.service))
            case SetService():
                self._tell(f"set service {name}", _SET_SERVICE, service_attributes(change.service))
            case DeleteService():
                self._tell(f"delete service {name}", _DEL_SERVICE, _key(change.listener))
            case AddDestination():
                operation = f"add {endpoint_name(change.destination.endpoint)} to {name}"
                self._tell(operation, _NEW_DEST, _key(change.listener), destination_attributes(change.destination))
            case SetDestination():
                operation = f"set {endpoint_name(change.destination.endpoint)} of {name}"
                self._tell(operation, _SET_DEST, _key(change.listener), destination_attributes(change.destination))
            case DeleteDestination():
                operation = f"delete {endpoint_name(change.endpoint)} from {name}"
                self._tell(operation, _DEL_DEST, _key(change.listener), _endpoint_attributes(change.endpoint))
            case _:
                assert_never(change)

    def _tell(
        self, operation: str, command: int, service: list[tuple[str, Any]], dest: list[tuple[str, Any]] | None = None
    ) -> None:
        attributes: list[tuple[str, Any]] = [("IPVS_CMD_ATTR_SERVICE", {"attrs": service})]
        if dest is not None:
            attributes.append(("IPVS_CMD_ATTR_DEST", {"attrs": dest}))
        self._ask(operation, command, attributes, NLM_F_ACK)

    def _ask(self, operation: str, command: int, attributes: list[tuple[str, Any]], flags: int) -> list[Any]:
        self._breathe()
        message = _Message()
        message["cmd"] = command
        message["version"] = _VERSION
        message["attrs"] = attributes
        try:
            return self._channel.exchange(message, NLM_F_REQUEST | flags)
        except NetlinkError as error:
            raise KernelError(operation, error.code) from None
        except OSError as error:
            raise KernelError(operation, error.errno or errno.EIO) from None


# ------------------------------------------------------------------------------------ attributes out


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed.ljust(_ADDRESS_BYTES, b"\0")


def _key(listener: Listener) -> list[tuple[str, Any]]:
    """What identifies a service."""
    family: list[tuple[str, Any]] = [("IPVS_SVC_ATTR_AF", _FAMILIES[listener.family])]
    if listener.fwmark:
        return [*family, ("IPVS_SVC_ATTR_FWMARK", listener.fwmark)]
    return [
        *family,
        ("IPVS_SVC_ATTR_PROTOCOL", _PROTOCOLS[listener.protocol]),
        ("IPVS_SVC_ATTR_ADDR", _packed(listener.address)),
        ("IPVS_SVC_ATTR_PORT", listener.port),
    ]


def service_attributes(service: Service) -> list[tuple[str, Any]]:
    """A whole service: leaving anything out would make the kernel refuse or guess."""
    flags = service.flags
    family = service.listener.family
    length = 32 if family == 4 else 128
    if service.persistence_timeout_s:
        flags |= _FLAG_PERSISTENT
        length = service.persistence_prefix_len
    attributes = [
        *_key(service.listener),
        ("IPVS_SVC_ATTR_SCHED_NAME", service.scheduler),
        ("IPVS_SVC_ATTR_FLAGS", struct.pack("=II", flags, _MASK)),
        ("IPVS_SVC_ATTR_TIMEOUT", service.persistence_timeout_s),
        ("IPVS_SVC_ATTR_NETMASK", _netmask(length, family)),
    ]
    if service.persistence_engine:
        attributes.append(("IPVS_SVC_ATTR_PE_NAME", service.persistence_engine))
    return attributes


def _netmask(length: int, family: int) -> bytes:
    """IPv4: the mask in network order. IPv6: the length in the machine's own."""
    if family == 4:
        return struct.pack("!I", _MASK << (32 - length) & _MASK)
    return struct.pack("=I", length)


def _endpoint_attributes(endpoint: Endpoint) -> list[tuple[str, Any]]:
    address, port = endpoint
    return [
        ("IPVS_DEST_ATTR_ADDR_FAMILY", _FAMILIES[ipaddress.ip_address(address).version]),
        ("IPVS_DEST_ATTR_ADDR", _packed(address)),
        ("IPVS_DEST_ATTR_PORT", port),
    ]


def destination_attributes(destination: Destination) -> list[tuple[str, Any]]:
    """A whole destination."""
    return [
        *_endpoint_attributes(destination.endpoint),
        ("IPVS_DEST_ATTR_FWD_METHOD", _FORWARDING[destination.forwarding]),
        ("IPVS_DEST_ATTR_WEIGHT", destination.weight),
        ("IPVS_DEST_ATTR_U_THRESH", destination.upper_threshold),
        ("IPVS_DEST_ATTR_L_THRESH", destination.lower_threshold),
    ]


# ------------------------------------------------------------------------------------- attributes in


def _address_from(raw: bytes, family: int) -> str:
    return str(ipaddress.ip_address(bytes(raw[: 4 if family == 4 else 16])))


def service_from(attributes: Any) -> Service | None:
    """A service as the kernel shows it; None for a protocol that pyhad has no word for."""
    family = 4 if attributes.get_attr("IPVS_SVC_ATTR_AF") == socket.AF_INET else 6
    flags, _ = struct.unpack("=II", bytes(attributes.get_attr("IPVS_SVC_ATTR_FLAGS")))
    mark = attributes.get_attr("IPVS_SVC_ATTR_FWMARK")
    if mark:
        listener = Listener(protocol=Protocol.NONE, family=family, fwmark=mark)
    else:
        protocol = _PROTOCOLS_BACK.get(attributes.get_attr("IPVS_SVC_ATTR_PROTOCOL"))
        if protocol is None:
            return None
        address = _address_from(attributes.get_attr("IPVS_SVC_ATTR_ADDR"), family)
        listener = Listener(
            protocol=protocol, family=family, address=address, port=attributes.get_attr("IPVS_SVC_ATTR_PORT")
        )
    persistent = bool(flags & _FLAG_PERSISTENT)
    length = 0
    if persistent:
        raw = bytes(attributes.get_attr("IPVS_SVC_ATTR_NETMASK"))
        length = struct.unpack("!I", raw)[0].bit_count() if family == 4 else struct.unpack("=I", raw)[0]
    return Service(
        listener=listener,
        scheduler=attributes.get_attr("IPVS_SVC_ATTR_SCHED_NAME") or "none",
        flags=flags & _OUR_FLAGS,
        persistence_timeout_s=attributes.get_attr("IPVS_SVC_ATTR_TIMEOUT") if persistent else 0,
        persistence_prefix_len=length,
        persistence_engine=(attributes.get_attr("IPVS_SVC_ATTR_PE_NAME") or "") if persistent else "",
    )


def destination_from(attributes: Any, service_family: int) -> Destination:
    """A destination as the kernel shows it."""
    number = attributes.get_attr("IPVS_DEST_ATTR_ADDR_FAMILY")
    family = service_family if number is None else 4 if number == socket.AF_INET else 6
    method = attributes.get_attr("IPVS_DEST_ATTR_FWD_METHOD") & _FORWARDING_MASK
    return Destination(
        address=_address_from(attributes.get_attr("IPVS_DEST_ATTR_ADDR"), family),
        port=attributes.get_attr("IPVS_DEST_ATTR_PORT"),
        weight=attributes.get_attr("IPVS_DEST_ATTR_WEIGHT"),
        forwarding=_FORWARDING_BACK.get(method, Forwarding.DIRECT_ROUTE),
        upper_threshold=attributes.get_attr("IPVS_DEST_ATTR_U_THRESH"),
        lower_threshold=attributes.get_attr("IPVS_DEST_ATTR_L_THRESH"),
    )


def _connections_from(attributes: Any) -> Connections:
    counters = attributes.get_attr("IPVS_DEST_ATTR_STATS64")
    return Connections(
        active=attributes.get_attr("IPVS_DEST_ATTR_ACTIVE_CONNS"),
        inactive=attributes.get_attr("IPVS_DEST_ATTR_INACT_CONNS"),
        total=counters.get_attr("IPVS_STATS_ATTR_CONNS") if counters is not None else -1,
    )
