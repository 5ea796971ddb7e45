"""The wanted table over time: start, restart, verdicts, reload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import SCHEMA, DataPlane, IpvsDocument, Listener, Protocol, VirtualServer
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.effects import Effect, KeepOrders, Remark, WriteServices
from pyhad.ipvs_proc.core.events import Configured, Emptied, TimePassed, VerdictHeard, VerdictsHeard, WeightOrdered
from pyhad.ipvs_proc.core.orders import Order
from pyhad.ipvs_proc.core.table import Table

SECOND = 1_000_000_000
OTHER = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.2", port=80)


def document(*services: VirtualServer) -> IpvsDocument:
    return IpvsDocument(schema=SCHEMA, generation=1, data_plane=DataPlane.AUTO, services=services)


def configured(actual: Table, *services: VirtualServer) -> tuple[Balancer, list[Effect]]:
    balancer = Balancer()
    return balancer, balancer.handle(Configured(document=document(*services), actual=actual), 5 * SECOND)


def written(effects: list[Effect]) -> set[Listener]:
    return {each for effect in effects if isinstance(effect, WriteServices) for each in effect.listeners}


@pytest.mark.behaviour("CHK-6", "LVS-33")
def test_a_first_start_writes_at_once_without_any_verdict(make: Any) -> None:
    balancer, effects = configured({}, make.virtual(make.server(1), make.server(2, alpha=True)))
    assert written(effects) == {make.listener}
    assert make.weights(balancer.wanted(make.listener)) == {1: 1}
    assert balancer.next_deadline_ns() is None


def test_a_damaged_service_that_is_found_keeps_its_servers_and_is_as_configured(make: Any) -> None:
    """To hold what is damaged would be to want it, and no data plane can do that."""
    actual = {make.listener: make.entry({2: 4}, scheduler="")}
    balancer, effects = configured(actual, make.virtual(make.server(1), make.server(2), scheduler="wrr"))
    assert written(effects) == {make.listener}
    assert balancer.wanted(make.listener) == make.entry({2: 4}, scheduler="wrr")
    assert balancer.next_deadline_ns() == 8 * SECOND


def test_a_restart_changes_nothing_until_three_seconds_have_passed(make: Any) -> None:
    actual = {make.listener: make.entry({2: 4})}
    balancer, _ = configured(actual, make.virtual(make.server(1), make.server(2), scheduler="wrr"))
    assert balancer.wanted(make.listener) == actual[make.listener]
    assert balancer.next_deadline_ns() == 8 * SECOND
    assert balancer.handle(TimePassed(), 8 * SECOND - 1) == []
    assert written(balancer.handle(TimePassed(), 8 * SECOND)) == {make.listener}
    entry = balancer.wanted(make.listener)
    assert make.weights(entry) == {2: 4}
    assert entry is not None
    assert entry.service.scheduler == "wrr"
    assert balancer.next_deadline_ns() is None


def test_a_restart_changes_nothing_when_the_verdicts_agree_with_the_kernel(make: Any) -> None:
    actual = {make.listener: make.entry({2: 4})}
    balancer, _ = configured(actual, make.virtual(make.server(1), make.server(2)))
    verdicts = (make.verdict(1, False), make.verdict(2, True, 4, reason="check_succeeded"))
    effects = balancer.handle(VerdictsHeard(verdicts=verdicts), 6 * SECOND)
    assert written(effects) == {make.listener}
    assert balancer.wanted(make.listener) == actual[make.listener]
    assert balancer.next_deadline_ns() is None


def test_a_single_change_does_not_end_the_waiting_for_a_snapshot(make: Any) -> None:
    actual = {make.listener: make.entry({1: 1, 2: 1})}
    balancer, _ = configured(actual, make.virtual(make.server(1), make.server(2)))
    balancer.handle(VerdictHeard(verdict=make.verdict(1, False)), 6 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 1}
    balancer.handle(TimePassed(), 8 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {2: 1}


def test_a_fresh_checker_takes_nothing_out_and_puts_nothing_in(make: Any) -> None:
    actual = {make.listener: make.entry({2: 1})}
    balancer, _ = configured(actual, make.virtual(make.server(1), make.server(2)))
    untested = tuple(make.verdict(number, True, reason="not_checked_yet") for number in (1, 2))
    balancer.handle(VerdictsHeard(verdicts=untested), 6 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {2: 1}
    balancer.handle(VerdictHeard(verdict=make.verdict(1, True, reason="check_succeeded")), 7 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 1}


def test_a_respawned_checker_that_knows_nothing_changes_no_server(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1), make.server(2)))
    balancer.handle(VerdictHeard(verdict=make.verdict(1, False)), 6 * SECOND)
    untested = tuple(make.verdict(number, True, reason="not_checked_yet") for number in (1, 2))
    assert written(balancer.handle(VerdictsHeard(verdicts=untested), 7 * SECOND)) == set()
    assert make.weights(balancer.wanted(make.listener)) == {2: 1}


@pytest.mark.behaviour("REL-32")
def test_a_reload_does_not_wait_for_the_checker(make: Any) -> None:
    balancer, _ = configured({make.listener: make.entry({1: 1, 2: 1})}, make.virtual(make.server(1), make.server(2)))
    after = document(make.virtual(make.server(1, 5)))
    balancer.handle(Configured(document=after, actual={make.listener: make.entry({1: 1, 2: 1})}), 6 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 5}


def test_a_table_found_empty_waits_for_the_checker_even_over_a_reload(make: Any) -> None:
    configuration = make.virtual(make.server(1), make.server(2))
    empty = {make.listener: make.entry({})}
    balancer, _ = configured(empty, configuration)
    balancer.handle(Configured(document=document(configuration), actual=empty), 6 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {}
    balancer.handle(TimePassed(), 8 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 1}


def test_new_services_are_written_at_once_beside_old_ones_that_wait(make: Any) -> None:
    services = (make.virtual(make.server(1)), make.virtual(make.server(2), name="other", listeners=(OTHER,)))
    balancer, _ = configured({make.listener: make.entry({1: 3})}, *services)
    assert make.weights(balancer.wanted(make.listener)) == {1: 3}
    assert make.weights(balancer.wanted(OTHER)) == {2: 1}


def test_a_verdict_writes_only_its_own_service(make: Any) -> None:
    services = (make.virtual(make.server(1)), make.virtual(make.server(2), name="other", listeners=(OTHER,)))
    balancer, _ = configured({}, *services)
    effects = balancer.handle(VerdictHeard(verdict=make.verdict(2, False, service="other")), 6 * SECOND)
    assert written(effects) == {OTHER}


def test_a_verdict_that_changes_nothing_writes_nothing(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1)))
    assert balancer.handle(VerdictHeard(verdict=make.verdict(1, True, reason="check_succeeded")), 6 * SECOND) == []


def test_a_verdict_that_came_before_its_server_counts_when_the_server_comes(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1)))
    balancer.handle(VerdictsHeard(verdicts=(make.verdict(2, True),)), 6 * SECOND)
    balancer.handle(VerdictHeard(verdict=make.verdict(2, False)), 6 * SECOND)
    after = document(make.virtual(make.server(1), make.server(2)))
    balancer.handle(Configured(document=after, actual={make.listener: make.entry({1: 1})}), 7 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1}


def test_verdicts_of_servers_that_nobody_named_are_not_kept(make: Any) -> None:
    """They could be as many as a checker that went wrong cares to say."""
    balancer, _ = configured({}, make.virtual(make.server(1)))
    balancer.handle(VerdictsHeard(verdicts=(make.verdict(1, True),)), 6 * SECOND)
    balancer.handle(VerdictHeard(verdict=make.verdict(2, False)), 6 * SECOND)
    after = document(make.virtual(make.server(2)))
    balancer.handle(Configured(document=after, actual={}), 7 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {2: 1}


@pytest.mark.behaviour("REL-35")
def test_a_reload_names_services_that_are_no_longer_wanted(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1)))
    other = make.virtual(make.server(2), name="other", listeners=(OTHER,))
    effects = balancer.handle(Configured(document=document(other), actual={}), 7 * SECOND)
    assert written(effects) == {make.listener, OTHER}
    assert balancer.wanted(make.listener) is None


@pytest.mark.behaviour("REL-38")
def test_a_new_listener_of_a_group_receives_the_servers_that_are_up(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1), make.server(2)))
    balancer.handle(VerdictHeard(verdict=make.verdict(1, False)), 6 * SECOND)
    both = make.virtual(make.server(1), make.server(2), listeners=(make.listener, OTHER))
    balancer.handle(Configured(document=document(both), actual={}), 7 * SECOND)
    assert make.weights(balancer.wanted(OTHER)) == {2: 1}


@pytest.mark.behaviour("LVS-23")
def test_virtual_servers_that_share_a_listener_share_its_destinations(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1)), make.virtual(make.server(2), name="second"))
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 1}


def test_a_renamed_service_goes_on_with_what_the_kernel_has(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1), make.server(2)))
    renamed = document(make.virtual(make.server(1), make.server(2), name="renamed"))
    balancer.handle(Configured(document=renamed, actual={make.listener: make.entry({2: 1})}), 7 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {2: 1}


WEB2 = ("web", "10.1.0.2:80")


def drain(server: str = "10.1.0.2:80", **times: int) -> WeightOrdered:
    return WeightOrdered(service="web", server=server, order=Order(weight=0, **times))


def test_an_operator_s_weight_acts_at_once_even_on_what_waits_for_verdicts(make: Any) -> None:
    balancer, _ = configured({make.listener: make.entry({1: 4, 2: 4})}, make.virtual(make.server(1), make.server(2)))
    effects = balancer.handle(drain(), 5 * SECOND)
    assert written(effects) == {make.listener}
    assert KeepOrders() in effects
    assert make.weights(balancer.wanted(make.listener)) == {1: 4, 2: 0}
    assert balancer.handle(drain(), 5 * SECOND) == []
    assert balancer.handle(drain("10.1.0.9:80"), 5 * SECOND) == []
    other = WeightOrdered(service="no", server="10.1.0.2:80", order=Order(weight=0))
    assert balancer.handle(other, 5 * SECOND) == []


def test_orders_are_kept_over_a_reload_and_a_restart_and_a_time_without_their_server(make: Any) -> None:
    config = document(make.virtual(make.server(1), make.server(2)))
    balancer = Balancer({WEB2: Order(weight=0)})
    for _ in range(2):
        balancer.handle(Configured(document=config, actual={}), 0)
        assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 0}
    balancer.handle(Configured(document=document(make.virtual(make.server(1))), actual={}), 0)
    assert balancer.draining() == {}
    balancer.handle(Configured(document=config, actual={}), 0)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 0}


def test_a_drained_server_leaves_when_nothing_is_left_on_it_and_comes_back_when_undone(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1), make.server(2)))
    balancer.handle(drain(), 5 * SECOND)
    assert balancer.draining() == {WEB2: [(make.listener, ("10.1.0.2", 80))]}
    effects = balancer.handle(Emptied(pairs=frozenset({WEB2})), 6 * SECOND)
    fields = {"service": "web", "server": "10.1.0.2:80", "reason": "no_connections"}
    assert effects == [
        Remark(event="server_drained_out", fields=fields),
        KeepOrders(),
        WriteServices(listeners=frozenset({make.listener})),
    ]
    assert make.weights(balancer.wanted(make.listener)) == {1: 1}
    assert balancer.draining() == {}
    assert balancer.handle(Emptied(pairs=frozenset({WEB2})), 7 * SECOND) == []
    balancer.handle(WeightOrdered(service="web", server="10.1.0.2:80", order=None), 8 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 1}


def test_a_drained_server_leaves_at_its_deadline_and_an_order_ends_by_itself(make: Any) -> None:
    balancer, _ = configured({}, make.virtual(make.server(1), make.server(2)))
    balancer.handle(drain(deadline_ns=20 * SECOND, until_ns=30 * SECOND), 5 * SECOND)
    assert balancer.next_deadline_ns() == 20 * SECOND
    assert balancer.handle(TimePassed(), 19 * SECOND) == []
    balancer.handle(TimePassed(), 20 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1}
    assert balancer.next_deadline_ns() == 30 * SECOND
    assert written(balancer.handle(TimePassed(), 30 * SECOND)) == {make.listener}
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 1}


def test_a_reload_names_only_the_services_that_are_another(make: Any) -> None:
    web, other = make.virtual(make.server(1)), make.virtual(make.server(2), name="other", listeners=(OTHER,))
    balancer, effects = configured({}, web, other)
    assert written(effects) == {make.listener, OTHER}
    assert written(balancer.handle(Configured(document=document(web, other), actual={}), 6 * SECOND)) == set()
    changed = make.virtual(make.server(2, 9), name="other", listeners=(OTHER,))
    effects = balancer.handle(Configured(document=document(web, changed), actual={}), 7 * SECOND)
    assert written(effects) == {OTHER}
    assert make.weights(balancer.wanted(OTHER)) == {2: 9}


def test_a_reload_names_a_listener_whose_first_owner_is_another(make: Any) -> None:
    web, second = make.virtual(make.server(1)), make.virtual(make.server(2), name="second", scheduler="wrr")
    balancer, _ = configured({}, web, second)
    effects = balancer.handle(Configured(document=document(second, web), actual={}), 6 * SECOND)
    assert written(effects) == {make.listener}
    entry = balancer.wanted(make.listener)
    assert entry is not None
    assert entry.service.scheduler == "wrr"


def test_a_service_is_meant_without_its_protocol_where_there_is_only_one(make: Any) -> None:
    names = ("10.0.0.1:80/tcp", "10.0.0.1:53/tcp", "10.0.0.1:53/udp")
    balancer, _ = configured({}, *(replace(make.virtual(make.server(1)), id=name) for name in names))
    found = [balancer.named(name) for name in ("10.0.0.1:80", "10.0.0.1:53/udp", "10.0.0.1:53", "10.0.0.1", "")]
    assert [service and service.config.id for service in found] == [
        "10.0.0.1:80/tcp", "10.0.0.1:53/udp", None, None, None,
    ]  # fmt: skip
