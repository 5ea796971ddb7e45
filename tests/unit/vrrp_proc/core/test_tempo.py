"""The common beat: when it holds, and what follows from it for a router."""

from __future__ import annotations

import random

from pyhad.vrrp_proc.core.effects import SendAdvertisement
from pyhad.vrrp_proc.core.events import PriorityChanged, TimePassed
from pyhad.vrrp_proc.core.states import Active
from pyhad.vrrp_proc.core.tempo import Tempo
from tests.unit.vrrp_proc.core.test_pace import DOWN_NS, MS, SECOND, active


def test_it_holds_from_the_moment_on_for_less_than_an_interval() -> None:
    tempo = Tempo(SECOND, 7 * SECOND)
    assert not tempo.keeps(7 * SECOND - 1)
    assert tempo.keeps(7 * SECOND)
    assert tempo.keeps(8 * SECOND - 1)
    assert not tempo.keeps(8 * SECOND)


def test_it_does_not_hold_when_a_peer_has_lost_patience() -> None:
    tempo = Tempo(SECOND, 7 * SECOND)
    tempo.beat(7 * SECOND)
    tempo.patience_ns = 1_200 * MS
    assert (tempo.due_ns, tempo.beats) == (8 * SECOND, 1)
    assert tempo.keeps(8_199 * MS)
    assert not tempo.keeps(8_200 * MS)


def test_beats_together_are_the_same_as_time_that_passed() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    together, ordinary = active(), active()
    now_ns = DOWN_NS + SECOND
    assert together.beat(now_ns)
    ordinary.handle(TimePassed(), now_ns)
    tempo = Tempo(SECOND, DOWN_NS + 2 * SECOND)
    together.keep_time(tempo)
    for _ in range(200):
        now_ns = tempo.due_ns + dice.randrange(500) * MS
        tempo.beat(now_ns)
        assert ordinary.handle(TimePassed(), now_ns) == [SendAdvertisement(priority=ordinary.effective_priority)]
        if not dice.randrange(5):  # somebody looks
            assert together.snapshot() == ordinary.snapshot()
            assert together.counters == ordinary.counters
            assert together.next_deadline_ns() == ordinary.next_deadline_ns() == tempo.due_ns
        if not dice.randrange(5):  # something else happens
            event = PriorityChanged(adjustment=-dice.randrange(50))
            assert together.handle(event, now_ns) == ordinary.handle(event, now_ns)
    assert together.state == ordinary.state


def test_who_leaves_takes_its_beats_along_and_no_more() -> None:
    router = active()
    assert router.beat(DOWN_NS + SECOND)
    tempo = Tempo(SECOND, DOWN_NS + 2 * SECOND)
    router.keep_time(tempo)
    tempo.beat(DOWN_NS + 2 * SECOND + MS)
    router.leave_time()
    tempo.beat(DOWN_NS + 3 * SECOND)
    state = router.state
    assert isinstance(state, Active)
    assert state.adver_at_ns == DOWN_NS + 3 * SECOND
    assert router.snapshot().last_sent_ns == DOWN_NS + 2 * SECOND + MS
    assert router.counters.advert_sent == 3


def test_the_quickest_peer_of_all_sets_the_patience() -> None:
    tempo, router = Tempo(SECOND, DOWN_NS + 2 * SECOND), active()
    assert router.beat(DOWN_NS + SECOND)
    tempo.patience_ns = 2 * SECOND
    router.keep_time(tempo)
    assert tempo.patience_ns == 2 * SECOND
    tempo.patience_ns = 4 * SECOND
    router.keep_time(tempo)
    assert tempo.patience_ns == 3_007_812_500  # three intervals and the skew of priority 254
