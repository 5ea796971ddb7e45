"""The weight of a server that recovered, over time: from 1 up to its own, in equal steps. Pure arithmetic.

Nothing is counted down: the weight follows from the moment of the recovery, which the checker keeps. So whoever starts
anew, the checker or the owner of the table, goes on at the same place of the ramp. When nobody is left who knows that
moment, the weight in the table tells.
"""

from __future__ import annotations

STEPS = 20
"""A ramp changes the table at most so often."""


def weight_at(weight: int, since_ns: int, span_ns: int, now_ns: int) -> int:
    """The weight at `now_ns` of a server that recovered at `since_ns`; 1 at least, for it is up."""
    step = _step(since_ns, span_ns, now_ns)
    return weight if step >= STEPS or weight <= 1 else max(1, weight * step // STEPS)


def begun_ns(weight: int, whole: int, span_ns: int, now_ns: int) -> int:
    """When the server recovered that has come to `weight` of its `whole` one now."""
    return now_ns + (-(weight * STEPS // whole) * span_ns // STEPS)


def next_step_ns(since_ns: int, span_ns: int, now_ns: int) -> int | None:
    """When the weight is another; None: it is whole."""
    step = _step(since_ns, span_ns, now_ns)
    return None if step >= STEPS else since_ns - (-(step + 1) * span_ns // STEPS)


def _step(since_ns: int, span_ns: int, now_ns: int) -> int:
    return max(0, now_ns - since_ns) * STEPS // span_ns if span_ns > 0 else STEPS
