"""Choirs: routers of one port speak together, and whoever has something else to do speaks the ordinary way."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

import pytest

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.model import Announcement, VrrpInstance
from pyhad.common.loop import Timer
from pyhad.vrrp_proc import journal
from pyhad.vrrp_proc.beats import Beats
from pyhad.vrrp_proc.core.effects import SendAdvertisement
from pyhad.vrrp_proc.core.events import Event, FaultCause, FaultsChanged, PriorityChanged, Startup, TimePassed
from pyhad.vrrp_proc.core.outgoing import Outgoing
from pyhad.vrrp_proc.core.states import Active
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.kernel.leases import Renewal
from pyhad.vrrp_proc.wire.mailing import Mailing

MS = 1_000_000


class Loop:
    """A loop whose time passes when it is told to."""

    def __init__(self) -> None:
        self.time_ns = 1_000_000 * MS
        self._heap: list[tuple[int, int, Timer]] = []

    def now_ns(self) -> int:
        return self.time_ns

    def at(self, at_ns: int, action: Any) -> Timer:
        timer = Timer(at_ns, action)
        heapq.heappush(self._heap, (at_ns, len(self._heap) + self.time_ns, timer))
        return timer

    def turn_until(self, end_ns: int) -> None:
        while self._heap and self._heap[0][0] <= end_ns:
            at_ns, _, timer = heapq.heappop(self._heap)
            self.time_ns = max(self.time_ns, at_ns)
            if timer.action is not None:
                timer.action()
        self.time_ns = end_ns


@dataclass
class Wire:
    """A port that counts calls and keeps packets."""

    mailings: list[list[bytes]] = field(default_factory=list)
    refuses: list[tuple[int, int]] = field(default_factory=list)
    index: int = 2
    is_plain: bool = True
    is_at_link: bool = False

    @property
    def outlet(self) -> Wire:
        return self

    def envelope(self, destination: str) -> bytes:
        return destination.encode()

    def send_all(self, mailing: Mailing) -> list[tuple[int, int]]:
        self.mailings.append(mailing.packets())
        return self.refuses


class Router:
    """What `Beats` sees of an instance."""

    def __init__(self, beats: Beats, vrid: int, wire: Any, interval_cs: int = 1, **more: Any) -> None:
        self.config = VrrpInstance(
            name=f"V{vrid}", vrid=vrid, family=4, interface="eth0", version=3, start_as_master=True, base_priority=255,
            advertisement_interval_cs=interval_cs, announcement=Announcement(master_delay_ns=0), **more,
        )  # fmt: skip
        self.core = VirtualRouter(self.config)
        self.port = wire
        self.identity = journal.key(self.config)
        self.send_error = 0
        self.alone = 0
        self._beats = beats
        self.outgoing = Outgoing(self.config)
        self.outgoing.change(self.config, "10.0.0.1")

    def packets(self) -> list[tuple[bytearray, str]]:
        return self.outgoing.packets(self.core.effective_priority)

    @property
    def packets_are(self) -> tuple[int, int]:
        return self.outgoing.version, self.core.effective_priority

    def note_sent(self, number: int) -> None:
        self.send_error = number

    def handle(self, event: Event) -> None:
        effects = self.core.handle(event, self._beats._loop.now_ns())
        self.alone += sum(isinstance(effect, SendAdvertisement) for effect in effects)
        me: Any = self
        self._beats.fit(me)

    def look_soon(self) -> None:
        self._beats._loop.at(self._beats._loop.now_ns(), lambda: self.handle(TimePassed()))

    def start(self) -> None:
        self.handle(Startup(faults=frozenset(), source_address="10.0.0.1"))


class Renewed(list[Any]):
    """Leases that only remember for whom they were renewed."""

    def renew_together(self, renewal: Renewal, now_ns: int) -> None:
        self += renewal.holders


class Bench:
    def __init__(self) -> None:
        self.loop: Any = Loop()
        self.box = BlackBox(512, journal.PAYLOAD_BYTES)
        self.journal = Journal(self.box)
        self.renewed: Any = Renewed()
        self.beats = Beats(self.loop, self.journal, self.renewed)
        self.wire: Any = Wire()

    def routers(self, count: int, **more: Any) -> list[Router]:
        made = [Router(self.beats, vrid, self.wire, **more) for vrid in range(1, count + 1)]
        for router in made:
            router.start()
            self.loop.time_ns += MS // 50
        return made

    def turn_for(self, ms: int) -> None:
        self.loop.turn_until(self.loop.time_ns + ms * MS)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def vrids(mailing: list[bytes]) -> set[int]:
    return {packet[21] for packet in mailing}


def test_after_the_first_one_routers_speak_together(bench: Bench) -> None:
    routers = bench.routers(40)  # one each 20 us: 0.8 ms, and slots have 0.5
    assert [router.alone for router in routers] == [1] * 40
    bench.turn_for(30)
    assert len(bench.wire.mailings) == 3
    assert sum(len(mailing) for mailing in bench.wire.mailings) == 120
    assert set().union(*(vrids(mailing) for mailing in bench.wire.mailings)) == set(range(1, 41))
    numbers = [packet[4:6].hex() for mailing in bench.wire.mailings for packet in mailing if packet[21] == 7]
    assert numbers == ["0001", "0002", "0003"]
    assert {router: bench.renewed.count(router) for router in routers} == dict.fromkeys(routers, 3)


def test_a_fault_takes_a_router_out_and_the_others_go_on(bench: Bench) -> None:
    routers = bench.routers(3)
    bench.turn_for(15)
    routers[1].handle(FaultsChanged(faults=frozenset({FaultCause.INTERFACE_DOWN})))
    bench.wire.mailings.clear()
    bench.turn_for(30)
    assert set().union(*(vrids(mailing) for mailing in bench.wire.mailings)) == {1, 3}


def test_the_last_one_out_ends_the_choir(bench: Bench) -> None:
    (router,) = bench.routers(1)
    me: Any = router
    bench.beats.leave(me)
    bench.turn_for(25)
    assert bench.wire.mailings == []
    assert bench.beats._choirs == {}


def test_what_changed_is_in_the_next_packet(bench: Bench) -> None:
    router = Router(bench.beats, 7, bench.wire)
    router.config = router.core.config = VrrpInstance(
        name="V7", vrid=7, family=4, interface="eth0", version=3, start_as_master=False, base_priority=100,
        advertisement_interval_cs=1,
    )  # fmt: skip
    router.outgoing.change(router.config, "10.0.0.1")
    router.start()
    deadline_ns = router.core.next_deadline_ns()
    assert deadline_ns is not None
    bench.loop.turn_until(deadline_ns)
    router.handle(TimePassed())
    bench.turn_for(25)
    router.handle(PriorityChanged(adjustment=-30))
    bench.turn_for(25)
    assert bench.wire.mailings[0][0][22] == 100
    assert bench.wire.mailings[-1][0][22] == 70


def test_every_one_s_errno_finds_its_router(bench: Bench) -> None:
    routers = bench.routers(2)
    bench.wire.refuses = [(0, 105)]
    bench.turn_for(25)
    assert sorted(router.send_error for router in routers) == [0, 105]
    bench.wire.refuses = []
    bench.turn_for(25)
    assert [router.send_error for router in routers] == [0, 0]


def test_when_it_last_spoke_is_in_the_black_box(bench: Bench) -> None:
    (router,) = bench.routers(1)
    bench.box.put(router.identity, b"some record")
    bench.turn_for(25)
    state = router.core.state
    assert isinstance(state, Active)
    assert bench.box.moment(router.identity) == router.core.snapshot().last_sent_ns > 0


def test_who_signs_every_packet_anew_speaks_alone(bench: Bench) -> None:
    router = Router(bench.beats, 1, bench.wire, authentication_data=b"12345678", authentication_header=True)
    router.start()
    me: Any = router
    assert not bench.beats.fit(me)
    bench.turn_for(15)
    assert bench.wire.mailings == []


def test_another_port_is_used_from_the_next_one_on(bench: Bench) -> None:
    (router,) = bench.routers(1)
    bench.turn_for(15)
    fresh: Any = Wire()
    router.port = fresh
    bench.beats.fit_ports()
    before = len(bench.wire.mailings)
    bench.turn_for(40)
    assert len(bench.wire.mailings) == before
    assert fresh.mailings


def test_whoever_is_far_too_late_begins_a_new_grid_the_ordinary_way(bench: Bench) -> None:
    (router,) = bench.routers(1)
    bench.turn_for(15)
    alone, due_ns = router.alone, router.core.next_deadline_ns()
    assert due_ns is not None
    bench.loop.time_ns = due_ns + 12 * MS  # longer than the interval of 10 ms, shorter than the peers' patience
    bench.loop.turn_until(bench.loop.time_ns)
    assert router.alone == alone + 1
    bench.turn_for(30)
    assert router.alone == alone + 1


def test_in_the_middle_of_long_work_who_is_due_speaks_and_goes_on_in_step(bench: Bench) -> None:
    (router,) = bench.routers(1)
    bench.turn_for(15)
    due_ns, before = router.core.next_deadline_ns(), len(bench.wire.mailings)
    assert due_ns is not None
    bench.loop.time_ns = due_ns - 1
    bench.beats.breathe()
    assert len(bench.wire.mailings) == before
    bench.loop.time_ns = due_ns + 100_000
    bench.beats.breathe()
    bench.beats.breathe()
    assert len(bench.wire.mailings) == before + 1
    assert router.core.next_deadline_ns() == due_ns + 10 * MS
    bench.loop.turn_until(due_ns + 10 * MS)
    assert len(bench.wire.mailings) == before + 2


def test_who_joins_in_the_middle_of_long_work_and_is_due_before_all_others_speaks_in_time(bench: Bench) -> None:
    (slow,) = bench.routers(1, interval_cs=100)
    bench.turn_for(1100)
    bench.beats.breathe()
    quick = Router(bench.beats, 2, bench.wire)
    quick.start()
    due_ns, before = quick.core.next_deadline_ns(), len(bench.wire.mailings)
    assert due_ns is not None
    bench.loop.time_ns = due_ns
    bench.beats.breathe()
    assert vrids(bench.wire.mailings[-1]) == {2}
    assert len(bench.wire.mailings) == before + 1
    assert slow.alone == 1


def test_whoever_has_more_to_do_waits_for_the_loop(bench: Bench) -> None:
    (router,) = bench.routers(1)
    bench.turn_for(15)
    due_ns = router.core.next_deadline_ns()
    assert due_ns is not None
    alone = router.alone
    bench.loop.time_ns = due_ns + 12 * MS  # too late for the grid
    bench.beats.breathe()
    assert router.alone == alone
    bench.loop.turn_until(bench.loop.time_ns)
    assert router.alone == alone + 1
