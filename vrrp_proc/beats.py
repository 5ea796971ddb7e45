"""Advertisements on time: who speaks in the same slot on the same port speaks with one waking and one system call.

Decides nothing about VRRP: each member's core says whether its advertisement is due (core/pace.py). Routers whose every
packet is another one (authentication header, HMAC) speak alone, on their own timer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyhad.common.loop import Loop, Timer
from pyhad.vrrp_proc.core.events import TimePassed
from pyhad.vrrp_proc.core.slots import Seat, Slots
from pyhad.vrrp_proc.core.states import Active
from pyhad.vrrp_proc.core.timers import CENTISECOND_NS, patience_of_peers_ns
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.leases import Leases
from pyhad.vrrp_proc.mailing import Mailing
from pyhad.vrrp_proc.stopgap import Template, key_for, pack

if TYPE_CHECKING:
    from pyhad.vrrp_proc.instance import Instance
    from pyhad.vrrp_proc.world import Port


Packets = list[tuple[bytearray, str]]
"""Each with its destination."""


@dataclass(slots=True)
class _Member:
    seat: Seat
    packets: tuple[int, int]
    """Which ones the mailing has."""
    noted: tuple[int, int] = (-1, -1)
    """Which ones the black box has."""


class _Choir:
    """Routers of one port that are due at the same moment, each interval."""

    __slots__ = ("due_ns", "interval_ns", "mailing", "members", "owners", "port", "timer")

    def __init__(self, port: Port, interval_ns: int, due_ns: int) -> None:
        self.port = port
        self.interval_ns = interval_ns
        self.due_ns = due_ns
        self.members: dict[Instance, _Member] = {}
        self.mailing: Mailing | None = None
        """None: to be made anew."""
        self.owners: list[Instance] = []
        """Whose each packet of the mailing is."""
        self.timer: Timer | None = None


class Beats:
    """All choirs of the process."""

    def __init__(self, loop: Loop, journal: Journal, leases: Leases) -> None:
        self._loop = loop
        self._journal = journal
        self._leases = leases
        self._slots = Slots()
        self._choirs: dict[tuple[int, int, int], _Choir] = {}
        self._of: dict[Instance, _Choir] = {}
        self._soonest_ns = 0
        """No choir is due before; 0: not known."""

    def fit(self, instance: Instance) -> bool:
        """Look at a router after something happened to it. True: its advertisements are seen to here."""
        choir, state = self._of.get(instance), instance.core.state
        if isinstance(state, Active) and choir is not None:
            if choir.due_ns == state.adver_at_ns and choir.port is instance.port:
                if choir.members[instance].packets != instance.packets_are:
                    choir.members[instance].packets = instance.packets_are
                    choir.mailing = None
                return True
        elif choir is None and not isinstance(state, Active):
            return False
        if choir is not None:
            self.leave(instance)
        return isinstance(state, Active) and self._join(instance, state)

    def due_ns(self, instance: Instance) -> int | None:
        """When it speaks next with others; None: not here."""
        choir = self._of.get(instance)
        is_running = choir is not None and choir.timer is not None and choir.timer.action is not None
        return choir.due_ns if choir is not None and is_running else None

    def breathe(self) -> None:
        """In the middle of long work that is about to touch no router: who is due speaks now, and not when it is done.

        Whoever has something else to do does it when the loop turns again.
        """
        now_ns = self._loop.now_ns()
        if now_ns < self._soonest_ns:
            return
        for choir in set(self._of.values()):
            if choir.due_ns <= now_ns:
                if choir.timer is not None:
                    choir.timer.cancel()
                for member in self._speak_in_time(choir, now_ns):
                    member.look_soon()
        self._soonest_ns = min((choir.due_ns for choir in self._of.values()), default=now_ns)

    def leave(self, instance: Instance) -> None:
        """It speaks no more, or alone."""
        choir = self._of.pop(instance, None)
        if choir is None:
            return
        self._slots.leave(choir.members.pop(instance).seat)
        choir.mailing = None
        if not choir.members:
            self._end(choir)

    def _join(self, instance: Instance, state: Active) -> bool:
        config, port = instance.config, instance.port
        if port is None or config.authentication_header or config.hmac is not None:
            return False
        interval_ns = config.advertisement_interval_cs * CENTISECOND_NS
        due_ns, seat = self._slots.take(f"{config.interface}/{config.family}", interval_ns, state.adver_at_ns)
        now_ns = self._loop.now_ns()
        instance.core.bring_forward(due_ns, now_ns)
        state_now = instance.core.state
        if not isinstance(state_now, Active) or state_now.adver_at_ns != due_ns:
            self._slots.leave(seat)  # the beginning of that slot is past already: alone this time
            return False
        key = (id(port), interval_ns, due_ns % interval_ns)
        choir = self._choirs.get(key)
        if choir is None or choir.due_ns != due_ns:
            choir = self._choirs[key] = _Choir(port, interval_ns, due_ns)
            self._arm(choir)
        choir.members[instance] = _Member(seat, instance.packets_are)
        choir.mailing = None
        self._of[instance] = choir
        self._soonest_ns = 0
        return True

    def _arm(self, choir: _Choir) -> None:
        choir.timer = self._loop.at(choir.due_ns, lambda: self._speak(choir))

    def _end(self, choir: _Choir) -> None:
        if choir.timer is not None:
            choir.timer.cancel()
        key = (id(choir.port), choir.interval_ns, choir.due_ns % choir.interval_ns)
        if self._choirs.get(key) is choir:
            del self._choirs[key]

    def _speak(self, choir: _Choir) -> None:
        for member in self._speak_in_time(choir, self._loop.now_ns()):
            member.handle(TimePassed())  # the ordinary way

    def _speak_in_time(self, choir: _Choir, now_ns: int) -> list[Instance]:
        """Send what is due. Those to whom something else happens too, or who are too late, are members no more."""
        is_current = next(iter(choir.members)).port is choir.port  # of all, for they share it
        others = [member for member in choir.members if not (is_current and member.core.beat(now_ns))]
        for member in others:
            self.leave(member)
        if choir.members:
            self._send(choir)
            sent = self._journal.sent
            for member in choir.members:
                sent(member.identity, now_ns)
                self._leases.renew(member)
            choir.due_ns += choir.interval_ns
            self._arm(choir)
        return others

    def _send(self, choir: _Choir) -> None:
        if choir.mailing is None:
            each = {member: member.packets() for member in choir.members}
            packets = [(member, one) for member, ones in each.items() for one in ones]
            choir.owners = [member for member, _ in packets]
            for member, ones in each.items():
                if choir.members[member].noted != member.packets_are:
                    choir.members[member].noted = member.packets_are
                    self._leave_template(member, ones, choir.port)
            choir.mailing = Mailing([one for _, one in packets])
        else:
            choir.mailing.number([member.outgoing.next_identification() for member in choir.owners])
        failed = dict.fromkeys(choir.members, 0) if any(member.send_error for member in choir.members) else {}
        for place, number in choir.port.send_all(choir.mailing):
            failed[choir.owners[place]] = number
        for member, number in failed.items():
            member.note_sent(number)

    def _leave_template(self, instance: Instance, packets: Packets, port: Port) -> None:
        """For whoever speaks in the first moments of a successor (stopgap.py)."""
        config = instance.config
        if (
            len(packets) == 1 and port.is_plain and config.interface
        ):  # several peers of a unicast router: the successor will be quick enough, or not
            packet, destination = packets[0]
            template = Template(
                interface=port.index,
                family=config.family,
                interval_ns=config.advertisement_interval_cs * CENTISECOND_NS,
                patience_ns=patience_of_peers_ns(config),
                destination=destination,
                packet=bytes(packet),
            )
            self._journal.note_if_fits(key_for(instance.identity), pack(template))
