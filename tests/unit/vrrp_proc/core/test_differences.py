"""What a reload takes away and adds."""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.model import VirtualAddress, VirtualRoute
from pyhad.vrrp_proc.core.differences import differences

ONE = VirtualAddress(address="10.1.1.1", prefix_len=32, interface="eth0")
TWO = replace(ONE, address="10.1.1.2")
ROUTE = VirtualRoute(text="a", family=4, destination="10.0.0.0", prefix_len=8)


def test_only_what_differs_is_named() -> None:
    assert differences((ONE, TWO), (TWO, replace(ONE, prefix_len=24))) == ((ONE,), (replace(ONE, prefix_len=24),))
    assert differences((ROUTE,), (replace(ROUTE, metric=5),)) == ((ROUTE,), (replace(ROUTE, metric=5),))


def test_whether_it_is_tracked_and_how_it_was_written_is_nothing_to_the_kernel() -> None:
    assert differences((ONE,), (replace(ONE, tracked=False),)) == ((), ())
    assert differences((ROUTE,), (replace(ROUTE, tracked=False, text="b"),)) == ((), ())
