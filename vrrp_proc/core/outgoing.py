"""The packets of one virtual router, ready to be sent: built once per priority, kept until something changes."""

from __future__ import annotations

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.ah import LAST_SEQUENCE
from pyhad.vrrp_proc.core.auth_hmac import HmacMemory, signs
from pyhad.vrrp_proc.core.packet import (
    IPV4_HEADER_BYTES,
    TTL,
    ChecksumForm,
    build_advertisement,
    build_ipv4,
    build_sealed_ipv4,
)
from pyhad.vrrp_proc.core.packet6 import HOP_LIMIT, HOP_LIMIT_UNICAST, build_ipv6

_SENDERS = 64
"""Whose sequence numbers are remembered; only who knows the password gets this far."""
UNSPECIFIED = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - the kernel puts the interface's address there
"""The source of a packet while no address is known."""


class Numbers:
    """Identifications of IPv4 packets, for all routers of a process: they rise with each one and skip 0 (PKT-1)."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        """For a packet, or for several that leave together."""
        self.last = self.last % 0xFFFF + 1
        return self.last


class Outgoing:
    """Packets with their destinations: one to the group, or one to each unicast peer (PKT-8)."""

    def __init__(self, config: VrrpInstance, numbers: Numbers | None = None) -> None:
        self._config = config
        self._source = ""
        self._form: ChecksumForm | None = None
        self._numbers = numbers or Numbers()
        self.sequence = 0
        """Of the last authentication header, sent or received."""
        self._floor = -1
        self._heard: dict[str, int] = {}
        self._stamp = 0
        self.memory = HmacMemory()
        self._built: dict[int, list[tuple[bytearray, str]]] = {}
        self.version = 0
        """Another number after every change of what is sent."""

    def change(self, config: VrrpInstance, source: str) -> None:
        """Other settings or another source address."""
        if config != self._config:
            self._form = None
        self._config, self._source = config, source
        self._forget_built()

    def follow(self, form: ChecksumForm) -> bool:
        """Hear that a peer uses `form`: the old unicast one is answered in kind (PKT-31). True when that is new."""
        if form is not ChecksumForm.OLD_UNICAST or self._form is form:
            return False
        self._form = form
        self._forget_built()
        return True

    def packets(self, priority: int, wall_ns: int = 0) -> list[tuple[bytearray, str]]:
        """What to send now, each with its destination. The bytes are good until the next call.

        `wall_ns` is the time on the wall, of use to `auth_hmac` alone.
        """
        if self._config.hmac is not None and signs(self._config):
            self._stamp = self.memory.next_stamp(self._config.hmac, wall_ns)
            self._built.clear()
        packets = self._built.get(priority)
        if packets is None:
            packets = self._built[priority] = self._build(priority)
        if self._config.authentication_header:
            return [(self._seal(packet, destination), destination) for packet, destination in packets]
        if self._config.family == 4:
            # Only the identification differs between two packets; the kernel fills in the header's checksum.
            for packet, _ in packets:
                number = self.next_identification()
                packet[4], packet[5] = number >> 8, number & 0xFF
        return packets

    def next_identification(self) -> int:
        """Of an IPv4 packet, or of several that leave together: see `Numbers`."""
        return self._numbers.next()

    def restore(self, sequence: int) -> None:
        """What a predecessor had sent or heard last: nobody may go below it."""
        self.sequence = self._floor = max(self.sequence, sequence)

    def learn(self, sequence: int, sender: str) -> None:
        """The authentication header of `sender` had this sequence number: ours go on from there."""
        self.sequence = max(self.sequence, sequence)
        if sender not in self._heard and len(self._heard) >= _SENDERS:
            self._heard.pop(next(iter(self._heard)))
        self._heard[sender] = sequence

    def last_heard(self, sender: str) -> int:
        """What the next sequence number of `sender` must be above.

        Ours do not count: two routers that became masters at one moment send the same numbers ever after, and would
        refuse each other for ever.
        """
        return self._heard.get(sender, self._floor)

    def _forget_built(self) -> None:
        self._built.clear()
        self.version += 1

    def _seal(self, packet: bytearray, destination: str) -> bytearray:
        """Sequence and digest make every packet another one."""
        self.sequence = min(self.sequence + 1, LAST_SEQUENCE)
        identification = self.next_identification()
        return bytearray(
            build_sealed_ipv4(
                bytes(packet[IPV4_HEADER_BYTES:]),
                source=self._source or UNSPECIFIED[4],
                destination=destination,
                identification=identification,
                ttl=packet[8],
                key=self._config.authentication_data,
                sequence=self.sequence,
            )
        )

    def _build(self, priority: int) -> list[tuple[bytearray, str]]:
        config = self._config
        targets = [peer.address for peer in config.unicast_peers] or [config.multicast_group]
        return [(self._packet(priority, target), target) for target in targets]

    def _packet(self, priority: int, destination: str) -> bytearray:
        config, source = self._config, self._source or UNSPECIFIED[self._config.family]
        payload = build_advertisement(
            config, source=source, priority=priority, destination=destination, form=self._form, stamp=self._stamp
        )
        ttl = config.unicast_ttl if config.unicast_peers else None
        if config.family == 4:
            ttl = TTL if ttl is None else ttl
            return bytearray(build_ipv4(payload, source=source, destination=destination, identification=0, ttl=ttl))
        if ttl is None:
            ttl = HOP_LIMIT_UNICAST if config.unicast_peers else HOP_LIMIT
        return bytearray(build_ipv6(payload, source=source, destination=destination, hop_limit=ttl))
