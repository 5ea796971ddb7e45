"""Hosts beside the directors, with a cache of who has which virtual address: the worst kind, that never forgets.

A real neighbour asks again after half a minute or so; this one believes the last gratuitous ARP for ever, and of two
that answer its question it takes the first. What its cache says at rest is what clients of a real segment suffer from.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.sim.lan import Lan
from tests.sim.node import Node
from tests.sim.world import World


class Client:
    """Asks for each of `addresses` once at the beginning, and again each `every_ns` for what it has no answer for."""

    def __init__(
        self, world: World, lan: Lan, name: str, nodes: list[Node], addresses: Iterable[str], every_ns: int
    ) -> None:
        self.world = world
        self.lan = lan
        self.name = name
        self.nodes = nodes
        self.addresses = tuple(addresses)
        self.cache: dict[str, str] = {}
        """Address -> name of the node that frames for it go to."""
        self.forgets = 0.0
        """Probability, at each round of questions and for each entry, that it has fallen out of the cache."""
        self._every_ns = every_ns
        lan.settle(self)
        world.at(world.now_ns, self._ask, None)

    def hear(self, announcement: tuple[str, tuple[str, ...]]) -> None:
        """An announcement changes an entry, and makes none, as with Linux."""
        who, addresses = announcement
        for address in addresses:
            if address in self.cache:
                self._enter(address, who)

    def lose(self, name: str) -> None:
        """That node lost power. If another one had its addresses too, none of the living can know whom we asked."""
        others = {address for node in self.nodes if node.name != name for address in node.table}
        self.cache = {address: who for address, who in self.cache.items() if who != name or address not in others}

    def doubt(self) -> None:
        """A partition ends: whom we knew may have let go meanwhile, before an audience that was not the other's."""
        holding = {(node.name, address) for node in self.nodes for address in node.table}
        self.cache = {address: who for address, who in self.cache.items() if (who, address) in holding}

    def _enter(self, address: str, who: str) -> None:
        if self.cache.get(address) != who:
            self.cache[address] = who
            self.world.say(f"{self.name} sends to {who} for {address}")

    def _ask(self, _: object) -> None:
        chance = self.world.random
        for address in self.addresses:
            if address in self.cache and self.forgets and chance.random() < self.forgets:
                del self.cache[address]
            if address not in self.cache:
                holders = [node for node in self.nodes if address in node.table and self.lan.is_near(self, node)]
                if holders:
                    self._enter(address, chance.choice(holders).name)
        self.world.at(self.world.now_ns + self._every_ns, self._ask, None)
