"""Slow start and panic threshold in the wanted table, over time and over restarts."""

from __future__ import annotations

from typing import Any

import pytest

from pyhad.common.config.model import SCHEMA, DataPlane, IpvsDocument, VirtualServer
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.effects import Effect, Remark, WriteServices
from pyhad.ipvs_proc.core.events import Configured, TimePassed, VerdictHeard, VerdictsHeard, WeightOrdered
from pyhad.ipvs_proc.core.orders import Order
from pyhad.ipvs_proc.core.table import Table

SECOND = 1_000_000_000


def balancer_of(service: VirtualServer, actual: Table | None = None) -> Balancer:
    balancer = Balancer()
    document = IpvsDocument(schema=SCHEMA, generation=1, data_plane=DataPlane.AUTO, services=(service,))
    balancer.handle(Configured(document=document, actual=actual or {}), 5 * SECOND)
    return balancer


def remarks(effects: list[Effect]) -> list[str]:
    return [effect.event for effect in effects if isinstance(effect, Remark)]


def is_written(effects: list[Effect]) -> bool:
    return any(isinstance(effect, WriteServices) for effect in effects)


def failed_and_back(make: Any, balancer: Balancer, *, at_s: int) -> None:
    balancer.handle(VerdictHeard(verdict=make.verdict(1, False, 100, since_s=at_s - 2)), (at_s - 2) * SECOND)
    balancer.handle(VerdictHeard(verdict=make.verdict(1, True, 100, since_s=at_s)), at_s * SECOND)


def test_a_recovered_server_climbs_to_its_weight(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 100, slow_start_s=20), make.server(2, 100)))
    failed_and_back(make, balancer, at_s=10)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 100}
    assert balancer.next_deadline_ns() == 11 * SECOND
    assert balancer.handle(TimePassed(), 11 * SECOND - 1) == []
    assert is_written(balancer.handle(TimePassed(), 11 * SECOND))
    assert make.weights(balancer.wanted(make.listener)) == {1: 5, 2: 100}
    assert is_written(balancer.handle(TimePassed(), 30 * SECOND))
    assert make.weights(balancer.wanted(make.listener)) == {1: 100, 2: 100}
    assert balancer.next_deadline_ns() is None


def test_at_the_start_everybody_has_the_whole_weight(make: Any) -> None:
    servers = (make.server(1, 100, slow_start_s=20), make.server(2, 100, alpha=True, slow_start_s=20))
    balancer = balancer_of(make.virtual(*servers))
    for number in (1, 2):
        verdict = make.verdict(number, True, 100, reason="check_succeeded", since_s=6)
        balancer.handle(VerdictHeard(verdict=verdict), 6 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 100, 2: 100}


def test_without_a_slow_start_the_weight_is_there_at_once(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 100)))
    failed_and_back(make, balancer, at_s=10)
    assert make.weights(balancer.wanted(make.listener)) == {1: 100}
    assert balancer.next_deadline_ns() is None


def test_a_server_that_fails_on_its_way_begins_again(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 100, slow_start_s=20), make.server(2)))
    failed_and_back(make, balancer, at_s=10)
    balancer.handle(TimePassed(), 20 * SECOND)
    balancer.handle(VerdictHeard(verdict=make.verdict(1, False, 100, since_s=21)), 21 * SECOND)
    assert balancer.next_deadline_ns() is None
    balancer.handle(VerdictHeard(verdict=make.verdict(1, True, 100, since_s=22)), 22 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 1}


def test_the_quorum_counts_the_whole_weight(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 100, slow_start_s=20), quorum=100, sorry=make.sorry()))
    failed_and_back(make, balancer, at_s=10)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1}


def test_another_owner_goes_on_where_the_dead_one_was(make: Any) -> None:
    """What it finds in the table, and since when the checker says, is all it needs."""
    service = make.virtual(make.server(1, 100, slow_start_s=20), make.server(2, 100))
    balancer = balancer_of(service, {make.listener: make.entry({1: 30, 2: 100})})
    verdicts = tuple(make.verdict(n, True, 100, reason="check_succeeded", since_s=s) for n, s in ((1, 10), (2, 1)))
    balancer.handle(VerdictsHeard(verdicts=verdicts), 18 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 40, 2: 100}
    assert balancer.next_deadline_ns() == 19 * SECOND


@pytest.mark.parametrize("alpha", [False, True])
def test_when_nobody_knows_of_the_recovery_the_table_tells_how_far_it_was(make: Any, alpha: bool) -> None:
    """The whole daemon was killed: to the new checker the server is up since its own start, or down if `alpha`."""
    service = make.virtual(*(make.server(number, 100, alpha=alpha, slow_start_s=20) for number in (1, 2)))
    balancer = balancer_of(service, {make.listener: make.entry({1: 30, 2: 100})})
    untested = tuple(make.verdict(n, not alpha, 100, reason="not_checked_yet", since_s=6) for n in (1, 2))
    balancer.handle(VerdictsHeard(verdicts=untested), 6 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 30, 2: 100}
    verdict = make.verdict(1, True, 100, reason="check_succeeded", since_s=6)
    balancer.handle(VerdictHeard(verdict=verdict), 7 * SECOND)
    balancer.handle(TimePassed(), 7 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 35, 2: 100}
    assert balancer.next_deadline_ns() == 8 * SECOND


def test_a_checker_that_is_as_new_does_not_begin_the_ramp_again(make: Any) -> None:
    service = make.virtual(make.server(1, 100, slow_start_s=20))
    balancer = balancer_of(service, {make.listener: make.entry({1: 30})})
    verdict = make.verdict(1, True, 100, reason="check_succeeded", since_s=6)
    balancer.handle(VerdictsHeard(verdicts=(verdict,)), 7 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 30}


def test_a_weight_that_a_script_raises_after_a_restart_is_no_ramp(make: Any) -> None:
    service = make.virtual(make.server(1, 100, slow_start_s=20))
    balancer = balancer_of(service, {make.listener: make.entry({1: 100})})
    balancer.handle(VerdictsHeard(verdicts=(make.verdict(1, True, 100, reason="not_checked_yet"),)), 6 * SECOND)
    verdict = make.verdict(1, True, 150, reason="check_succeeded", since_s=6)
    balancer.handle(VerdictHeard(verdict=verdict), 7 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 150}


def test_a_weight_that_was_raised_meanwhile_is_no_ramp_when_the_server_is_long_up(make: Any) -> None:
    service = make.virtual(make.server(1, 100, slow_start_s=20))
    balancer = balancer_of(service, {make.listener: make.entry({1: 30})})
    verdict = make.verdict(1, True, 100, reason="check_succeeded", since_s=10)
    balancer.handle(VerdictsHeard(verdicts=(verdict,)), 500 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 100}
    assert balancer.next_deadline_ns() is None


def test_the_same_verdict_again_does_not_begin_anew(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 100, slow_start_s=20)))
    failed_and_back(make, balancer, at_s=10)
    verdict = make.verdict(1, True, 100, since_s=10)
    assert is_written(balancer.handle(VerdictsHeard(verdicts=(verdict,)), 20 * SECOND))
    assert make.weights(balancer.wanted(make.listener)) == {1: 50}


def test_an_operator_s_weight_stands_above_the_ramp(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 100, slow_start_s=20)))
    failed_and_back(make, balancer, at_s=10)
    balancer.handle(WeightOrdered(service="web", server="10.1.0.1:80", order=Order(weight=70)), 11 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 70}


def test_the_last_half_of_the_servers_stays_in(make: Any) -> None:
    balancer = balancer_of(make.virtual(*(make.server(number) for number in range(1, 5)), panic=50))
    seen = []
    for number in range(1, 5):
        effects = balancer.handle(VerdictHeard(verdict=make.verdict(number, False, since_s=number)), number * SECOND)
        seen.append((remarks(effects), make.weights(balancer.wanted(make.listener))))
    assert seen == [
        ([], {2: 1, 3: 1, 4: 1}),
        ([], {3: 1, 4: 1}),
        (["panic_began"], {3: 1, 4: 1}),
        (["quorum_lost"], {3: 1, 4: 1}),
    ]
    effects = balancer.handle(VerdictHeard(verdict=make.verdict(1, True, since_s=9)), 9 * SECOND)
    assert (remarks(effects), make.weights(balancer.wanted(make.listener))) == (["quorum_gained"], {1: 1, 4: 1})
    effects = balancer.handle(VerdictHeard(verdict=make.verdict(2, True, since_s=10)), 10 * SECOND)
    assert (remarks(effects), make.weights(balancer.wanted(make.listener))) == (["panic_ended"], {1: 1, 2: 1})


def test_a_sorry_server_serves_all_the_same(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1), make.server(2), panic=50, sorry=make.sorry()))
    for number in (1, 2):
        balancer.handle(VerdictHeard(verdict=make.verdict(number, False, since_s=number)), number * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {99: 1}


def test_who_was_never_up_is_not_kept_in(make: Any) -> None:
    servers = (make.server(1), make.server(2, alpha=True))
    balancer = balancer_of(make.virtual(*servers, panic=100))
    assert make.weights(balancer.wanted(make.listener)) == {1: 1}
    balancer.handle(VerdictHeard(verdict=make.verdict(2, False, since_s=8)), 8 * SECOND)
    balancer.handle(VerdictHeard(verdict=make.verdict(1, False, since_s=9)), 9 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1}
    for up, at_s in ((True, 10), (False, 11)):
        balancer.handle(VerdictHeard(verdict=make.verdict(2, up, since_s=at_s)), at_s * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 2: 1}


def test_another_owner_keeps_out_who_was_out_and_is_alpha(make: Any) -> None:
    """Whether it was ever up is not known any more."""
    service = make.virtual(make.server(1), make.server(2, alpha=True), make.server(3), panic=100)
    balancer = balancer_of(service, {make.listener: make.entry({1: 1})})
    verdicts = tuple(make.verdict(number, False, since_s=number) for number in (1, 2, 3))
    balancer.handle(VerdictsHeard(verdicts=verdicts), 8 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 1, 3: 1}


def test_a_kept_server_has_its_weight_although_it_is_inhibited(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 4, inhibit=True), panic=100))
    balancer.handle(VerdictHeard(verdict=make.verdict(1, False, 4)), 9 * SECOND)
    assert make.weights(balancer.wanted(make.listener)) == {1: 4}


def test_a_reload_without_the_threshold_ends_the_panic(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1), make.server(2), panic=100))
    balancer.handle(VerdictHeard(verdict=make.verdict(1, False)), 9 * SECOND)
    plain = make.virtual(make.server(1), make.server(2))
    document = IpvsDocument(schema=SCHEMA, generation=2, data_plane=DataPlane.AUTO, services=(plain,))
    effects = balancer.handle(Configured(document=document, actual={}), 10 * SECOND)
    assert remarks(effects) == ["panic_ended"]
    assert make.weights(balancer.wanted(make.listener)) == {2: 1}


def test_who_was_kept_in_does_not_start_slowly_when_it_recovers(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 100, slow_start_s=20), panic=100))
    failed_and_back(make, balancer, at_s=10)
    assert make.weights(balancer.wanted(make.listener)) == {1: 100}
