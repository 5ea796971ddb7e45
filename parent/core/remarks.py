"""What the supervisor has to say of a child, as the log wants it. Pure."""

from __future__ import annotations

from pyhad.parent.core.child import Child
from pyhad.parent.core.effects import Remark
from pyhad.parent.core.events import ChildStands

Fields = dict[str, str | int]


def ended(child: Child, status: int, now_ns: int, *, was_asked: bool) -> Remark:
    """It is gone. An orderly end that was asked for is no warning."""
    fields: Fields = {"child": child.name, "run_ms": (now_ns - child.started_ns) // 1_000_000}
    fields |= {"signal": -status} if status < 0 else {"exit_code": status}
    return Remark(event="child_ended", fields=fields, warning=not was_asked or status != 0)


def silent(child: Child) -> Remark:
    """Its loop does not turn."""
    fields: Fields = {"child": child.name, "silent_ms": child.silence.silent_ns // 1_000_000}
    return Remark(event="child_silent", fields=fields, warning=True)


def stands(event: ChildStands) -> Remark:
    """Its loop ought to have turned, and nothing keeps it."""
    fields: Fields = {"child": event.name}
    fields |= {"stood_ms": event.stood_ns // 1_000_000, "worked_ms": event.worked_ns // 1_000_000}
    return Remark(event="child_stands", fields=fields, warning=True)


def backs_off(child: Child, delay_ns: int) -> Remark:
    """It is not started again at once."""
    fields: Fields = {"child": child.name, "delay_ms": delay_ns // 1_000_000}
    return Remark(event="child_backs_off", fields=fields, warning=True)


def says(event: str, **fields: str | int) -> Remark:
    """Something that went as it should."""
    return Remark(event=event, fields=fields)


def warns(event: str, **fields: str | int) -> Remark:
    """Anything else that an operator should see."""
    return Remark(event=event, fields=fields, warning=True)
