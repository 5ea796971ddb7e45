"""Routes and rules of a virtual router: with its addresses, kept while Active, put back, or a reason to step down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import VirtualRoute, VirtualRule
from pyhad.vrrp_proc.core.effects import Effect, InstallAddresses, RemoveAddresses
from pyhad.vrrp_proc.core.events import (
    AddressesLost,
    AdvertisementReceived,
    ConfigurationChanged,
    Event,
    FaultCause,
    FaultsChanged,
    PathsInDoubt,
    PathsSettled,
    Startup,
    TimePassed,
)
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter

S = 1_000_000_000
ROUTE = VirtualRoute(text="10.7.0.0/16 dev eth0", family=4, destination="10.7.0.0", prefix_len=16, interface="eth0")
RULE = VirtualRule(text="from 10.8.0.0/16 table 5", family=4, priority=9, table=5)
UNTRACKED = replace(ROUTE, destination="10.9.0.0", tracked=False, text="untracked")
EXPIRING = replace(ROUTE, family=6, destination="2001:db8::", expires_s=9, text="expiring")
ALL = (ROUTE, UNTRACKED, EXPIRING, RULE)
MakeConfig = Callable[..., Any]


class Router:
    """Active since 3.609375 s, or whatever else the test makes of it. Effects as short words."""

    def __init__(self, config: Any) -> None:
        self.machine = VirtualRouter(config)
        self.do(0, Startup(faults=frozenset(), source_address="10.0.0.2"))

    def do(self, now_ns: int, event: Event) -> list[str]:
        return [_word(effect) for effect in self.machine.handle(event, now_ns)]

    def become_active(self) -> list[str]:
        return self.do(3_609_375_000, TimePassed())


def _word(effect: Effect) -> str:
    name = type(effect).__name__
    if isinstance(effect, (InstallAddresses, RemoveAddresses)):
        held = [virtual.address for virtual in effect.addresses] + [path.text for path in effect.paths]
        return " ".join([name, *held, *(["mending"] if getattr(effect, "mending", False) else [])])
    return " ".join([name, *(str(getattr(effect, field)) for field in ("event", "reason") if hasattr(effect, field))])


@pytest.fixture
def router(make_config: MakeConfig) -> Callable[..., Router]:
    """With a route, an untracked one, one that expires, and a rule."""
    return lambda **changes: Router(make_config(routes=ALL[:3], rules=(RULE,), **changes))


WHOLE = "10.1.1.1 10.7.0.0/16 dev eth0 untracked expiring from 10.8.0.0/16 table 5"


@pytest.mark.behaviour("NET-2")
@pytest.mark.behaviour("FSM-30")
def test_they_come_with_the_addresses_after_the_advertisement(router: Any) -> None:
    effects = router().become_active()
    assert effects[:2] == ["SendAdvertisement", f"InstallAddresses {WHOLE}"]


@pytest.mark.behaviour("FSM-14")
def test_what_a_predecessor_left_goes_at_the_start(make_config: MakeConfig) -> None:
    machine = VirtualRouter(make_config(routes=ALL[:3], rules=(RULE,)))
    effects = machine.handle(Startup(faults=frozenset(), source_address="10.0.0.2"), 0)
    assert _word(effects[0]) == f"RemoveAddresses {WHOLE}"


@pytest.mark.behaviour("FSM-41")
def test_they_go_with_the_addresses(router: Any) -> None:
    one = router()
    one.become_active()
    effects = one.do(4 * S, FaultsChanged(faults=frozenset({FaultCause.INTERFACE_DOWN})))
    assert effects[:2] == ["SendAdvertisement", f"RemoveAddresses {WHOLE}"]


def test_who_gives_way_leads_packets_until_the_other_does(router: Any) -> None:
    one = router()
    one.become_active()
    better = AdvertisementReceived(source="10.0.0.1", priority=200, interval_cs=100)
    assert not any("RemoveAddresses" in word for word in one.do(4 * S, better))
    assert one.do(4 * S + 50_000_000, TimePassed())[0] == f"RemoveAddresses {WHOLE}"


@pytest.mark.behaviour("REL-12")
def test_a_reload_touches_the_difference_only(router: Any, make_config: MakeConfig) -> None:
    one = router()
    one.become_active()
    other = replace(ROUTE, metric=5, text="other")
    config = make_config(routes=(other, UNTRACKED, EXPIRING), rules=(RULE,))
    effects = one.do(4 * S, ConfigurationChanged(config=config))
    assert effects == [
        "SendAdvertisement", "RemoveAddresses 10.7.0.0/16 dev eth0", "InstallAddresses other",
    ]  # fmt: skip


def test_a_doubtful_one_is_added_again_at_most_once_a_second(router: Any) -> None:
    one = router()
    one.become_active()
    doubt = PathsInDoubt(paths=ALL, removed=True)
    assert one.do(4 * S, doubt) == ["InstallAddresses 10.7.0.0/16 dev eth0 from 10.8.0.0/16 table 5 mending"]
    settled = PathsSettled(added=(ROUTE,), present=(RULE,), mending=True)
    assert one.do(4 * S, settled) == ["Remark lost_paths_put_back"]
    assert one.do(4 * S + 1, PathsInDoubt(paths=(ROUTE,), removed=True)) == []
    again = "InstallAddresses 10.7.0.0/16 dev eth0 mending"
    assert again in one.do(5 * S, TimePassed())
    assert one.do(5 * S, PathsSettled(present=(ROUTE,), mending=True)) == []


def test_a_backup_puts_nothing_back(router: Any) -> None:
    one = router()
    assert one.do(1 * S, PathsInDoubt(paths=ALL)) == []
    assert one.do(1 * S, PathsSettled(added=ALL, mending=True)) == []


def test_an_address_that_is_put_back_brings_the_routes_that_went_with_it(router: Any) -> None:
    one = router()
    one.become_active()
    effects = one.do(4 * S, AddressesLost(addresses=(("eth0", "10.1.1.1"),)))
    assert effects[0] == "InstallAddresses 10.1.1.1 10.7.0.0/16 dev eth0 from 10.8.0.0/16 table 5 mending"


def test_what_the_kernel_refuses_is_tried_again_after_five_seconds(router: Any) -> None:
    one = router()
    one.become_active()
    assert one.do(4 * S, PathsSettled(added=(RULE,), refused=(ROUTE,))) == []
    assert one.machine.refused_paths == (ROUTE,)
    for second in (5, 6, 7, 8):
        assert not any("Install" in word for word in one.do(second * S, TimePassed()))
    assert "InstallAddresses 10.7.0.0/16 dev eth0" in one.do(9 * S, TimePassed())
    assert one.do(9 * S, PathsSettled(added=(ROUTE,))) == ["Remark refused_paths_installed"]
    assert one.machine.refused_paths == ()


def test_a_route_that_is_put_back_does_not_keep_a_refused_one_from_its_turn(router: Any) -> None:
    one = router()
    one.become_active()
    one.do(4 * S, PathsSettled(refused=(ROUTE,)))
    one.do(5 * S, TimePassed())
    one.do(6 * S, PathsSettled(added=(RULE,), mending=True))
    for second in (6, 7, 8):
        one.do(second * S, TimePassed())
    assert "InstallAddresses 10.7.0.0/16 dev eth0" in one.do(9 * S, TimePassed())


@pytest.mark.behaviour("FSM-37")
@pytest.mark.behaviour("NET-9")
def test_on_request_a_stolen_route_costs_the_mastership(router: Any) -> None:
    one = router(put_back=False)
    one.become_active()
    one.do(4 * S, PathsInDoubt(paths=(ROUTE,), removed=True))
    effects = one.do(4 * S, PathsSettled(added=(ROUTE,), mending=True))
    assert effects == ["SendAdvertisement", f"RemoveAddresses {WHOLE}", "ChangeState lost"]
    assert one.machine.next_deadline_ns() == 4 * S + 609_375_000


@pytest.mark.behaviour("FSM-37")
def test_on_request_a_stolen_address_costs_the_mastership(router: Any) -> None:
    one = router(put_back=False)
    one.become_active()
    effects = one.do(4 * S, AddressesLost(addresses=(("eth0", "10.1.1.1"),)))
    assert effects == ["SendAdvertisement", f"RemoveAddresses {WHOLE}", "ChangeState lost"]


def test_a_route_that_went_with_its_interface_costs_nothing(router: Any) -> None:
    one = router(put_back=False)
    one.become_active()
    one.do(4 * S, PathsInDoubt(paths=(ROUTE,)))
    assert one.do(4 * S, PathsSettled(added=(ROUTE,), mending=True)) == ["Remark lost_paths_put_back"]


@pytest.mark.behaviour("FSM-37")
def test_an_untracked_address_may_be_taken(make_config: MakeConfig) -> None:
    base = make_config()
    free = replace(base.addresses[0], tracked=False)
    one = Router(replace(base, addresses=(free,)))
    one.become_active()
    assert one.do(4 * S, AddressesLost(addresses=(("eth0", "10.1.1.1"),))) == []
