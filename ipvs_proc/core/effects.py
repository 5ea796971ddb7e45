"""What the load-balancing table wants done: imperatives for the shell. A closed union."""

from __future__ import annotations

from pyhad.common.config.model import Listener
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteServices:
    """Compare these with the data plane and write the difference; one that is no longer wanted is removed."""

    listeners: frozenset[Listener]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to log: a fixed `event` token with fields."""

    event: str
    fields: dict[str, str | int]
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOrders:
    """What operators ordered is another: it must outlive us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One more of those, in the counters of the process."""

    counter: str


Effect = WriteServices | Remark | KeepOrders | Tally
