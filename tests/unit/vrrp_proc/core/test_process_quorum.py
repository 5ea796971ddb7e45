"""Enough processes, not too many, for long enough."""

from __future__ import annotations

import pytest

from pyhad.common.config.model.tracking import TrackProcess
from pyhad.vrrp_proc.core.process_quorum import ProcessQuorum

SECOND_NS = 1_000_000_000


def quorum(least: int = 1, most: int = 9, fork_s: int = 0, terminate_s: int = 0) -> ProcessQuorum:
    return ProcessQuorum(
        TrackProcess(
            name="p", argv=("p",), least=least, most=most, fork_delay_ns=fork_s * SECOND_NS,
            terminate_delay_ns=terminate_s * SECOND_NS,
        )
    )  # fmt: skip


@pytest.mark.behaviour("TRK-40")
def test_the_first_count_counts_at_once_in_spite_of_delays() -> None:
    one = quorum(fork_s=5, terminate_s=5)
    assert one.is_good is None
    assert one.counted(0, 0)
    assert (one.is_good, one.next_deadline_ns) == (False, None)


@pytest.mark.behaviour("TRK-40")
def test_too_many_are_as_bad_as_too_few() -> None:
    one = quorum(least=2, most=3)
    seen = []
    for count in (1, 2, 3, 4, 3, 0):
        one.counted(count, 0)
        seen.append(one.is_good)
    assert seen == [False, True, True, False, True, False]


@pytest.mark.behaviour("TRK-40")
def test_a_loss_counts_when_it_has_lasted_for_the_terminate_delay() -> None:
    one = quorum(terminate_s=2)
    one.counted(1, 0)
    assert not one.counted(0, 10 * SECOND_NS)
    assert (one.is_good, one.next_deadline_ns) == (True, 12 * SECOND_NS)
    assert not one.wake(12 * SECOND_NS - 1)
    assert one.wake(12 * SECOND_NS)
    assert (one.is_good, one.next_deadline_ns) == (False, None)
    assert one.counted(1, 13 * SECOND_NS)  # no fork_delay


@pytest.mark.behaviour("TRK-40")
def test_what_is_taken_back_in_time_never_was_and_the_delay_begins_anew() -> None:
    one = quorum(fork_s=3, terminate_s=2)
    one.counted(1, 0)
    one.counted(0, 1 * SECOND_NS)
    one.counted(1, 2 * SECOND_NS)
    assert (one.is_good, one.next_deadline_ns) == (True, None)
    one.counted(0, 4 * SECOND_NS)
    assert one.next_deadline_ns == 6 * SECOND_NS
    assert one.wake(6 * SECOND_NS)
    one.counted(1, 7 * SECOND_NS)
    assert one.next_deadline_ns == 10 * SECOND_NS


@pytest.mark.behaviour("TRK-40")
def test_more_changes_while_it_waits_do_not_push_the_moment_back() -> None:
    one = quorum(least=3, terminate_s=2)
    one.counted(5, 0)
    one.counted(2, 1 * SECOND_NS)
    one.counted(1, 2 * SECOND_NS)
    assert one.next_deadline_ns == 3 * SECOND_NS


def test_other_numbers_of_a_reload_count_at_once() -> None:
    one = quorum(terminate_s=5)
    one.counted(2, 0)
    assert one.reconfigure(TrackProcess(name="p", argv=("p",), least=3))
    assert one.is_good is False
    assert not one.reconfigure(one.config)


def test_a_successor_begins_with_what_was_known() -> None:
    one = ProcessQuorum(TrackProcess(name="p", argv=("p",)), known=True)
    assert not one.counted(1, 0)
    assert one.is_good is True
