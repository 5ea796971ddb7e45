"""What the bench of VRRP makes of its notes."""

from __future__ import annotations

from bench.vrrp.cases import first_moments


def test_of_what_happens_again_the_first_time_counts() -> None:
    assert first_moments([("10.0.0.1", 5), ("10.0.0.2", 7), ("10.0.0.1", 1005)]) == {"10.0.0.1": 5, "10.0.0.2": 7}
