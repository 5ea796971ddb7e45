"""The machine alone against facts in any order at any time: it never raises, and what it says stays consistent."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings, strategies as st

from pyhad.common.config.model import Announcement, VirtualAddress, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import InstallAddresses, RemoveAddresses
from pyhad.vrrp_proc.core.events import (
    AddressesLost,
    AdvertisementReceived,
    ConfigurationChanged,
    Event,
    FaultCause,
    FaultsChanged,
    LowerHeardTogether,
    PriorityChanged,
    ShutdownWanted,
    SourceAddressChanged,
    StandbyWanted,
    Startup,
    StepDownTogether,
    TakebackWanted,
    TakeOverTogether,
    TimePassed,
)
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from tests.sim.invariants import check_effects

NAMES = ("10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.4")
places = st.sampled_from(NAMES).map(lambda name: ("eth0", name))
addresses = st.lists(st.sampled_from(NAMES), unique=True, max_size=4).map(
    lambda names: tuple(VirtualAddress(address=name, prefix_len=32, interface="eth0") for name in names)
)
sources = st.sampled_from(("", "10.0.0.1", "10.0.0.2", "10.0.0.30"))
peers = st.sampled_from(("10.0.0.1", "10.0.0.2", "10.0.0.30"))
priorities = st.sampled_from((0, 1, 99, 100, 101, 254, 255))
moments = st.integers(0, 20_000_000_000)
faults = st.frozensets(st.sampled_from(FaultCause))
configs = st.builds(
    VrrpInstance,
    name=st.just("VI_1"),
    vrid=st.just(1),
    family=st.just(4),
    interface=st.just("eth0"),
    version=st.sampled_from((2, 3)),
    start_as_master=st.booleans(),
    base_priority=st.sampled_from((1, 100, 254, 255)),
    advertisement_interval_cs=st.sampled_from((100, 200)),
    preempt_mode=st.booleans(),
    preempt_delay_ns=st.sampled_from((0, 2_000_000_000)),
    higher_prio_send_advert=st.booleans(),
    lower_prio_no_advert=st.booleans(),
    addresses=addresses,
    sync_group=st.sampled_from(("", "G")),
    announcement=st.builds(
        Announcement,
        master_delay_ns=st.sampled_from((0, 5_000_000_000)),
        master_repeat=st.integers(0, 5),
        refresh_ns=st.sampled_from((0, 3_000_000_000)),
        lower_prio_delay_ns=st.sampled_from((0, 1_000_000_000)),
        lower_prio_repeat=st.integers(0, 2),
    ),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.just(TimePassed()),
    st.just(TimePassed()),
    st.builds(
        AdvertisementReceived,
        source=peers,
        priority=priorities,
        interval_cs=st.sampled_from((1, 100, 4095)),
        addresses_match=st.booleans(),
    ),
    st.builds(
        Startup,
        faults=faults,
        source_address=sources,
        restored_active=st.booleans(),
        last_sent_ns=moments,
        restored_backup_of=sources,
        restored_master_priority=priorities,
        restored_master_interval_cs=st.sampled_from((0, 100)),
        restored_down_at_ns=moments,
    ),
    st.builds(Startup, faults=st.just(frozenset()), source_address=sources),
    st.builds(FaultsChanged, faults=faults),
    st.just(FaultsChanged(faults=frozenset())),
    st.builds(PriorityChanged, adjustment=st.integers(-300, 300)),
    st.sampled_from((TakeOverTogether(), StepDownTogether(), LowerHeardTogether())),
    st.builds(SourceAddressChanged, source_address=sources),
    st.builds(AddressesLost, addresses=st.lists(places, max_size=3).map(tuple)),
    st.builds(ConfigurationChanged, config=configs),
    st.builds(StandbyWanted, until_ns=moments, patience_ns=st.sampled_from((0, 4_500_000_000))),
    st.just(TakebackWanted()),
    st.builds(
        ShutdownWanted, keep_addresses=st.booleans(), patience_ns=st.sampled_from((0, 300_000_000, 4_500_000_000))
    ),
)


def _play(config: VrrpInstance, life: list[tuple[int, Event]]) -> None:
    router = VirtualRouter(config)
    table: set[VirtualAddress] = set()
    now_ns = 10_000_000_000
    for pause_ns, event in life:
        now_ns += pause_ns
        was_active = router.router_state is RouterState.MASTER
        effects = router.handle(event, now_ns)
        is_active = router.router_state is RouterState.MASTER
        check_effects(event, effects, was_active=was_active, is_active=is_active)
        for effect in effects:
            if isinstance(effect, InstallAddresses):
                table |= set(effect.addresses)
            elif isinstance(effect, RemoveAddresses):
                table -= set(effect.addresses)
        if isinstance(event, ShutdownWanted) and event.keep_addresses:
            table.clear()
        expected = set(router.all_addresses) if is_active else set()
        assert table == expected or (router.is_parting and not is_active)
        deadline_ns = router.next_deadline_ns()
        resting = router.router_state in (RouterState.INIT, RouterState.FAULT) and not router.is_parting
        assert (deadline_ns is None) == resting
        if isinstance(event, TimePassed) and deadline_ns is not None:
            assert deadline_ns > now_ns
        counters = router.counters
        assert counters.become_master - counters.release_master == is_active
        router.snapshot()


pauses = st.sampled_from((0, 1, 10_000_000, 700_000_000, 1_000_000_000, 4_000_000_000, 30_000_000_000))


@given(config=configs, life=st.lists(st.tuples(pauses, events), max_size=40))
@settings(max_examples=300, deadline=None)
def test_facts_in_any_order_never_break_the_machine(config: VrrpInstance, life: list[tuple[int, Event]]) -> None:
    _play(config, life)


@given(config=configs, life=st.lists(st.tuples(pauses, events), max_size=40))
@settings(max_examples=300, deadline=None)
def test_the_same_from_the_active_state(config: VrrpInstance, life: list[tuple[int, Event]]) -> None:
    start = Startup(faults=frozenset(), source_address="10.0.0.2")
    owner = replace(config, start_as_master=True, base_priority=255)
    back: list[tuple[int, Event]] = [(0, start), (0, ConfigurationChanged(config=config))]
    _play(owner, back + life)
