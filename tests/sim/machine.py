"""A simulated machine: network cards, the kernel's tables of links and addresses, files and scripts, and ways to die.

What is here outlives the process; a power cut does not spare it. The process itself is the real service (process.py).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.model import VrrpDocument
from pyhad.vrrp_proc import journal
from pyhad.vrrp_proc.kernel import netlink
from pyhad.vrrp_proc.kernel.netlink import AddressSeen, LinkSeen, Seen
from tests.sim.lan import Lan
from tests.sim.process import Process, Receiving
from tests.sim.world import MILLISECOND_NS, World

_UP = 0x11043  # up, broadcast, running, multicast, lower up
_NO_CARRIER = 0x1003
_BOX_RECORDS = 256
NEWS_NS = MILLISECOND_NS // 10
"""From a change in the kernel to its notification, when the process is not busy."""


@dataclass
class Card:
    """A network card. `there` has what is on it: (address, prefix length) -> as the kernel tells it."""

    machine: Machine
    interface: str
    index: int
    mac: bytes
    lan: Lan
    link_up: bool = True
    there: dict[tuple[str, int], AddressSeen] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """On its LAN."""
        return f"{self.machine.name}.{self.interface}"

    def receive(self, frame: bytes) -> None:
        """From the LAN."""
        if self.link_up:
            self.machine.take(self.interface, frame)

    def seen(self, *, gone: bool = False) -> LinkSeen:
        """As the kernel tells it."""
        return LinkSeen(self.index, self.interface, _UP if self.link_up else _NO_CARRIER, self.mac, gone)


class Machine:
    """`watch(machine)` runs after everything that its process did."""

    def __init__(self, world: World, name: str, number: int, document: VrrpDocument) -> None:
        self.world = world
        self.name = name
        self.number = number
        self.document = document
        self.process: Process | None = None
        self.cards: dict[str, Card] = {}
        self.scripts: dict[str, bool] = {}
        """By the first word of the program; missing: it succeeds."""
        self.files: dict[str, int] = {}
        self.wall_offset_ns = 0
        self.lateness_ns = 0
        self.frozen_until_ns = 0
        self.loses_frames = False
        """While frozen: the whole machine is, so nothing waits in its sockets."""
        self.missing_until_ns: dict[str, int] = {}
        """Addresses taken away by others, and until when they may be absent."""
        self.sent_ns: dict[tuple[str, int, int], int] = {}
        """When it last sent with a priority above 0, by interface, family and VRID."""
        self.fuse: int | None = None
        """SIGKILL after so many more things done to the outside; None: it lives."""
        self.watch: Callable[[Machine], None] = lambda machine: None
        self._box = BlackBox(_BOX_RECORDS, journal.PAYLOAD_BYTES)
        self._indices = 1

    # ----------------------------------------------------------------------------------------- hardware

    def plug(self, interface: str, lan: Lan, *own: tuple[str, int]) -> Card:
        """A card with the machine's own addresses."""
        self._indices += 1
        mac = bytes((2, 0, 0, 0, self.number, self._indices))
        card = self.cards[interface] = Card(self, interface, self._indices, mac, lan)
        for address, prefix_len in own:
            card.there[address, prefix_len] = AddressSeen(card.index, address, prefix_len, 0, 0, 0, gone=False)
        lan.plug(card)
        return card

    def set_link(self, interface: str, up: bool) -> None:
        """Cable in or out."""
        card = self.cards[interface]
        if card.link_up is not up:
            card.link_up = up
            self.world.disturb(f"{card.name} {'up' if up else 'down'}")
            self.tell((card.seen(),))

    def lose_address(self, address: str) -> None:
        """Somebody runs `ip address del`."""
        for card in self.cards.values():
            for key in [key for key in card.there if key[0] == address]:
                gone = card.there.pop(key)
                self.world.disturb(f"{card.name} loses {address} to somebody")
                patience_ns = 1_100 * MILLISECOND_NS + 2 * self.lateness_ns
                self.missing_until_ns[address] = max(self.world.now_ns, self.frozen_until_ns) + patience_ns
                self.tell((AddressSeen(gone.index, address, key[1], 0, 0, gone.protocol, gone=True),))

    def marked(self) -> set[tuple[str, str]]:
        """(interface, address) of what carries our mark."""
        return {
            (card.interface, seen.address)
            for card in self.cards.values()
            for seen in card.there.values()
            if seen.protocol == netlink.PROTOCOL_VRRP
        }

    def order(self, message: bytes) -> int:
        """The kernel's errno."""
        (seen,), malformed = netlink.parse(message)
        assert isinstance(seen, AddressSeen), malformed
        card = next((card for card in self.cards.values() if card.index == seen.index), None)
        if card is None:
            return errno.ENODEV
        key = seen.address, seen.prefix_len
        if seen.gone:
            if card.there.pop(key, None) is None:
                return errno.EADDRNOTAVAIL
        elif key in card.there:
            return errno.EEXIST
        else:
            card.there[key] = seen
        self.tell((seen,))
        return 0

    def dump(self) -> tuple[list[LinkSeen], list[AddressSeen]]:
        """Everything."""
        cards = self.cards.values()
        return [card.seen() for card in cards], [seen for card in cards for seen in card.there.values()]

    def tell(self, seen: tuple[Seen, ...]) -> None:
        """The kernel's notification reaches the process a little later."""
        process = self.process
        if process is not None:
            self.world.at(self.world.now_ns + NEWS_NS, process.hear, seen)

    def take(self, interface: str, frame: bytes) -> None:
        """A frame came in."""
        process = self.process
        if process is not None and not (self.is_frozen and self.loses_frames):
            process.receive(interface, frame)

    def receiver(self, interface: str, wants: Receiving) -> bool:
        """Whether a socket can be opened there."""
        return interface in self.cards

    # -------------------------------------------------------------------------------------- life and death

    @property
    def is_frozen(self) -> bool:
        """Its process lives and does not turn."""
        return self.process is not None and self.world.now_ns < self.frozen_until_ns

    def start(self, _: object = None) -> None:
        """Fork the process, with what the dead one journaled."""
        if self.process is None:
            self.world.disturb(f"{self.name} starts")
            self.fuse = None
            self.process = Process(self, self._box)
            self.process.begin(self.document)

    def stop(self, _: object = None) -> None:
        """SIGTERM."""
        if self.process is not None:
            self.world.disturb(f"{self.name} stops")
            self.process.stop()

    def kill(self, _: object = None) -> None:
        """SIGKILL of the process."""
        if self.process is not None:
            self.world.disturb(f"{self.name} is killed")
            self.ended(whole=False)

    def cut_power(self, _: object = None) -> None:
        """Nothing is left but the hardware."""
        self.world.disturb(f"{self.name} loses power")
        self.ended(whole=True)
        for card in self.cards.values():
            card.there = {key: seen for key, seen in card.there.items() if not seen.protocol}

    def ended(self, *, whole: bool) -> None:
        """The process is gone; `whole`: the daemon with it, and its black box."""
        if self.process is not None:
            self.process.is_alive = False
        self.process, self.frozen_until_ns = None, 0
        if whole:
            self._box = BlackBox(_BOX_RECORDS, journal.PAYLOAD_BYTES)

    def freeze(self, duration_ns: int, *, loses_frames: bool) -> None:
        """SIGSTOP, or a live migration."""
        if self.process is not None and not self.is_frozen:
            self.world.disturb(f"{self.name} freezes for {duration_ns} ns")
            self.frozen_until_ns, self.loses_frames = self.world.now_ns + duration_ns, loses_frames
            self.world.at(self.frozen_until_ns, self._thawed, None)

    def _thawed(self, _: object) -> None:
        self.world.disturb(f"{self.name} thaws")

    def reload(self, document: VrrpDocument) -> None:
        """SIGHUP with another configuration."""
        self.document = document
        self.world.disturb(f"{self.name} reloads")
        if self.process is not None:
            self.process.reload(document)

    def set_script(self, name: str, good: bool) -> None:
        """How the script ends from now on."""
        self.scripts[name] = good
        self.world.disturb(f"{self.name}: script {name} {'succeeds' if good else 'fails'}")

    def set_file(self, name: str, value: int) -> None:
        """What a tracked file holds from now on."""
        self.files[name] = value
        self.world.disturb(f"{self.name}: file {name} holds {value}")
        if self.process is not None:
            self.process.file_changed(name)

    def step_clock(self, by_ns: int) -> None:
        """Somebody sets the time of day."""
        self.wall_offset_ns += by_ns
        self.world.disturb(f"{self.name}: the clock is set by {by_ns} ns")
