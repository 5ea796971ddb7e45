"""Advertisements on time: who speaks in the same slot by the same socket speaks with one waking and one system call.

Decides nothing about VRRP: each member's core says whether its advertisement is due (core/pace.py). Routers whose every
packet is another one (authentication header, HMAC) speak alone, on their own timer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyhad.common.loop import Loop, Timer
from pyhad.common.records import dataclass
from pyhad.vrrp_proc.core.events import FOREVER_NS, TimePassed
from pyhad.vrrp_proc.core.slots import Seat, Slots
from pyhad.vrrp_proc.core.states import Active
from pyhad.vrrp_proc.core.tempo import Tempo
from pyhad.vrrp_proc.core.timers import CENTISECOND_NS, patience_of_peers_ns
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.kernel.leases import Leases, Renewal
from pyhad.vrrp_proc.stopgap import Template, key_for, pack
from pyhad.vrrp_proc.wire.mailing import Mailing

if TYPE_CHECKING:
    from pyhad.vrrp_proc.instance import Instance
    from pyhad.vrrp_proc.world import Outlet, Port


Packets = list[tuple[bytearray, str]]
"""Each with its destination."""


@dataclass(slots=True)
class _Member:
    seat: Seat
    port: Port
    packets: tuple[int, int]
    """Which ones the mailing has."""
    noted: tuple[int, int] = (-1, -1)
    """Which ones the black box has."""


class _Choir:
    """Routers that are due at the same moment, each interval, and whose packets leave by the same socket."""

    __slots__ = (
        "failing",
        "fresh",
        "mailing",
        "members",
        "outlet",
        "owners",
        "places",
        "renewal",
        "tempo",
        "timer",
    )

    def __init__(self, outlet: Outlet, tempo: Tempo) -> None:
        self.outlet = outlet
        self.tempo = tempo
        self.members: dict[Instance, _Member] = {}
        self.fresh: dict[Instance, None] = {}
        """Of the members, those that do not keep the tempo yet: they have not spoken with the others."""
        self.mailing: Mailing | None = None
        """None: to be made anew."""
        self.owners: list[Instance] = []
        """Whose each packet of the mailing is."""
        self.places: list[int] = []
        """Of all members in the black box, as of the mailing."""
        self.renewal = Renewal(())
        """Of all members, as of the mailing."""
        self.failing = False
        """Of a member's last advertisement not every packet left."""
        self.timer: Timer | None = None

    @property
    def key(self) -> tuple[int, int, int]:
        """Equal for all that could be one choir."""
        return id(self.outlet), self.tempo.interval_ns, self.tempo.due_ns % self.tempo.interval_ns


class Beats:
    """All choirs of the process."""

    def __init__(self, loop: Loop, journal: Journal, leases: Leases) -> None:
        self._loop = loop
        self._journal = journal
        self._leases = leases
        self._slots = Slots()
        self._choirs: dict[tuple[int, int, int], _Choir] = {}
        self._of: dict[Instance, _Choir] = {}
        self._soonest_ns = FOREVER_NS
        """No choir is due before."""

    def fit(self, instance: Instance) -> bool:
        """Look at a router after something happened to it. True: its advertisements are seen to here."""
        choir, state = self._of.get(instance), instance.core.state
        if isinstance(state, Active) and choir is not None:
            member = choir.members[instance]
            if _is_in_step(instance, state, choir) and member.port is instance.port:
                if member.packets != instance.packets_are:
                    member.packets = instance.packets_are
                    choir.mailing = None
                choir.failing = choir.failing or instance.send_error != 0
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
        return choir.tempo.due_ns if choir is not None and is_running else None

    def breathe(self) -> None:
        """In the middle of long work that is about to touch no router: who is due speaks now, and not when it is done.

        Whoever has something else to do does it when the loop turns again.
        """
        now_ns = self._loop.now_ns()
        if now_ns < self._soonest_ns:
            return
        choirs = set(self._of.values())
        for choir in choirs:
            if choir.tempo.due_ns <= now_ns:
                if choir.timer is not None:
                    choir.timer.cancel()
                for member in self._speak_in_time(choir, now_ns):
                    member.look_soon()
        self._soonest_ns = min((choir.tempo.due_ns for choir in choirs), default=FOREVER_NS)

    def fit_ports(self) -> None:
        """Routers may have got other ports: those leave, and join again by the new one when they have spoken."""
        for instance, choir in list(self._of.items()):
            if choir.members[instance].port is not instance.port:
                self.leave(instance)
                instance.look_soon()

    def leave(self, instance: Instance) -> None:
        """It speaks no more, or alone."""
        choir = self._of.pop(instance, None)
        if choir is None:
            return
        self._slots.leave(choir.members.pop(instance).seat)
        choir.fresh.pop(instance, None)
        choir.mailing = None
        instance.core.leave_time()
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
        choir = self._choir(port.outlet, interval_ns, due_ns)
        choir.members[instance] = _Member(seat, port, instance.packets_are)
        choir.fresh[instance] = None
        choir.mailing = None
        self._of[instance] = choir
        self._soonest_ns = min(self._soonest_ns, due_ns)
        return True

    def _choir(self, outlet: Outlet, interval_ns: int, due_ns: int) -> _Choir:
        choir = self._choirs.get((id(outlet), interval_ns, due_ns % interval_ns))
        if choir is None or choir.tempo.due_ns != due_ns:
            choir = _Choir(outlet, Tempo(interval_ns, due_ns))
            self._choirs[choir.key] = choir
            self._arm(choir)
        return choir

    def _arm(self, choir: _Choir) -> None:
        choir.timer = self._loop.at(choir.tempo.due_ns, lambda: self._speak(choir))

    def _end(self, choir: _Choir) -> None:
        if choir.timer is not None:
            choir.timer.cancel()
        if self._choirs.get(choir.key) is choir:
            del self._choirs[choir.key]

    def _speak(self, choir: _Choir) -> None:
        for member in self._speak_in_time(choir, self._loop.now_ns()):
            member.handle(TimePassed())  # the ordinary way

    def _speak_in_time(self, choir: _Choir, now_ns: int) -> list[Instance]:
        """Send what is due. Those to whom something else happens too, or who are too late, are members no more."""
        tempo = choir.tempo
        if tempo.keeps(now_ns):
            others = [one for one in choir.fresh if not one.core.beat(now_ns)]
        else:
            others = list(choir.members)
        for instance in others:
            self.leave(instance)
        if choir.members:
            self._send(choir)
            tempo.beat(now_ns)
            for instance in choir.fresh:
                instance.core.keep_time(tempo)
            choir.fresh.clear()
            self._journal.sent(choir.places, now_ns)
            self._leases.renew_together(choir.renewal, now_ns)
            self._arm(choir)
        return others

    def _send(self, choir: _Choir) -> None:
        if choir.mailing is None:
            choir.mailing = self._compose(choir)
        else:
            choir.mailing.number(choir.owners[0].outgoing.next_identification())
        refused = choir.outlet.send_all(choir.mailing)
        if refused or choir.failing:
            failed = dict.fromkeys(choir.members, 0) | {choir.owners[place]: number for place, number in refused}
            choir.failing = bool(refused)
            for member, number in failed.items():
                member.note_sent(number)

    def _compose(self, choir: _Choir) -> Mailing:
        letters: list[tuple[bytearray, bytes]] = []
        choir.owners = []
        for instance, member in choir.members.items():
            packets = instance.packets()
            if member.noted != member.packets:
                member.noted = member.packets
                self._leave_template(instance, packets, member.port)
            letters += [(packet, member.port.envelope(destination)) for packet, destination in packets]
            choir.owners += [instance] * len(packets)
        choir.places = self._journal.places([instance.identity for instance in choir.members])
        choir.renewal = Renewal(choir.members, choir.renewal.renewed_ns)
        choir.failing = any(instance.send_error for instance in choir.members)
        return Mailing(letters, at_link=choir.outlet.is_at_link)

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


def _is_in_step(instance: Instance, state: Active, choir: _Choir) -> bool:
    """Whether the choir speaks when it has to."""
    interval_ns = instance.config.advertisement_interval_cs * CENTISECOND_NS
    return (choir.tempo.due_ns, choir.tempo.interval_ns) == (state.adver_at_ns, interval_ns)
