"""Who waits at the start, and until when."""

from __future__ import annotations

import pytest

from pyhad.common.loop import Loop
from pyhad.vrrp_proc.startup import StartupDelay

MS = 1_000_000


@pytest.mark.behaviour("FSM-13", "REL-20")
def test_a_reload_shortens_and_extends_a_delay_that_still_runs() -> None:
    loop = Loop()
    begun = loop.now_ns()
    delay = StartupDelay(loop)
    assert delay.is_over
    delay.configure(3_600_000 * MS, 0)
    seen: list[int] = []
    delay.hold(lambda: seen.append(loop.now_ns() - begun))
    delay.configure(60 * MS, 0)
    loop.turn(0.02)
    assert seen == []
    delay.configure(120 * MS, 0)
    while not seen:
        assert not delay.is_over
        loop.turn(0.5)
    assert 120 * MS <= seen[0] < 1000 * MS
    assert delay.is_over
    delay.configure(1 * MS, 0)
    assert delay.is_over
    loop.close()


@pytest.mark.behaviour("FSM-13")
def test_the_age_of_the_machine_counts_if_it_is_the_later() -> None:
    loop = Loop()
    delay = StartupDelay(loop)
    delay.configure(0, loop.now_ns() + 50 * MS)
    assert not delay.is_over
    delay.configure(0, 1 * MS)
    assert delay.is_over
    loop.close()
