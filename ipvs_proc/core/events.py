"""What can happen to the load-balancing table: past facts. A closed union."""

from __future__ import annotations

from pyhad.common.config.model import IpvsDocument
from pyhad.common.messages import Verdict
from pyhad.common.records import dataclass
from pyhad.ipvs_proc.core.orders import Order, Pair
from pyhad.ipvs_proc.core.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A configuration is in force, the first or a reload; `actual` is what the data plane has now."""

    document: IpvsDocument
    actual: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictsHeard:
    """The checker said all it knows."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictHeard:
    """The checker said what changed."""

    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightOrdered:
    """An operator set the weight of a server that is configured; None: undid that."""

    service: str
    server: str
    order: Order | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptied:
    """No connection is left on these drained servers, by ids of service and server."""

    pairs: frozenset[Pair]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """`now` reached `next_deadline_ns()`."""


Event = Configured | VerdictsHeard | VerdictHeard | WeightOrdered | Emptied | TimePassed
