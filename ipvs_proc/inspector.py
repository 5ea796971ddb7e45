"""Looks at the data plane: now and then, for a status, and for `pyhadctl diff`. What others changed is put right.

All of it in portions, so that verdicts are heard and written while thousands of servers are read. What is wanted is
decided in `core/desired.py`; what `diff` sees is only said.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Generator, Iterable, Set

from pyhad.common.config.model import Listener
from pyhad.common.errors import KernelError
from pyhad.common.loop import Timer
from pyhad.common.messages import AtWork, StatusWanted, TableDifference, TableLook, TableLookWanted, TableRepair
from pyhad.common.pace import Pace
from pyhad.common.portions import Portions
from pyhad.common.records import dataclass
from pyhad.common.runtime import Runtime
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.differences import differences
from pyhad.ipvs_proc.core.table import Entry, listener_name
from pyhad.ipvs_proc.telling import Reporter
from pyhad.ipvs_proc.writer import Writer

VERIFY_NS = 10_000_000_000
"""How often the data plane is read back, so that what others changed is repaired."""
COUNTERS_AGE_NS = 1_000_000_000
"""Older counters are read again for a report that was asked for."""
READ_SHARE = 100
"""Reading back takes at most one part in so many of our time: large tables are read less often."""
ASKED_SHARE = 10
"""But more where somebody waits for the answer."""
AT_WORK_NS = 250_000_000
REPAIRS_KEPT = 20
NAMED_IN_REPAIR = 10
NAMED_IN_LOOK = 1000


@dataclass(frozen=True, slots=True)
class Hands:
    """What the inspector has of the owner."""

    writer: Callable[[], Writer | None]
    balancer: Callable[[], Balancer]
    owned: Callable[[], Set[Listener]]
    write: Callable[[Iterable[Listener]], None]
    """Bring these in line, and whatever waits for that."""
    writing: Pace
    waits: Callable[[Listener], bool]
    """Something changed that is not written yet."""
    bring_others: Callable[[], None]
    """What stands beside the services: timeouts, sync daemons, marks."""
    out_of_line: Callable[[], Set[Listener]]
    open_plane: Callable[[], None]
    complain: Callable[[KernelError], None]


class Inspector:
    """Reads, compares, has repaired, reports."""

    def __init__(self, runtime: Runtime, hands: Hands, reporter: Reporter, portions: Portions) -> None:
        self._loop = runtime.loop
        self._logger = runtime.logger
        self._counters = runtime.counters
        self._hands = hands
        self._reporter = reporter
        self._portions = portions
        self._read_at_ns = self._loop.now_ns()
        self._read_cost_ns = 0
        self._said_ns = 0
        self._timer: Timer = self._loop.after(VERIFY_NS, self._due)
        self.repairs: collections.deque[TableRepair] = collections.deque(maxlen=REPAIRS_KEPT)

    def has_read(self) -> None:
        """All was read just now by somebody else."""
        self._read_at_ns = self._loop.now_ns()

    def has_written(self) -> None:
        """What is new has no counters yet: the next who asks makes us read."""
        self._read_at_ns -= COUNTERS_AGE_NS

    # ------------------------------------------------------------------------------------ on the slow timer

    def _due(self) -> None:
        if self._hands.writer() is None:
            self._hands.open_plane()
        elif not (self._portions.is_busy or self._hands.writing.is_wanted) and self._is_stale(self._rest_ns):
            self._portions.begin(self._verify())
        self._timer = self._loop.after(VERIFY_NS, self._due)

    @property
    def _rest_ns(self) -> int:
        """To read takes as long as to write, and longer: never in the midst of many deaths."""
        return self._hands.writing.took_ns * READ_SHARE

    @property
    def _next_repair_ns(self) -> int:
        """The turn of the timer that will find it stale, as far as is known."""
        stale_ns = self._read_at_ns + max(self._rest_ns, self._read_cost_ns * READ_SHARE)
        return self._timer.at_ns + -(-max(0, stale_ns - self._timer.at_ns) // VERIFY_NS) * VERIFY_NS

    def _is_stale(self, age_ns: int, share: int = READ_SHARE) -> bool:
        """What was read last is older than `age_ns`, and reading again takes no more than that share of our time."""
        return self._loop.now_ns() - self._read_at_ns > max(age_ns, self._read_cost_ns * share)

    def _verify(self) -> Generator[None, None, None]:
        self._hands.bring_others()
        yield from self._refresh(0, is_slow=True)
        if (writer := self._hands.writer()) is not None:
            writer.note_foreign(self._hands.balancer().listeners)

    def _refresh(self, ticket: int, *, is_slow: bool = False) -> Generator[None, None, None]:
        """Read back, and repair what somebody else changed; `is_slow`: and try again what was refused."""
        writer = self._hands.writer()
        if writer is None:
            return
        drifted: set[Listener] = set()
        cost_ns, began_ns = 0, self._loop.now_ns()
        try:
            for _ in writer.refreshing(drifted):
                cost_ns += self._loop.now_ns() - began_ns
                self._say_at_work(ticket)
                yield
                if self._hands.writer() is not writer:
                    return
                began_ns = self._loop.now_ns()
        except KernelError as error:
            self._hands.complain(error)
            return
        self._read_at_ns = self._loop.now_ns()
        self._read_cost_ns = cost_ns + self._read_at_ns - began_ns
        refused = self._hands.out_of_line() if is_slow else set()
        self._repair(writer, drifted & (self._hands.balancer().listeners | self._hands.owned()), refused)

    def _repair(self, writer: Writer, drifted: Set[Listener], refused: Set[Listener]) -> None:
        """Write what others changed, count it, say so and remember it."""
        there, wanted = writer.reading.table, self._hands.balancer().wanted
        names = sorted(drifted, key=listener_name)
        found = [one for listener in names for one in differences(listener, wanted(listener), there.get(listener))]
        before = self._counters["changes_written"]
        self._hands.write(drifted | refused)
        if not drifted:
            return
        self._counters["drift_repaired"] += len(drifted)
        made = self._counters["changes_written"] - before
        services = [listener_name(listener) for listener in names[:20]]
        self._logger.warning("drift_repaired", services=services, count=len(names), changes=made)
        if found:
            still = sum(listener in writer.problems for listener in names)
            named = tuple(found[:NAMED_IN_REPAIR])
            self.repairs.append(TableRepair(at_ns=self._loop.now_ns(), count=len(found), found=named, refused=still))

    # ---------------------------------------------------------------------------------------- when asked

    def report(self, message: StatusWanted) -> None:
        """Answer with what is true now."""
        self._portions.begin(self._report(message.ticket))

    def _report(self, ticket: int) -> Generator[None, None, None]:
        if self._is_stale(COUNTERS_AGE_NS, ASKED_SHARE):
            yield from self._refresh(ticket)
        yield from self._reporter.reporting(ticket, lambda: self._say_at_work(ticket))

    def look(self, message: TableLookWanted) -> None:
        """Answer with what is not as it should be. What is known of the data plane stays as it is."""
        self._portions.begin(self._look(message.ticket))

    def _say_at_work(self, ticket: int) -> None:
        now_ns = self._loop.now_ns()
        if ticket and now_ns - self._said_ns > AT_WORK_NS:
            self._said_ns = now_ns
            self._reporter.say(AtWork(ticket=ticket))

    def _look(self, ticket: int) -> Generator[None, None, None]:
        found: list[TableDifference] = []
        left_alone: list[str] = []
        problem, writer = "", self._hands.writer()
        try:
            for _ in self._differences(writer, found, left_alone) if writer is not None else ():
                self._say_at_work(ticket)
                yield
        except KernelError as error:
            problem = str(error)
        problems = writer.problems if writer is not None else {}
        answer = TableLook(
            ticket=ticket,
            taken_ns=self._loop.now_ns(),
            data_plane=writer.plane.name if writer is not None else "none",
            problem=problem if writer is not None else "there is no data plane",
            count=len(found),
            differences=tuple(found[:NAMED_IN_LOOK]),
            refused={listener_name(listener): why for listener, why in problems.items()},
            left_alone=tuple(left_alone[:NAMED_IN_LOOK]),
            next_repair_ns=self._next_repair_ns,
            repairs=tuple(self.repairs),
        )
        self._reporter.say(answer)

    def _differences(
        self, writer: Writer, found: list[TableDifference], left_alone: list[str]
    ) -> Generator[None, None, None]:
        """Each service is compared when it was just read, with what was written before that."""
        self._hands.write(())
        services, servers_of, _ = writer.plane.glance()
        there = {service.listener: service for service in services}
        balancer, owned = self._hands.balancer(), self._hands.owned()
        for listener in sorted((balancer.listeners | owned) - there.keys(), key=listener_name):
            found += differences(listener, balancer.wanted(listener), None)
        for listener, service in there.items():
            if self._hands.waits(listener):
                self._hands.write(())
            wanted = self._hands.balancer().wanted(listener)
            if wanted is None and listener not in self._hands.owned():
                left_alone.append(listener_name(listener))
            elif (servers := servers_of(listener)) is not None:
                found += differences(listener, wanted, Entry(service=service, destinations=servers[0]))
            if not writer.plane.reads_at_once:
                yield
