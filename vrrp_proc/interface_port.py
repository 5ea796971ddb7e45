"""The raw sockets of one interface in one family, and the virtual routers that speak over them.

An advertisement byte-identical to the last good one needs no parsing: the event it made is remembered. Which router is
meant is one look into a dictionary.
"""

from __future__ import annotations

import collections
import ipaddress
from collections.abc import Callable

from pyhad.common.config.model.vmac import VmacKind
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.core.events import AdvertisementReceived
from pyhad.vrrp_proc.core.packet import Received, parse_ipv4, read_vrid
from pyhad.vrrp_proc.core.packet6 import parse_ipv6
from pyhad.vrrp_proc.core.refusals import AdvertisementRefused
from pyhad.vrrp_proc.instance import Instance
from pyhad.vrrp_proc.kernel.links import Interface
from pyhad.vrrp_proc.repeats import Repeats
from pyhad.vrrp_proc.wire.mailing import internet_address
from pyhad.vrrp_proc.wire.sockets import Receiver, Sender
from pyhad.vrrp_proc.wire.sockets6 import Receiver6, Sender6
from pyhad.vrrp_proc.wire.sockets_vmac import Line, VmacSockets
from pyhad.vrrp_proc.wire.strangers import Strangers
from pyhad.vrrp_proc.world import Outlet

Group = dict[int, list[Instance]]
"""By VRID; several of one VRID only where unicast tells them apart (FSM-15)."""
_REMEMBERED = 1024
_PLAIN_HEADER = 0x45  # IPv4 without options
_GOOD_TTL_AND_PROTOCOL = b"\xff\x70"  # 255, VRRP
_PROTOCOL_AND_GOOD_HOP_LIMIT = b"\x70\xff"  # the other way round in IPv6
_COMPLAINTS = 64


class InterfacePort:
    """The sockets of one interface in one family. Raises KernelError when they cannot be opened."""

    def __init__(
        self,
        interface: Interface,
        family: int,
        instances: Group,
        loop: Loop,
        logger: FilteringBoundLogger,
        counters: collections.Counter[str],
        vmac_sockets: VmacSockets,
        overheard: frozenset[tuple[str, int, int]],
        strangers: Strangers,
    ) -> None:
        self.name = interface.name
        self.index = interface.index
        self.instances = instances
        self.wants = wanted_of(instances)
        self.overheard = overheard
        """(name, index, VRID) of virtual MACs of routers that speak with the MAC of this interface: a peer that has
        the same virtual MAC and speaks with it is heard there only."""
        self.foreign = strangers.on(interface.name, family)
        """VRIDs of nobody here that are let in to be told of."""
        self._strangers = strangers
        self._loop = loop
        self._now_ns = loop.now_ns
        self._logger = logger
        self._counters = counters
        self._known: dict[bytes, tuple[Repeats, AdvertisementReceived, Instance]] = {}
        """By its bytes: what it says, and who takes it in."""
        self._complaints: set[tuple[str, str]] = set()
        self._receivers: list[Receiver | Receiver6] = []
        self._sender: Sender | Sender6 | None = None
        self._vmac_sockets = vmac_sockets
        self._line: Line | None = None
        """Speaks with a virtual MAC, instead of a sender and receivers."""
        self._overhearing: list[Line] = []
        try:
            self._begin(family)
        except KernelError:
            self.close()
            raise

    def _begin(self, family: int) -> None:
        if is_vmac(self.instances, self.name):
            vrids = self.foreign.union(self.instances)
            self._line = self._hear_frames(self.name, self.index, vrids, family, joins=True)
        else:
            self._sender = self._open_sender(family)
            self._open_receivers(family)

    def _open_sender(self, family: int) -> Sender | Sender6:
        return (Sender if family == 4 else Sender6)(self.name, self.index)

    def _hear_frames(self, name: str, index: int, vrids: frozenset[int], family: int, *, joins: bool) -> Line:
        groups = frozenset(group for _, group, _ in self.wants if group and joins)
        sealed = frozenset(vrid for vrid, _, is_sealed in self.wants if is_sealed and vrid in vrids)
        repeats, take = (self._repeats, self._take) if family == 4 else (self._repeats6, self._take6)
        line = Line(name=name, index=index, groups=groups, vrids=vrids, sealed=sealed, repeats=repeats, take=take)
        self._vmac_sockets.add(line)
        return line

    def _open_receivers(self, family: int) -> None:
        groups = {group for _, group, _ in self.wants if group}
        where = self.name, self.index, groups
        for name, index, vrid in self.overheard:
            self._overhearing.append(self._hear_frames(name, index, frozenset((vrid,)), family, joins=False))
        vrids = self.foreign.union(self.instances)
        if family == 6:
            self._watch(Receiver6(*where, vrids, self._take6))
            return
        self._watch(Receiver(*where, vrids, self._take))
        sealed = {vrid for vrid, _, is_sealed in self.wants if is_sealed}
        if sealed:
            self._watch(Receiver(*where, self.foreign | sealed, self._take, sealed=True))

    def _watch(self, receiver: Receiver | Receiver6) -> None:
        self._receivers.append(receiver)
        self._loop.watch(receiver.fileno(), receiver.read)

    def send(self, packet: bytes | bytearray, destination: str) -> int:
        """0, or the errno."""
        if self._line is not None:
            return self._vmac_sockets.send(self._line, packet, destination)
        assert self._sender is not None  # or the port would not exist
        return self._sender.send(packet, destination)

    @property
    def outlet(self) -> Outlet:
        """See `world.Port`; all virtual MACs of a family have one in common."""
        if self._line is not None:
            return self._vmac_sockets
        assert self._sender is not None
        return self._sender

    def envelope(self, destination: str) -> bytes:
        """See `world.Port`."""
        if self._line is not None:
            return self._vmac_sockets.envelope(self._line, destination)
        return internet_address(destination)

    @property
    def is_plain(self) -> bool:
        """It sends from its interface as any program would: without a MAC address of its own."""
        return self._line is None

    def read(self) -> int:
        """See `world.Port`."""
        counts = [receiver.read() for receiver in self._receivers]
        counts += [self._vmac_sockets.read(line) for line in self._lines()]
        return max(counts, default=0)

    @property
    def packets(self) -> int:
        """How many came in."""
        return sum(receiver.packets for receiver in self._receivers)

    def forget_known(self) -> None:
        """A configuration or an own address changed: look at every packet anew."""
        self._known.clear()

    def close(self) -> None:
        """Leave the loop and give all descriptors back."""
        for receiver in self._receivers:
            self._loop.unwatch(receiver.fileno())
            self._counters["receive_errors"] += receiver.errors
            receiver.close()
        if self._sender is not None:
            self._sender.close()
        for line in self._lines():
            self._vmac_sockets.remove(line)

    def _lines(self) -> list[Line]:
        return self._overhearing if self._line is None else [self._line]

    def _take(self, packet: bytes) -> None:
        if not self._repeats(packet):
            is_plain = packet[8:10] == _GOOD_TTL_AND_PROTOCOL and packet[0] == _PLAIN_HEADER
            self._take_unknown(packet, parse_ipv4, packet[12:] if is_plain else None)

    def _take6(self, packet: bytes) -> None:
        if not self._repeats6(packet):
            is_plain = packet[6:8] == _PROTOCOL_AND_GOOD_HOP_LIMIT
            self._take_unknown(packet, parse_ipv6, packet[8:] if is_plain else None)

    def _repeats(self, packet: bytes) -> bool:
        """Take in what was heard before. Nearly always it only moves the deadline, and that can wait."""
        known = self._known.get(packet[12:])
        if known is None or packet[8:10] != _GOOD_TTL_AND_PROTOCOL or packet[0] != _PLAIN_HEADER:
            return False
        self._again(*known)
        return True

    def _repeats6(self, packet: bytes) -> bool:
        known = self._known.get(packet[8:])
        if known is None or packet[6:8] != _PROTOCOL_AND_GOOD_HOP_LIMIT:
            return False
        self._again(*known)
        return True

    def _again(self, repeats: Repeats, event: AdvertisementReceived, instance: Instance) -> None:
        if repeats.event is event:
            repeats.times += 1
            repeats.last_ns = self._now_ns()
        else:
            instance.hear_again(event)

    def _take_unknown(self, packet: bytes, parse: Callable[[bytes], Received], content: bytes | None) -> None:
        """A packet that was not seen before; `content` is what to know it by next time."""
        try:
            received = parse(packet)
            vrid = read_vrid(received.payload)
        except AdvertisementRefused as refusal:
            self._refuse(packet, refusal)
            return
        found = self._meant(vrid, received)
        if found is None:  # came in before the filter was there, or is wanted for the log
            self._counters["unknown_vrid"] += 1
            if vrid in self.foreign:
                self._strangers.say(self.name, vrid, received.source)
            return
        made = found.receive(received)
        if made is not None and content is not None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[content] = (found.repeats, made, found)

    def _meant(self, vrid: int, received: Received) -> Instance | None:
        group = self.instances.get(vrid)
        if group and not group[0].config.interface:  # hears what any interface brings: each takes what is for itself
            group = [one for one in group if one.config.source_address == received.destination]
        if not group:
            return None
        if len(group) == 1:
            return group[0]
        return next((instance for instance in group if instance.expects(received)), group[0])

    def _refuse(self, packet: bytes, refusal: AdvertisementRefused) -> None:
        """No virtual router can be blamed for it: counted for the process, said once per kind and sender."""
        self._counters[refusal.counter] += 1
        source = source_of(packet)
        complaint = (source, refusal.counter)
        if complaint not in self._complaints and len(self._complaints) < _COMPLAINTS:
            self._complaints.add(complaint)
            self._logger.warning(
                "advert_refused", interface=self.name, peer=source, reason=refusal.counter, detail=str(refusal)
            )


def wanted_of(instances: Group) -> frozenset[tuple[int, str, bool]]:
    """What receiving sockets depend on: each VRID with its group ("" for unicast) and whether it has AH."""
    return frozenset(
        (
            vrid,
            "" if instance.config.unicast_peers else instance.config.multicast_group,
            instance.config.authentication_header,
        )
        for vrid, several in instances.items()
        for instance in several
    )


def is_vmac(instances: Group, name: str) -> bool:
    """Whether interface `name` is the virtual MAC of those that speak there."""
    configs = (instance.config for several in instances.values() for instance in several)
    return any(
        config.vmac is not None and config.vmac.name == name and config.vmac.kind is VmacKind.MACVLAN
        for config in configs
    )


def source_of(packet: bytes) -> str:
    """The source address of a packet that may be nothing of the kind; "" then."""
    if packet[:1] >= b"\x60":
        return str(ipaddress.IPv6Address(packet[8:24])) if len(packet) >= 24 else ""
    return ".".join(str(byte) for byte in packet[12:16])
