"""Servers given by name in the wanted table: their address comes with the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import SCHEMA, DataPlane, Forwarding, IpvsDocument, RealServer, VirtualServer
from pyhad.common.messages import Verdict
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.effects import Remark, Tally
from pyhad.ipvs_proc.core.events import (
    Configured,
    Emptied,
    TimePassed,
    VerdictHeard,
    VerdictsHeard,
    WeightOrdered,
)
from pyhad.ipvs_proc.core.orders import Order
from pyhad.ipvs_proc.core.table import Table
from pyhad.ipvs_proc.core.virtual_service import VirtualService

SECOND = 1_000_000_000


def server(*, alpha: bool = False, inhibit: bool = False) -> RealServer:
    return RealServer(
        id="web:80", address="", port=80, weight=1, forwarding=Forwarding.NAT, alpha=alpha,
        inhibit_on_failure=inhibit, name="web",
    )  # fmt: skip


def verdict(up: bool, address: str, reason: str = "check_succeeded") -> Verdict:
    return Verdict(service="web", server="web:80", up=up, weight=1, since_ns=0, reason=reason, address=address)


def table(make: Any, service: VirtualService) -> dict[str, int]:
    return {each.address: each.weight for each in service.destinations(make.listener)}


def started(actual: Table, places: dict[tuple[str, str], str], config: VirtualServer) -> Balancer:
    balancer = Balancer(None, places)
    document = IpvsDocument(schema=SCHEMA, generation=1, data_plane=DataPlane.AUTO, services=(config,))
    balancer.handle(Configured(document=document, actual=actual), 5 * SECOND)
    return balancer


def test_before_its_name_is_known_it_is_in_no_table_and_the_quorum_is_not_lost(make: Any) -> None:
    service = VirtualService(make.virtual(server(inhibit=True)))
    service.take(verdict(True, "", "not_checked_yet"))
    assert (service.evaluate(), table(make, service)) == ([], {})
    service.take(verdict(False, "", "name_not_resolved"))
    assert [remark.event for remark in service.evaluate()] == ["quorum_lost"]
    service.take(verdict(True, "10.1.0.7"))
    assert [remark.event for remark in service.evaluate()] == ["quorum_gained"]
    assert table(make, service) == {"10.1.0.7": 1}


def test_another_address_takes_the_place_of_the_one_before(make: Any) -> None:
    service = VirtualService(make.virtual(server(), make.server(2)))
    service.take(verdict(True, "10.1.0.7"))
    assert service.take(verdict(True, "10.1.0.8"))
    assert not service.take(verdict(True, "10.1.0.8"))
    assert table(make, service) == {"10.1.0.8": 1, "10.1.0.2": 1}
    assert service.endpoints(make.listener) == {"web:80": ("10.1.0.8", 80), "10.1.0.2:80": ("10.1.0.2", 80)}
    assert [each.replaces for each in service.destinations(make.listener)] == ["10.1.0.7", ""]


def test_who_knows_no_address_yet_takes_none_away(make: Any) -> None:
    service = VirtualService(make.virtual(server()))
    service.take(verdict(True, "10.1.0.7"))
    assert not service.take(verdict(True, "", "not_checked_yet"))
    assert table(make, service) == {"10.1.0.7": 1}


def test_panic_keeps_nobody_in_who_is_nowhere(make: Any) -> None:
    service = VirtualService(make.virtual(server(), make.server(2), panic=50))
    service.take(verdict(True, "", "not_checked_yet"))
    service.take(verdict(False, "", "name_not_resolved"))
    service.evaluate()
    assert service.kept == frozenset()
    service.take(make.verdict(2, False))
    service.evaluate()
    assert service.kept == {"10.1.0.2:80"}


def test_a_restart_finds_it_in_the_kernel_where_it_was_last(make: Any) -> None:
    config = make.virtual(server(), make.server(2))
    balancer = started({make.listener: make.entry({7: 3})}, {("web", "web:80"): "10.1.0.7"}, config)
    state = balancer.services["web"].servers["web:80"]
    assert (state.up, state.weight, state.known, state.address) == (True, 3, True, "10.1.0.7")
    assert balancer.services["web"].servers["10.1.0.2:80"].up is False
    assert balancer.places == {("web", "web:80"): "10.1.0.7"}


def test_a_restart_that_knows_no_address_waits_for_the_checker(make: Any) -> None:
    config = make.virtual(server(), make.server(2))
    balancer = started({make.listener: make.entry({7: 3, 2: 1})}, {}, config)
    assert make.weights(balancer.wanted(make.listener)) == {7: 3, 2: 1}
    other = make.verdict(2, True, reason="check_succeeded")
    effects = balancer.handle(VerdictsHeard(verdicts=(verdict(True, "10.1.0.7"), other)), 6 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {7: 1, 2: 1}
    assert [effect for effect in effects if isinstance(effect, Remark)] == []


def test_another_family_forgets_the_address(make: Any) -> None:
    service = VirtualService(make.virtual(server()))
    service.take(verdict(True, "10.1.0.7"))
    six = replace(make.listener, family=6, address="fd00::1")
    service.reconfigure(make.virtual(server(), listeners=(six,)))
    assert list(service.destinations(six)) == []


INJECTED = "10.0.0.1\nflush ruleset\n#"


def test_an_address_that_cannot_be_is_not_taken_and_said_once(make: Any) -> None:
    balancer = started({}, {}, make.virtual(server(), make.server(2)))
    balancer.handle(VerdictsHeard(verdicts=(verdict(True, "10.1.0.7"),)), 6 * SECOND)
    refused = Remark(
        event="verdict_refused", warning=True,
        fields={"service": "web", "server": "web:80", "reason": "address_impossible"},
    )  # fmt: skip
    bad = VerdictHeard(verdict=verdict(True, INJECTED))
    assert balancer.handle(bad, 7 * SECOND) == [Tally(counter="verdicts_refused"), refused]
    assert balancer.handle(bad, 8 * SECOND) == [Tally(counter="verdicts_refused")]
    assert make.weights(balancer.wanted(make.listener)) == {7: 1, 2: 1}


def test_a_server_with_an_address_of_its_own_gets_none_from_the_checker(make: Any) -> None:
    service = VirtualService(make.virtual(make.server(2)))
    assert service.take(replace(make.verdict(2, False), address=INJECTED))
    assert (service.servers["10.1.0.2:80"].up, service.servers["10.1.0.2:80"].address) == (False, "")


def test_a_place_that_was_remembered_and_cannot_be_is_not_taken(make: Any) -> None:
    for place in ("fe80::1%\nflush ruleset\n#", "127.0.0.1", "fd00::7"):
        service = VirtualService(make.virtual(server()), {"web:80": place})
        assert service.servers["web:80"].address == ""


@pytest.mark.parametrize("named_is_first", [True, False])
def test_two_servers_at_one_address_serve_while_either_does_and_it_is_said_once(
    make: Any, *, named_is_first: bool
) -> None:
    named, plain = server(inhibit=True), make.server(2, 3, inhibit=True)
    balancer = started({}, {}, make.virtual(*((named, plain) if named_is_first else (plain, named))))
    effects = balancer.handle(VerdictsHeard(verdicts=(verdict(False, "10.1.0.2"),)), 6 * SECOND)
    assert [effect.event for effect in effects if isinstance(effect, Remark)] == ["servers_are_one"]
    assert make.weights(balancer.wanted(make.listener)) == {2: 3}
    effects = balancer.handle(VerdictHeard(verdict=verdict(True, "10.1.0.2")), 7 * SECOND)
    assert [effect for effect in effects if isinstance(effect, Remark)] == []
    assert make.weights(balancer.wanted(make.listener)) == {2: 3}
    balancer.handle(VerdictHeard(verdict=make.verdict(2, False)), 8 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {2: 1}


def test_a_server_that_moves_starts_slowly_at_its_new_place(make: Any) -> None:
    config = make.virtual(replace(server(), weight=100, slow_start_ns=20 * SECOND), make.server(2))
    balancer = started({}, {}, config)
    here, there = (replace(verdict(True, address), weight=100) for address in ("10.1.0.7", "10.1.0.8"))
    balancer.handle(VerdictHeard(verdict=here), 6 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {7: 100, 2: 1}
    balancer.handle(VerdictHeard(verdict=there), 60 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {8: 1, 2: 1}
    balancer.handle(TimePassed(), 70 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {8: 50, 2: 1}
    balancer.handle(TimePassed(), 80 * SECOND)
    assert (make.weights(balancer.wanted(make.listener)), balancer.next_deadline_ns()) == ({8: 100, 2: 1}, None)


def ordered(order: Order | None) -> WeightOrdered:
    return WeightOrdered(service="web", server="web:80", order=order)


def drained(make: Any) -> Balancer:
    """While it was drained at 10.1.0.7 its name went to 10.1.0.8."""
    balancer = started({}, {}, make.virtual(server(), make.server(2)))
    balancer.handle(VerdictHeard(verdict=verdict(True, "10.1.0.7")), 6 * SECOND)
    balancer.handle(ordered(Order(weight=0)), 7 * SECOND)
    balancer.handle(VerdictHeard(verdict=verdict(True, "10.1.0.8")), 8 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {7: 0, 2: 1}
    assert balancer.draining() == {("web", "web:80"): [(make.listener, ("10.1.0.7", 80))]}
    return balancer


def test_a_server_that_is_drained_moves_when_its_connections_are_gone(make: Any) -> None:
    balancer = drained(make)
    balancer.handle(Emptied(pairs=frozenset({("web", "web:80")})), 9 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {2: 1}
    assert balancer.places == {("web", "web:80"): "10.1.0.8"}
    balancer.handle(ordered(None), 10 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {8: 1, 2: 1}


def test_a_server_that_is_drained_moves_when_that_is_undone(make: Any) -> None:
    balancer = drained(make)
    balancer.handle(ordered(None), 9 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {8: 1, 2: 1}
