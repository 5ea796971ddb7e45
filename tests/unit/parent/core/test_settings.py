"""Who must run, and what silence means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyhad.common.config.model import ParentDocument
from pyhad.common.states import ProcessName
from pyhad.parent.core.settings import Wish, settings_of, watchdog_ns

CONTROL, IPVS, CHECKER, VRRP = ProcessName.CONTROL, ProcessName.IPVS, ProcessName.CHECKER, ProcessName.VRRP


def document(*, vrrp: bool, checker: bool) -> ParentDocument:
    return ParentDocument(schema=1, generation=1, vrrp=vrrp, checker=checker, down_interval_ns=0)


@pytest.mark.behaviour("PROC-1")
@pytest.mark.parametrize(
    ("vrrp", "checker", "wish", "needed"),
    [
        (False, False, Wish(), {CONTROL}),
        (True, False, Wish(), {CONTROL, VRRP}),
        (False, True, Wish(), {CONTROL, CHECKER, IPVS}),
        (True, True, Wish(no_checker=True), {CONTROL, VRRP}),
        (True, True, Wish(no_vrrp=True), {CONTROL, CHECKER, IPVS}),
        (False, False, Wish(all_children=True), {CONTROL, CHECKER, IPVS, VRRP}),
        (False, False, Wish(all_children=True, no_vrrp=True), {CONTROL, CHECKER, IPVS}),
    ],
)
def test_children_follow_from_configuration_and_command_line(
    vrrp: bool, checker: bool, wish: Wish, needed: set[ProcessName]
) -> None:
    assert settings_of(document(vrrp=vrrp, checker=checker), wish).needed == needed


@pytest.mark.parametrize(
    ("down_interval_ms", "whole_ms"), [(0, None), (30, 6), (300, 60), (1249, 249), (1250, None), (3008, None)]
)
def test_a_closer_look_is_taken_where_peers_are_quicker_than_the_watchdog(
    down_interval_ms: int, whole_ms: int | None
) -> None:
    made = settings_of(
        replace(document(vrrp=True, checker=False), down_interval_ns=down_interval_ms * 1_000_000), Wish()
    )
    assert (made.limits.whole_ns // 1_000_000 if made.limits else None) == whole_ms


@pytest.mark.parametrize(
    ("down_interval_ms", "watchdog_ms"),
    [(0, 10_000), (37, 500), (1250, 500), (1500, 600), (3600, 1440), (25_000, 10_000), (60_000, 10_000)],
)
def test_the_watchdog_waits_two_fifths_of_the_down_interval_within_bounds(
    down_interval_ms: int, watchdog_ms: int
) -> None:
    assert watchdog_ns(down_interval_ms * 1_000_000) == watchdog_ms * 1_000_000
