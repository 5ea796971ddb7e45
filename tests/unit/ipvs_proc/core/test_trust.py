"""What of a verdict can be true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyhad.common.messages import Verdict
from pyhad.ipvs_proc.core.trust import fault_in, is_place

GOOD = Verdict(service="web", server="web:80", up=True, weight=1, since_ns=5, reason="check_succeeded")


@pytest.mark.parametrize(("address", "family"), [("10.1.0.7", 4), ("fd00::7", 6), ("fe80::7", 6)])
def test_an_address_of_the_family_is_a_place(address: str, family: int) -> None:
    assert is_place(address, family)


@pytest.mark.parametrize(
    ("address", "family"),
    [
        ("10.0.0.1\nflush ruleset\n#", 4), ("10.0.0.1 ", 4), ("web", 4), ("010.0.0.1", 4), ("1" * 5000, 4),
        ("fd00::7", 4), ("10.1.0.7", 6), ("FD00::7", 6), ("fd00:0::7", 6), ("fe80::7%eth0", 6),
        ("fe80::7%\nflush ruleset\n#", 6), ("0.0.0.0", 4), ("127.0.0.1", 4), ("224.0.0.18", 4), ("::", 6),
        ("::1", 6), ("ff02::12", 6),
    ],
)  # fmt: skip
def test_all_else_is_none(address: str, family: int) -> None:
    assert not is_place(address, family)


def test_numbers_that_nothing_can_hold_are_faults() -> None:
    assert fault_in(GOOD, 0) == ""
    assert fault_in(replace(GOOD, weight=2147483647, since_ns=1 << 62), 0) == ""
    assert {fault_in(replace(GOOD, weight=weight), 0) for weight in (-1, 2147483648)} == {"weight_impossible"}
    assert {fault_in(replace(GOOD, since_ns=at), 0) for at in (-1, 1 << 63)} == {"time_impossible"}


def test_only_a_server_with_a_name_has_an_address_to_look_at() -> None:
    bad = replace(GOOD, address="10.0.0.1\nflush ruleset\n#")
    assert (fault_in(bad, 0), fault_in(bad, 4), fault_in(GOOD, 4)) == ("", "address_impossible", "")
