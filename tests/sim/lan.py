"""A simulated LAN: frames reach everybody else on the same segment, late, twice or not at all, as the seed has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from tests.sim.world import MILLISECOND_NS, World


class Station(Protocol):
    """What is plugged in."""

    link_up: bool

    @property
    def name(self) -> str:
        """Unique on the LAN."""
        ...

    def receive(self, frame: bytes) -> None:
        """An IP packet arrives."""


class Neighbour(Protocol):
    """A host with a cache of who has which address."""

    name: str

    def hear(self, announcement: tuple[str, tuple[str, ...]]) -> None:
        """Gratuitous ARP: (who, addresses)."""

    def lose(self, name: str) -> None:
        """That station does not answer any more."""


class Lan:
    """One broadcast domain that can be cut into segments.

    `loss` and `duplicate` are probabilities per receiver, the delay of each copy is drawn anew, so frames overtake.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.stations: list[Station] = []
        self.loss = 0.0
        self.duplicate = 0.0
        self.shortest_delay_ns = MILLISECOND_NS // 10
        self.longest_delay_ns = MILLISECOND_NS
        self.sent = 0
        self._segment_of: dict[str, int] = {}
        self.neighbours: list[Neighbour] = []

    def plug(self, station: Station) -> None:
        """Connect to the first segment."""
        self.stations.append(station)
        self._segment_of[station.name] = 0

    def cut(self, segments: Iterable[Iterable[Station]]) -> None:
        """Into these parts; nothing passes between them. One part with everybody heals the LAN."""
        for number, stations in enumerate(segments):
            for station in stations:
                self._segment_of[station.name] = number
        self.world.disturb(f"lan cut into {self._segment_of}")

    def segment_of(self, station: Station) -> int | None:
        """Number of the part it is in; None without link."""
        return self._segment_of[station.name] if station.link_up else None

    def settle(self, neighbour: Neighbour) -> None:
        """A host that is no director; it stays where it is when the LAN is cut without naming it."""
        self.neighbours.append(neighbour)
        self._segment_of[neighbour.name] = 0

    def place(self, neighbour: Neighbour, segment: int) -> None:
        """Into another part."""
        self._segment_of[neighbour.name] = segment

    def announce(self, sender: Station, addresses: Iterable[str]) -> None:
        """Gratuitous ARP: the neighbours of the segment hear it, unless it is lost."""
        segment = self.segment_of(sender)
        names = tuple(addresses)
        for neighbour in self.neighbours:
            if segment is not None and self._segment_of[neighbour.name] == segment:
                if self.loss and self.world.random.random() < self.loss:
                    continue
                self.world.at(self.world.now_ns + self._delay_ns(), neighbour.hear, (sender.name, names))

    def is_near(self, neighbour: Neighbour, station: Station) -> bool:
        """Whether they reach each other now."""
        return self.segment_of(station) == self._segment_of[neighbour.name]

    def send(self, sender: Station, frame: bytes) -> None:
        """Multicast: to everybody who is connected now and will still have link when it arrives."""
        self.sent += 1
        segment = self.segment_of(sender)
        if segment is None:
            return
        for station in self.stations:
            if station is not sender and self.segment_of(station) == segment:
                self._carry(station, frame)

    def _carry(self, station: Station, frame: bytes) -> None:
        chance = self.world.random
        if self.loss and chance.random() < self.loss:
            self.world.disturb(f"lost a frame to {station.name}")
            return
        copies = 2 if self.duplicate and chance.random() < self.duplicate else 1
        for _ in range(copies):
            self.world.at(self.world.now_ns + self._delay_ns(), station.receive, frame)

    def _delay_ns(self) -> int:
        spread_ns = self.longest_delay_ns - self.shortest_delay_ns
        return self.shortest_delay_ns + int(self.world.random.random() * spread_ns)
