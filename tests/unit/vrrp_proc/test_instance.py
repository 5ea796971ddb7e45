"""One virtual router's shell: what effects become, without a network."""

from __future__ import annotations

import collections
import dataclasses
import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.model import HmacKey, HmacMode, HmacSettings, UnicastPeer, VirtualAddress, VrrpInstance
from pyhad.common.config.model.tracking import Notify
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.states import RouterState
from pyhad.vrrp_proc import journal
from pyhad.vrrp_proc.beats import Beats
from pyhad.vrrp_proc.core.events import FaultCause
from pyhad.vrrp_proc.core.notices import Told
from pyhad.vrrp_proc.core.packet import Received
from pyhad.vrrp_proc.instance import Instance
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.kernel.addresses import Addresses
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.kernel.leases import Leases
from pyhad.vrrp_proc.moving_timer import Looks
from pyhad.vrrp_proc.wire.mailing import Mailing
from pyhad.vrrp_proc.world import World

VIP = VirtualAddress(address="10.0.0.100", prefix_len=32, interface="eth0")
OWNER = VrrpInstance(
    name="VI_1", vrid=51, family=4, interface="eth0", version=3, start_as_master=True, base_priority=255,
    advertisement_interval_cs=100, addresses=(VIP,),
)  # fmt: skip
BACKUP = dataclasses.replace(OWNER, base_priority=100, start_as_master=False)
NO_FAULT: frozenset[FaultCause] = frozenset()
# 10.0.0.2 -> 224.0.0.18, priority 200, 1 s, 10.0.0.100; all words with the pseudo header sum up to ee8d
GOOD = bytes.fromhex("3133c801 0064 1172 0a000064")


class Wire:
    """A port that keeps what is sent and answers with `number`."""

    def __init__(self) -> None:
        self.index, self.is_plain, self.is_at_link = 2, True, False
        self.sent: list[bytes] = []
        self.number = 0
        self.reads = 0
        self.next_read: Callable[[], int] = lambda: 0

    def send(self, packet: bytes | bytearray, destination: str) -> int:
        assert destination == "224.0.0.18"
        self.sent.append(bytes(packet))
        return self.number

    @property
    def outlet(self) -> Wire:
        return self

    def envelope(self, destination: str) -> bytes:
        return destination.encode()

    def send_all(self, mailing: Mailing) -> list[tuple[int, int]]:
        self.sent += mailing.packets()
        return [(place, self.number) for place in range(len(mailing.places)) if self.number]

    def read(self) -> int:
        self.reads += 1
        return self.next_read()

    def forget_known(self) -> None:
        pass


class Voice:
    """Keeps what is announced."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []

    def announce(self, addresses: Any, repeat: int) -> int:
        self.said += [(address.address, repeat) for address in addresses]
        return repeat

    def forget(self, addresses: Any) -> None:
        """Nothing waits here."""


class Ear:
    """Keeps what scripts and FIFOs would hear."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def state(self, config: VrrpInstance, state: Told, priority: int) -> None:
        self.heard.append(f"{config.name} {state} {priority}")

    def priority(self, config: VrrpInstance, priority: int, *, is_master: bool) -> None:
        self.heard.append(f"{config.name} priority {priority} {is_master}")

    def lower_priority(self, config: VrrpInstance, priority: int) -> None:
        self.heard.append(f"{config.name} lower {priority}")

    def after(self, instance: Instance) -> None:
        self.heard.append(f"{instance.config.name} moved")

    def lower_heard(self, instance: Instance) -> None:
        pass

    def repeat(self, config: VrrpInstance, state: Told, priority: int) -> None:
        self.heard.append(f"{config.name} still {state}")


class Bench:
    """A world of fakes around real loop, journal and holdings."""

    def __init__(self, kernel: Any, log: Path) -> None:
        self.kernel = kernel
        self.log_path = log
        self.loop = Loop()
        self.box = BlackBox(4, journal.PAYLOAD_BYTES)
        self.log = ProcessLog("vrrp", LogSettings(console=False, syslog=False, file=str(log)))
        self.voice: Any = Voice()
        self.told = Ear()
        self.wire = Wire()
        self.changes = 0
        records = Journal(self.box)
        leases = Leases(kernel, kernel.links, self.loop)
        self.world = World(
            loop=self.loop,
            logger=self.log.logger,
            holdings=Holdings(Addresses(kernel, kernel.links), leases),
            announcer=self.voice,
            journal=records,
            beats=Beats(self.loop, records, leases),
            looks=Looks(self.loop),
            counters=collections.Counter(),
            on_change=self._changed,
            teller=self.told,
            companions=self.told,
        )

    def _changed(self) -> None:
        self.changes += 1

    def router(self, config: VrrpInstance) -> Instance:
        instance = Instance(config, self.world)
        instance.port = self.wire
        return instance

    def logged(self) -> list[bytes]:
        self.log.flush()
        return self.log_path.read_bytes().splitlines()


@pytest.fixture
def bench(kernel: Any, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(kernel, tmp_path / "log")
    yield made
    made.loop.close()


@pytest.mark.behaviour("FSM-30")
def test_an_owner_advertises_installs_and_announces_at_once(bench: Bench) -> None:
    bench.router(OWNER).start(NO_FAULT, "10.0.0.1", None)
    assert len(bench.wire.sent) == 1
    assert bench.kernel.there == {("10.0.0.100", 32): 112}
    assert bench.voice.said == [("10.0.0.100", 5)]
    assert bench.changes == 1


@pytest.mark.behaviour("PKT-1")
def test_the_identification_rises_with_every_packet_and_skips_0(bench: Bench) -> None:
    router = bench.router(OWNER)
    router.start(NO_FAULT, "10.0.0.1", None)
    bench.world.numbers.last = 65534
    router._send(255)
    router._send(255)
    assert [packet[4:6].hex() for packet in bench.wire.sent] == ["0001", "ffff", "0001"]


@pytest.mark.behaviour("PKT-3")
def test_the_packet_carries_priority_source_and_address(bench: Bench) -> None:
    bench.router(OWNER).start(NO_FAULT, "10.0.0.1", None)
    packet = bench.wire.sent[0]
    assert packet[:10].hex() == "45c0002000010000ff70"
    assert packet[12:20].hex() == "0a000001e0000012"
    assert packet[20:26].hex() == "3133ff010064"
    assert packet[28:].hex() == "0a000064"


def test_a_new_source_address_is_in_the_next_packet(bench: Bench) -> None:
    router = bench.router(OWNER)
    router.start(NO_FAULT, "10.0.0.1", None)
    router.surroundings(NO_FAULT, "10.0.0.9")
    router._send(255)
    assert bench.wire.sent[-1][12:16].hex() == "0a000009"


@pytest.mark.behaviour("FSM-41")
def test_a_fault_releases_from_the_address_that_is_going_away(bench: Bench) -> None:
    router = bench.router(OWNER)
    router.start(NO_FAULT, "10.0.0.1", None)
    router.surroundings(frozenset({FaultCause.NO_SOURCE_ADDRESS}), "")
    assert bench.wire.sent[-1][12:16].hex() == "0a000001"
    assert bench.wire.sent[-1][22] == 0
    assert bench.kernel.there == {}


def test_the_same_surroundings_twice_are_no_event(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(NO_FAULT, "10.0.0.1", None)
    before = len(bench.logged())
    router.surroundings(NO_FAULT, "10.0.0.1")
    assert len(bench.logged()) == before


def test_a_send_error_is_said_once_and_counted_each_time(bench: Bench) -> None:
    router = bench.router(OWNER)
    bench.wire.number = errno.ENETDOWN
    router.start(NO_FAULT, "10.0.0.1", None)
    router._send(255)
    assert router.counters["advert_send_err"] == 2
    assert sum(b"advert_not_sent" in line for line in bench.logged()) == 1


@pytest.mark.rfc("9568-7.1g")
@pytest.mark.behaviour("PKT-31")
@pytest.mark.behaviour("PKT-37")
def test_a_bad_advert_is_counted_each_time_and_said_once(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(NO_FAULT, "10.0.0.1", None)
    bad = Received(source="10.0.0.2", destination="224.0.0.18", ttl=255, payload=GOOD[:-1] + b"\xff")
    assert router.receive(bad) is None
    assert router.receive(bad) is None
    assert router.counters["checksum_err"] == 2
    assert sum(b"advert_refused" in line for line in bench.logged()) == 1


def test_a_good_advert_becomes_an_event_that_may_be_remembered(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(NO_FAULT, "10.0.0.1", None)
    event = router.receive(Received(source="10.0.0.2", destination="224.0.0.18", ttl=255, payload=GOOD))
    assert event is not None
    assert (event.source, event.priority, event.interval_cs) == ("10.0.0.2", 200, 100)
    assert router.status().counters["advert_rcvd"] == 1
    assert router.status().master_address == "10.0.0.2"


@pytest.mark.behaviour("PKT-35")
def test_an_advert_with_other_addresses_counts_and_is_looked_at_anew_each_time(bench: Bench) -> None:
    other = dataclasses.replace(VIP, address="10.0.0.101")
    router = bench.router(dataclasses.replace(BACKUP, addresses=(other,)))
    router.start(NO_FAULT, "10.0.0.1", None)
    received = Received(source="10.0.0.2", destination="224.0.0.18", ttl=255, payload=GOOD)
    assert router.receive(received) is None
    assert router.status().counters["addr_list_err"] == 1
    assert router.status().counters["advert_rcvd"] == 1


@pytest.mark.behaviour("PKT-21")
def test_a_router_in_fault_hears_nothing(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(frozenset({FaultCause.INTERFACE_DOWN}), "10.0.0.1", None)
    assert router.receive(Received(source="10.0.0.2", destination="224.0.0.18", ttl=1, payload=GOOD)) is None
    assert router.status().counters["ip_ttl_err"] == 0
    assert router.status().state is RouterState.FAULT
    assert router.status().reason == "interface_down"


def test_a_successor_goes_on_as_master_with_the_addresses_it_finds(bench: Bench) -> None:
    first = bench.router(dataclasses.replace(BACKUP, base_priority=200))
    first.start(NO_FAULT, "10.0.0.1", None)
    record = journal.Record(
        state=RouterState.MASTER, since_ns=1, last_sent_ns=time.monotonic_ns(), down_at_ns=0, master_priority=200,
        master_interval_cs=100, master_address="10.0.0.1",
    )  # fmt: skip
    bench.kernel.put("10.0.0.100", 32)
    second = bench.router(dataclasses.replace(BACKUP, base_priority=200))
    second.start(NO_FAULT, "10.0.0.1", record)
    assert second.status().state is RouterState.MASTER
    assert second.status().reason == "resumed_after_restart"
    assert second.status().since_ns == 1, "it is master since its predecessor became it"
    second.shut_down()
    assert bench.kernel.there == {}, "what the predecessor installed is taken off by the successor"


def test_what_the_successor_needs_is_journaled_after_every_event(bench: Bench) -> None:
    bench.router(OWNER).start(NO_FAULT, "10.0.0.1", None)
    left = Journal(bench.box).left_behind(OWNER)
    assert left is not None
    assert left.state is RouterState.MASTER
    assert 0 <= time.monotonic_ns() - left.last_sent_ns < 10_000_000_000


@pytest.mark.behaviour("PROC-30")
def test_an_orderly_end_releases_and_leaves_no_record(bench: Bench) -> None:
    router = bench.router(OWNER)
    router.start(NO_FAULT, "10.0.0.1", None)
    router.shut_down()
    assert bench.wire.sent[-1][22] == 0
    assert bench.kernel.there == {}
    assert Journal(bench.box).left_behind(OWNER) is None


def test_an_end_with_patience_keeps_the_addresses_until_it_is_over(bench: Bench) -> None:
    gone: list[Instance] = []
    bench.world.on_parted = gone.append
    router = bench.router(OWNER)
    router.start(NO_FAULT, "10.0.0.1", None)
    assert not router.shut_down(patience_ns=30_000_000)
    assert bench.wire.sent[-1][22] == 0
    assert bench.kernel.there == {("10.0.0.100", 32): 112}
    assert Journal(bench.box).left_behind(OWNER) is None
    assert router.is_listening, "for a successor"
    end_ns = time.monotonic_ns() + 40_000_000_000
    while not gone and time.monotonic_ns() < end_ns:
        bench.loop.turn(0.1)
    assert gone == [router]
    assert bench.kernel.there == {}
    assert Journal(bench.box).left_behind(OWNER) is None


@pytest.mark.behaviour("CLI-14")
def test_addresses_can_be_kept_at_the_end(bench: Bench) -> None:
    router = bench.router(OWNER)
    router.start(NO_FAULT, "10.0.0.1", None)
    router.shut_down(keep_addresses=True)
    assert len(bench.wire.sent) == 1
    assert bench.kernel.there == {("10.0.0.100", 32): 112}


def test_a_silent_master_is_believed_only_after_all_that_waited_was_read(bench: Bench) -> None:
    quick = dataclasses.replace(BACKUP, advertisement_interval_cs=1)
    router = bench.router(quick)
    router.start(NO_FAULT, "10.0.0.1", None)
    end_ns = time.monotonic_ns() + 40_000_000_000
    while router.status().state is RouterState.BACKUP and time.monotonic_ns() < end_ns:
        bench.loop.turn(0.1)
    assert router.status().state is RouterState.MASTER
    assert bench.wire.reads >= 1


def test_after_a_stall_the_master_is_heard_behind_many_others(bench: Bench) -> None:
    router = bench.router(dataclasses.replace(BACKUP, advertisement_interval_cs=1))

    def strangers_then_the_master() -> int:
        if bench.wire.reads < 3:
            return 64
        router.receive(Received(source="10.0.0.2", destination="224.0.0.18", ttl=255, payload=GOOD))
        return 64

    bench.wire.next_read = strangers_then_the_master
    router.start(NO_FAULT, "10.0.0.1", None)
    end_ns = time.monotonic_ns() + 40_000_000_000
    while bench.wire.reads == 0 and time.monotonic_ns() < end_ns:
        bench.loop.turn(0.1)
    assert bench.wire.reads == 3
    assert router.status().state is RouterState.BACKUP


@pytest.mark.behaviour("SIG-25")
def test_what_is_heard_again_counts_and_is_forgotten_by_the_next_event(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(NO_FAULT, "10.0.0.1", None)
    made = router.receive(Received(source="10.0.0.2", destination="224.0.0.18", ttl=255, payload=GOOD))
    assert made is not None
    router.hear_again(made)
    assert router.repeats.event is made
    router.repeats.times, router.repeats.last_ns = 3, bench.loop.now_ns()
    assert router.status().counters["advert_rcvd"] == 5
    assert (router.repeats.times, router.repeats.event is made) == (0, True)
    router.adjust(-1)
    assert router.repeats.event is not made


def test_counters_have_keepalived_s_names_first(bench: Bench) -> None:
    router = bench.router(OWNER)
    router.start(NO_FAULT, "10.0.0.1", None)
    assert list(router.status().counters)[:14] == [
        "advert_rcvd", "advert_sent", "become_master", "release_master", "packet_len_err", "advert_interval_err",
        "ip_ttl_err", "invalid_type_rcvd", "addr_list_err", "invalid_authtype", "authtype_mismatch", "auth_failure",
        "pri_zero_rcvd", "pri_zero_sent",
    ]  # fmt: skip


def good() -> Received:
    return Received(source="10.0.0.2", destination="224.0.0.18", ttl=255, payload=GOOD)


@pytest.mark.behaviour("PKT-33")
def test_an_owner_that_ignores_adverts_hears_nobody(bench: Bench) -> None:
    router = bench.router(dataclasses.replace(OWNER, ignores_adverts=True))
    router.start(NO_FAULT, "10.0.0.1", None)
    assert router.receive(good()) is None
    assert (router.status().counters["advert_rcvd"], router.counters["owner_ignored"]) == (0, 1)


@pytest.mark.behaviour("FSM-15", "PKT-32")
def test_of_several_routers_of_a_vrid_a_message_finds_its_own(bench: Bench) -> None:
    peers = (UnicastPeer(address="10.0.0.2"),)
    router = bench.router(dataclasses.replace(BACKUP, unicast_peers=peers))
    router.start(NO_FAULT, "10.0.0.1", None)
    assert router.expects(dataclasses.replace(good(), destination="10.0.0.1"))
    assert not router.expects(dataclasses.replace(good(), destination="10.0.0.1", source="10.0.0.3"))
    assert not router.expects(good())
    assert bench.router(BACKUP).expects(good())


@pytest.mark.behaviour("FSM-45")
def test_a_unicast_router_that_comes_up_announces_its_own_address(bench: Bench) -> None:
    peers = (UnicastPeer(address="10.0.0.2"),)
    router = bench.router(dataclasses.replace(BACKUP, unicast_peers=peers))
    router.start(NO_FAULT, "10.0.0.1", None)
    assert bench.voice.said == [("10.0.0.1", 1)]
    router.surroundings(frozenset({FaultCause.INTERFACE_DOWN}), "10.0.0.1")
    assert len(bench.voice.said) == 1
    router.surroundings(NO_FAULT, "10.0.0.9")
    assert bench.voice.said[1:] == [("10.0.0.9", 1)]
    bench.router(BACKUP).start(NO_FAULT, "10.0.0.1", None)
    assert len(bench.voice.said) == 2, "by multicast nobody has to know it"


@pytest.mark.behaviour("AUTH-7")
def test_what_may_be_signed_is_looked_at_each_time(bench: Bench) -> None:
    key = HmacKey(identifier=1, secret=bytes(32))
    settings = HmacSettings(keys=(key,), active=1, window_s=5, monotonic=False, mode=HmacMode.PERMISSIVE)
    plain, signed = bench.router(BACKUP), bench.router(dataclasses.replace(BACKUP, hmac=settings))
    for router in (plain, signed):
        router.start(NO_FAULT, "10.0.0.1", None)
    assert plain.receive(good()) is not None
    assert signed.receive(good()) is None, "its bytes must not be known as good: they could be sent again"
    assert signed.status().counters["advert_rcvd"] == 1


def left(state: RouterState) -> journal.Record:
    now_ns = time.monotonic_ns()
    return journal.Record(
        state=state, since_ns=now_ns, last_sent_ns=now_ns, down_at_ns=now_ns + 10**9, master_priority=0,
        master_interval_cs=100, master_address="",
    )  # fmt: skip


@pytest.mark.behaviour("NTF-2", "NTF-6")
def test_every_change_of_state_is_told_and_so_is_the_stop(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(frozenset({FaultCause.INTERFACE_DOWN}), "10.0.0.1", None)
    router.surroundings(NO_FAULT, "10.0.0.1")
    router.shut_down()
    assert bench.told.heard == ["VI_1 FAULT 100", "VI_1 BACKUP 100", "VI_1 STOP 100"]


@pytest.mark.behaviour("NTF-5")
@pytest.mark.parametrize(("reports", "word"), [(True, "DELETED"), (False, "FAULT")])
def test_a_router_that_a_reload_removes_says_so(bench: Bench, reports: bool, word: str) -> None:
    notify = Notify(reports_deleted=reports)
    router = bench.router(dataclasses.replace(BACKUP, notify=notify))
    router.start(NO_FAULT, "10.0.0.1", None)
    router.shut_down(deleted=True)
    assert bench.told.heard == ["VI_1 BACKUP 100", f"VI_1 {word} 100"]


@pytest.mark.parametrize("state", [RouterState.MASTER, RouterState.BACKUP])
def test_a_successor_does_not_tell_again_what_was_told(bench: Bench, state: RouterState) -> None:
    router = bench.router(BACKUP)
    router.start(NO_FAULT, "10.0.0.1", left(state))
    assert router.core.router_state is state
    assert bench.told.heard == []
    router.surroundings(frozenset({FaultCause.INTERFACE_DOWN}), "10.0.0.1")
    assert bench.told.heard == ["VI_1 FAULT 100"]


def test_a_successor_tells_what_changed_with_the_death(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(frozenset({FaultCause.INTERFACE_DOWN}), "10.0.0.1", left(RouterState.MASTER))
    assert bench.told.heard == ["VI_1 FAULT 100"]


@pytest.mark.behaviour("FSM-51")
def test_a_script_that_did_not_run_yet_is_no_fault_to_tell(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(frozenset({FaultCause.TRACKED_SCRIPT_UNKNOWN}), "10.0.0.1", None)
    assert bench.told.heard == []
    router.surroundings(NO_FAULT, "10.0.0.1")
    assert bench.told.heard == ["VI_1 BACKUP 100"]


@pytest.mark.behaviour("TRK-2")
def test_a_change_of_priority_is_told_with_the_role(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.adjust(5)
    router.start(NO_FAULT, "10.0.0.1", None)
    router.adjust(-10)
    router.adjust(-10)
    assert bench.told.heard == ["VI_1 BACKUP 105", "VI_1 priority 90 False"]


def test_a_master_whose_successor_knows_nothing_of_a_script_tells_the_fault(bench: Bench) -> None:
    router = bench.router(BACKUP)
    router.start(frozenset({FaultCause.TRACKED_SCRIPT_UNKNOWN}), "10.0.0.1", left(RouterState.MASTER))
    assert bench.told.heard == ["VI_1 FAULT 100"]
