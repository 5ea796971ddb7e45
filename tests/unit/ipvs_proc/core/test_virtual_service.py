"""One virtual server: who is in the table, when there is a quorum."""

from __future__ import annotations

from typing import Any

import pytest

from pyhad.common.config.model import Forwarding, Listener, Protocol, RealServer, VirtualServer
from pyhad.ipvs_proc.core.orders import Order
from pyhad.ipvs_proc.core.virtual_service import VirtualService


def table(make: Any, service: VirtualService) -> dict[int, int]:
    """Weight by last number of the address."""
    return {int(each.address.split(".")[3]): each.weight for each in service.destinations(make.listener)}


@pytest.mark.behaviour("CHK-6", "LVS-33")
def test_at_the_start_servers_are_in_and_there_is_a_quorum(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, 3)))
    assert service.evaluate() == []
    assert service.quorum_up
    assert table(make, service) == {1: 1, 2: 3}


@pytest.mark.behaviour("CHK-6")
def test_an_alpha_server_is_out_until_it_is_up(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, alpha=True)))
    assert table(make, service) == {1: 1}
    assert service.take(make.verdict(2, True))
    assert table(make, service) == {1: 1, 2: 1}


@pytest.mark.behaviour("CHK-6")
def test_an_inhibited_alpha_server_starts_with_weight_0(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, alpha=True, inhibit=True)))
    assert table(make, service) == {1: 1, 2: 0}


@pytest.mark.behaviour("CHK-7")
def test_an_inhibited_server_that_fails_stays_with_weight_0(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, 5, inhibit=True)))
    service.take(make.verdict(2, False, 5))
    assert table(make, service) == {1: 1, 2: 0}


@pytest.mark.behaviour("LVS-37")
def test_the_weight_of_a_verdict_counts(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2), quorum=2))
    service.take(make.verdict(1, True, 0))
    assert [remark.event for remark in service.evaluate()] == ["quorum_lost"]
    assert table(make, service) == {1: 0, 2: 1}


@pytest.mark.behaviour("LVS-30", "LVS-31", "LVS-32")
def test_quorum_is_lost_below_quorum_minus_hysteresis_and_gained_at_quorum_plus_hysteresis(make: Any) -> None:
    servers = [make.server(number) for number in range(1, 7)]
    service = VirtualService(make.virtual(*servers, quorum=4, hysteresis=1))
    states = []
    for up, number in ((False, 1), (False, 2), (False, 3), (False, 4), (True, 4), (True, 3), (True, 2)):
        service.take(make.verdict(number, up))
        states.append([remark.event for remark in service.evaluate()])
    # weight sums: 5 4 3 2 3 4 5; lost below 3, gained at 5
    assert states == [[], [], [], ["quorum_lost"], [], [], ["quorum_gained"]]


@pytest.mark.behaviour("LVS-31")
def test_no_weight_at_all_is_no_quorum_whatever_the_numbers_say(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), quorum=1, hysteresis=1))
    service.take(make.verdict(1, False))
    assert [remark.event for remark in service.evaluate()] == ["quorum_lost"]


@pytest.mark.behaviour("LVS-33")
def test_an_alpha_service_starts_without_quorum_and_gains_it(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1, alpha=True), alpha=True, sorry=make.sorry()))
    assert not service.quorum_up
    assert table(make, service) == {99: 1}
    service.take(make.verdict(1, True))
    assert [remark.event for remark in service.evaluate()] == ["quorum_gained"]
    assert table(make, service) == {1: 1}


@pytest.mark.behaviour("LVS-34")
def test_the_sorry_server_alone_serves_when_the_quorum_is_lost(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2), quorum=2, sorry=make.sorry()))
    assert table(make, service) == {1: 1, 2: 1}
    service.take(make.verdict(1, False))
    service.evaluate()
    assert table(make, service) == {99: 1}


@pytest.mark.behaviour("LVS-34")
def test_without_sorry_server_those_that_are_up_stay(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2), quorum=2))
    service.take(make.verdict(1, False))
    service.evaluate()
    assert not service.quorum_up
    assert table(make, service) == {2: 1}


@pytest.mark.behaviour("LVS-35")
def test_an_inhibited_sorry_server_waits_with_weight_0(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1, inhibit=True), sorry=make.sorry(inhibit=True)))
    assert table(make, service) == {1: 1, 99: 0}
    service.take(make.verdict(1, False))
    service.evaluate()
    assert table(make, service) == {99: 1, 1: 0}


def test_what_is_in_the_kernel_is_up_and_what_is_not_is_down(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, 4), make.server(3)))
    service.adopt(make.listener, make.entry({1: 1, 2: 7}))
    assert table(make, service) == {1: 1, 2: 7}


def test_a_drained_inhibited_server_is_adopted_as_down(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, 4, inhibit=True)))
    service.adopt(make.listener, make.entry({1: 1, 2: 0}))
    assert not service.servers["10.1.0.2:80"].up
    service.take(make.verdict(2, True, 4))
    assert table(make, service) == {1: 1, 2: 4}


def test_a_serving_sorry_server_is_adopted_as_lost_quorum(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), sorry=make.sorry()))
    service.adopt(make.listener, make.entry({99: 1}))
    assert service.evaluate() == []
    assert not service.quorum_up
    assert table(make, service) == {99: 1}


@pytest.mark.behaviour("CHK-6")
def test_an_empty_table_says_nothing_about_servers(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, alpha=True)))
    service.adopt(make.listener, make.entry({}))
    assert table(make, service) == {1: 1}


def test_a_server_not_checked_yet_does_not_overrule_what_was_adopted(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2)))
    service.adopt(make.listener, make.entry({1: 1}))
    service.take(make.verdict(1, False, reason="not_checked_yet"))
    service.take(make.verdict(2, True, reason="not_checked_yet"))
    assert table(make, service) == {1: 1}


def test_a_server_not_checked_yet_counts_where_nothing_is_known(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2)))
    service.take(make.verdict(2, False, reason="not_checked_yet"))
    assert table(make, service) == {1: 1}


@pytest.mark.behaviour("CHK-5")
def test_a_server_that_loses_its_checks_at_a_reload_is_up_again(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2)))
    service.take(make.verdict(2, False, 4))
    service.reconfigure(make.virtual(make.server(1), make.server(2, checked=False)))
    assert table(make, service) == {1: 1, 2: 1}
    assert not service.take(make.verdict(2, False))
    service.reconfigure(make.virtual(make.server(1), make.server(2)))
    assert table(make, service) == {1: 1, 2: 1}
    assert service.take(make.verdict(2, False))
    assert table(make, service) == {1: 1}


def test_a_server_without_checks_is_up_whatever_a_table_says(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, checked=False)))
    service.adopt(make.listener, make.entry({1: 1}))
    assert table(make, service) == {1: 1, 2: 1}


@pytest.mark.behaviour("REL-33", "REL-36", "REL-32")
def test_a_reload_keeps_states_takes_new_weights_and_new_servers(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2), make.server(3)))
    service.take(make.verdict(1, False))
    service.take(make.verdict(2, True, 9))
    config = make.virtual(make.server(1), make.server(2), make.server(4), make.server(5, alpha=True))
    service.reconfigure(config)
    assert table(make, service) == {2: 9, 4: 1}
    service.reconfigure(make.virtual(make.server(2, 6)))
    assert table(make, service) == {2: 6}


@pytest.mark.behaviour("LVS-21", "FIX-58")
def test_only_nat_may_change_the_port() -> None:
    def real(forwarding: Forwarding, port: int) -> RealServer:
        return RealServer(id=f"{forwarding}{port}", address="10.1.0.1", port=port, weight=1, forwarding=forwarding)

    servers = (real(Forwarding.NAT, 8080), real(Forwarding.DIRECT_ROUTE, 8080), real(Forwarding.NAT, 0))
    listener = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=80)
    service = VirtualService(VirtualServer(id="g", listeners=(listener,), scheduler="rr", servers=servers))
    assert [each.port for each in service.destinations(listener)] == [8080, 80, 80]
    mark = Listener(protocol=Protocol.NONE, family=4, fwmark=9)
    assert [each.port for each in service.destinations(mark)] == [8080, 0, 0]


DRAIN = Order(weight=0)


def test_an_operator_s_weight_stands_above_configuration_and_checks(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, 3)))
    service.ordered = {"10.1.0.2:80": DRAIN}
    assert table(make, service) == {1: 1, 2: 0}
    service.take(make.verdict(2, True, 7))
    assert table(make, service) == {1: 1, 2: 0}
    service.reconfigure(make.virtual(make.server(1), make.server(2, 9)))
    assert table(make, service) == {1: 1, 2: 0}
    service.ordered = {}
    assert table(make, service) == {1: 1, 2: 9}


def test_a_drained_server_that_fails_goes_and_comes_back_drained(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2)))
    service.ordered = {"10.1.0.2:80": DRAIN}
    service.take(make.verdict(2, False))
    assert table(make, service) == {1: 1}
    service.take(make.verdict(2, True))
    assert table(make, service) == {1: 1, 2: 0}


def test_when_all_are_drained_the_sorry_server_serves_and_their_connections_go_on(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), sorry=make.sorry()))
    service.ordered = {"10.1.0.1:80": DRAIN}
    assert [remark.event for remark in service.evaluate()] == ["quorum_lost"]
    assert table(make, service) == {99: 1, 1: 0}
    service.ordered = {"10.1.0.1:80": Order(weight=0, is_out=True)}
    assert table(make, service) == {99: 1}
    service.ordered = {}
    assert [remark.event for remark in service.evaluate()] == ["quorum_gained"]
    assert table(make, service) == {1: 1}


def test_a_successor_does_not_take_a_drained_server_for_one_that_failed(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1, 4, inhibit=True)))
    service.ordered = {"10.1.0.1:80": DRAIN}
    service.adopt(make.listener, make.entry({1: 0}))
    assert table(make, service) == {1: 0}
    service.ordered = {}
    assert table(make, service) == {1: 4}


def test_a_server_that_was_drained_out_stays_out_and_is_not_taken_for_one_that_failed(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(1), make.server(2, 4, inhibit=True)))
    service.ordered = {"10.1.0.2:80": Order(weight=0, is_out=True)}
    assert table(make, service) == {1: 1}
    service.adopt(make.listener, make.entry({1: 1}))
    assert service.servers["10.1.0.2:80"].up
    assert table(make, service) == {1: 1}
    service.ordered = {}
    assert table(make, service) == {1: 1, 2: 4}


def test_the_sum_of_the_weights_follows_every_change(make: Any) -> None:
    """It is kept, not added up anew for each verdict."""
    service = VirtualService(make.virtual(make.server(1, 10), make.server(2, 20), make.server(3, 40, alpha=True)))
    sums = [service.weight_sum()]
    for number, up, weight in ((3, True, 40), (2, False, 20), (1, True, 15), (2, True, 5), (2, True, 5)):
        service.take(make.verdict(number, up, weight))
        sums.append(service.weight_sum())
    assert sums == [30, 70, 50, 55, 60, 60]
    service.ordered = {"10.1.0.3:80": Order(weight=1)}
    assert service.weight_sum() == 21
    service.take(make.verdict(3, False, 40))
    assert service.weight_sum() == 20
    service.reconfigure(make.virtual(make.server(1, 7), make.server(2, 20)))
    assert service.weight_sum() == 12
