"""What the log says of children."""

from __future__ import annotations

from pyhad.common.states import ProcessName
from pyhad.parent.core import remarks
from pyhad.parent.core.child import Child
from pyhad.parent.core.effects import Remark

CHILD = Child(name=ProcessName.VRRP, started_ns=1_000_000_000)


def test_an_orderly_end_that_was_asked_for_is_no_warning() -> None:
    fields = {"child": "vrrp", "run_ms": 2000, "exit_code": 0}
    assert remarks.ended(CHILD, 0, 3_000_000_000, was_asked=True) == Remark(event="child_ended", fields=fields)
    assert remarks.ended(CHILD, 0, 3_000_000_000, was_asked=False).warning


def test_a_signal_is_told_as_one() -> None:
    told = remarks.ended(CHILD, -9, 1_500_000_000, was_asked=True)
    assert told.fields == {"child": "vrrp", "run_ms": 500, "signal": 9}
    assert told.warning


def test_times_are_told_in_milliseconds() -> None:
    assert remarks.backs_off(CHILD, 4_000_000_000).fields == {"child": "vrrp", "delay_ms": 4000}
    assert remarks.silent(CHILD).fields == {"child": "vrrp", "silent_ms": 0}
    assert remarks.warns("something", child="vrrp") == Remark(
        event="something", fields={"child": "vrrp"}, warning=True
    )  # fmt: skip
