"""Addresses lost to others: at once, then with pauses."""

from __future__ import annotations

from pyhad.vrrp_proc.core.put_back import PutBack


def test_the_first_loss_is_mended_at_once() -> None:
    put_back = PutBack()
    assert put_back.lose(("10.1.1.1", "10.1.1.2"), 5) == {"10.1.1.1", "10.1.1.2"}
    assert put_back.due_ns(5) is None


def test_the_second_loss_of_the_same_address_waits_a_second() -> None:
    put_back = PutBack()
    put_back.lose(("10.1.1.1",), 0)
    assert put_back.lose(("10.1.1.1", "10.1.1.2"), 300_000_000) == {"10.1.1.2"}
    assert put_back.due_ns(300_000_000) == 1_000_000_000
    assert put_back.take_due(999_999_999) == set()
    assert put_back.take_due(1_000_000_000) == {"10.1.1.1"}
    assert put_back.due_ns(1_000_000_000) is None


def test_forgetting_drops_what_waits() -> None:
    put_back = PutBack()
    put_back.lose(("10.1.1.1",), 0)
    put_back.lose(("10.1.1.1",), 1)
    put_back.forget()
    assert put_back.due_ns(1) is None
    assert put_back.lose(("10.1.1.1",), 2) == {"10.1.1.1"}
