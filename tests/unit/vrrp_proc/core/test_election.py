"""Who is better."""

from __future__ import annotations

import pytest

from pyhad.vrrp_proc.core.election import Standing, standing


@pytest.mark.behaviour("FSM-33", "FSM-34", "FSM-35")
@pytest.mark.parametrize(
    ("priority", "source", "expected"),
    [
        (0, "10.0.0.99", Standing.LEAVES),
        (101, "10.0.0.1", Standing.HIGHER),
        (99, "10.0.0.99", Standing.LOWER),
        (100, "10.0.0.11", Standing.TIE_LOST),
        (100, "10.0.0.10", Standing.SAME_ADDRESS),
        (100, "10.0.0.9", Standing.TIE_WON),  # as text it would be the greater one
    ],
)
def test_standing_of_a_sender_to_a_router_of_100_at_10_0_0_10(priority: int, source: str, expected: Standing) -> None:
    assert standing(priority=priority, source=source, own_priority=100, own_source="10.0.0.10") is expected


def test_a_router_without_address_loses_every_tie() -> None:
    assert standing(priority=100, source="0.0.0.1", own_priority=100, own_source="") is Standing.TIE_LOST
