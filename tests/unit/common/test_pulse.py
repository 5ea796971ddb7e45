"""The pulse page: who may write what, and what readers see."""

from __future__ import annotations

import os
import time

from pyhad.common.lateness import Lateness
from pyhad.common.pulse import PulsePage
from pyhad.common.states import ProcessName, ProcessState

VRRP = ProcessName.VRRP


def measured(late_ns: int) -> Lateness:
    lateness = Lateness()
    lateness.note(late_ns, 1)
    return lateness


def test_a_new_page_shows_nobody() -> None:
    pulses = PulsePage().read_all()
    assert [pulse.name for pulse in pulses] == ["parent", "vrrp", "checker", "ipvs", "control"]
    assert {(pulse.pid, pulse.turn_ns, pulse.progress, pulse.state) for pulse in pulses} == {
        (0, 0, 0, ProcessState.ABSENT)
    }


def test_a_beat_raises_the_counter_and_says_when() -> None:
    page = PulsePage()
    before_ns = time.monotonic_ns()
    page.beat(VRRP, measured(17))
    page.beat(VRRP, measured(18))
    pulse = page.read(VRRP)
    assert (pulse.progress, pulse.late_ns) == (2, 18)
    assert before_ns <= pulse.turn_ns <= time.monotonic_ns()
    assert page.read(ProcessName.CHECKER).progress == 0


def test_a_step_raises_the_counter_and_nothing_else() -> None:
    page = PulsePage()
    page.beat(VRRP, None, 12_345)
    before = page.read(VRRP)
    page.step(VRRP)
    after = page.read(VRRP)
    assert (before.progress, after.progress) == (1, 2)
    assert (after.due_ns, after.turn_ns) == (before.due_ns, before.turn_ns)


def test_a_beat_says_when_the_next_turn_is_due_and_a_new_pid_forgets_it() -> None:
    page = PulsePage()
    page.beat(VRRP, None, 12_345)
    assert page.read(VRRP).due_ns == 12_345
    page.write_process(VRRP, pid=77, started_ns=5, restarts=0, state=ProcessState.STARTING)
    assert page.read(VRRP).due_ns == 0


def test_the_parents_wish_to_hear_of_a_late_turn_stays_over_a_new_pid() -> None:
    page = PulsePage()
    assert page.grace_ns(VRRP) == 0
    page.write_grace(VRRP, 1_500_000)
    page.write_process(VRRP, pid=77, started_ns=5, restarts=0, state=ProcessState.STARTING)
    page.beat(VRRP)
    assert (page.grace_ns(VRRP), page.read(VRRP).grace_ns) == (1_500_000, 1_500_000)


def test_the_parents_half_is_kept_apart_from_the_childs() -> None:
    page = PulsePage()
    page.write_process(VRRP, pid=42, started_ns=5, restarts=3, state=ProcessState.RUNNING)
    page.beat(VRRP)
    pulse = page.read(VRRP)
    assert (pulse.pid, pulse.started_ns, pulse.restarts, pulse.state) == (42, 5, 3, ProcessState.RUNNING)
    assert pulse.progress == 1


def test_a_new_pid_starts_with_the_turn_of_its_start() -> None:
    page = PulsePage()
    page.write_process(VRRP, pid=42, started_ns=5, restarts=0, state=ProcessState.RUNNING)
    page.beat(VRRP, measured(99))
    page.write_process(VRRP, pid=43, started_ns=7, restarts=1, state=ProcessState.STARTING)
    pulse = page.read(VRRP)
    assert (pulse.turn_ns, pulse.late_ns) == (7, 0)


def test_a_new_state_of_the_same_pid_keeps_its_turn() -> None:
    page = PulsePage()
    page.write_process(VRRP, pid=42, started_ns=5, restarts=0, state=ProcessState.STARTING)
    page.beat(VRRP, measured(99))
    turn_ns = page.read(VRRP).turn_ns
    page.write_process(VRRP, pid=42, started_ns=5, restarts=0, state=ProcessState.RUNNING)
    pulse = page.read(VRRP)
    assert (pulse.turn_ns, pulse.late_ns) == (turn_ns, 99)


def test_the_counter_goes_round() -> None:
    page = PulsePage()
    page._memory[128:136] = b"\xff" * 8  # the record of vrrp is the second
    page.beat(VRRP)
    assert page.read(VRRP).progress == 0


def test_what_a_forked_child_writes_its_parent_reads() -> None:
    page = PulsePage()
    pid = os.fork()
    if pid == 0:
        page.beat(VRRP, measured(5))
        os._exit(0)
    os.waitpid(pid, 0)
    assert (page.read(VRRP).progress, page.read(VRRP).late_ns) == (1, 5)
