"""One check at work: its machine, its place in the timetable, the probe under way, and the servers that hang on it."""

from __future__ import annotations

import time
from typing import Any, Protocol, assert_never

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.effects import Effect, ReportChange, ReportFailure, ReportImpossible, StartProbe
from pyhad.checker_proc.core.events import (
    TIME_PASSED,
    ProbeFailed,
    ProbeImpossible,
    ProbeSucceeded,
    Restored,
    Result,
    Startup,
)
from pyhad.checker_proc.core.schedule import spread_ns
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.checker_proc.core.warnings import Warn, warnings_of
from pyhad.checker_proc.probes.marks import needs_mark
from pyhad.checker_proc.probes.probe import Probe
from pyhad.checker_proc.probes.prober import Prober
from pyhad.checker_proc.timetable import Timetable
from pyhad.common.config.model import BfdCheck, Check, FileCheck, MiscCheck, PingCheck
from pyhad.common.loop import Loop


class AtWork(Protocol):
    """A check at work, here or in a worker, as the service sees it."""

    machine: CheckMachine
    kind: str
    judges: list[ServerJudge]
    warnings: tuple[Warn, ...]

    def suspend(self, suspended: bool) -> bool:
        """Its service's address is not on this machine (CHK-10). True when that is news."""
        ...

    def begin(self, restored: Restored | None, now_ns: int) -> None:
        """Once, first."""

    def hurry(self) -> None:
        """What it looks at changed: probe now."""

    def cancel(self) -> None:
        """Nobody wants this check any more."""


class Listener(Protocol):
    """Who hears what became of a check (the service)."""

    def check_changed(self, running: Any, change: ReportChange) -> None:
        """It went up or down, was tested for the first time, or wants another weight."""

    def probe_failed(self, running: Any, failure: ReportFailure) -> None:
        """A try failed and changed nothing."""

    def probe_impossible(self, running: Any, problem: ReportImpossible) -> None:
        """A probe could not be made; told once until one can be made again."""

    def probe_remarked(self, running: Any, remark: str) -> None:
        """A good response was odd in a way not told before."""

    def check_warns(self, running: Any) -> None:
        """What `RunningCheck.warnings` holds is not what it held before."""


class RunningCheck:
    """Drives one `CheckMachine`. Probes asked for by several servers run once, here."""

    __slots__ = (
        "_holds",
        "_is_cancelled",
        "_is_impossible",
        "_is_watched",
        "_listener",
        "_loop",
        "_needs_mark",
        "_probe",
        "_prober",
        "_remark",
        "_requests",
        "_timetable",
        "is_suspended",
        "judges",
        "kind",
        "machine",
        "slot_ns",
        "warnings",
    )  # fmt: skip

    def __init__(self, check: Check, loop: Loop, timetable: Timetable, prober: Prober, listener: Listener) -> None:
        self.machine = CheckMachine(check)
        self.kind = self.machine.kind
        self.judges: list[ServerJudge] = []
        self.slot_ns = 0
        self.is_suspended = False
        self._loop = loop
        self._timetable = timetable
        self._prober = prober
        self._listener = listener
        self._requests = prober.requests_of(check)
        self._needs_mark = needs_mark(check)
        self._probe: Probe | None = None
        self._holds = (
            0 if isinstance(check, (PingCheck, FileCheck, MiscCheck, BfdCheck)) else 1
        )  # descriptors of a probe under way
        self._is_cancelled = False
        self._is_impossible = False
        self._remark = ""
        self.warnings: tuple[Warn, ...] = ()
        """Of its last good answer."""
        self._is_watched = bool(check.timing.latency_warning_ns or getattr(check, "certificate_warning_ns", 0))

    def begin(self, restored: Restored | None, now_ns: int) -> None:
        """Take a place in the timetable: in the warm-up, or soon where there is a result already."""
        timing = self.machine.check.timing
        span_ns = timing.warmup_ns if restored is None else timing.delay_loop_ns
        spread = spread_ns(self.machine.mark, span_ns)
        self._perform(self.machine.handle(Startup(spread_ns=spread, restored=restored), now_ns), now_ns)
        if isinstance(self.machine.check, FileCheck):  # its answer is here before anybody is told of the server
            self.tick()

    def suspend(self, suspended: bool) -> bool:
        """As `AtWork.suspend`."""
        is_news = suspended is not self.is_suspended
        self.is_suspended = suspended
        return is_news

    def tick(self) -> None:
        """Its time has come."""
        if self._is_cancelled:
            return
        now_ns = self._loop.now_ns()
        if self.is_suspended and not isinstance(self.machine.check, (FileCheck, BfdCheck)):
            self.machine.postpone(now_ns)
            self._perform((), now_ns)
            return
        self._perform(self.machine.handle(TIME_PASSED, now_ns), now_ns)

    def hurry(self) -> None:
        """What it looks at changed: probe now."""
        self.machine.hurry(self._loop.now_ns())
        self.tick()

    def take(self, result: Result) -> None:
        """The result of the probe under way."""
        if self._probe is not None:
            self._probe = None
            self._prober.in_flight -= self._holds
        self._conclude(result)

    def cancel(self) -> None:
        """Nobody wants this check any more; also while we tell what became of it."""
        self._is_cancelled = True
        self.slot_ns = 0
        if self._probe is not None:
            self._prober.in_flight -= self._holds
            self._probe.cancel()
            self._probe = None

    def _conclude(self, result: Result) -> None:
        now_ns = self._loop.now_ns()
        if not isinstance(result, ProbeImpossible):
            self._is_impossible = False
        self._perform(self.machine.handle(result, now_ns), now_ns)
        if isinstance(result, ProbeSucceeded) and result.remark != self._remark:
            self._remark = result.remark
            if result.remark:
                self._listener.probe_remarked(self, result.remark)
        if self._is_watched and isinstance(result, ProbeSucceeded):
            self._warn(result)

    def _warn(self, result: ProbeSucceeded) -> None:
        found = warnings_of(self.machine.check, result.latency_ns, result.certificate_until_s, time.time())
        if found != self.warnings:
            self.warnings = found
            self._listener.check_warns(self)

    def _perform(self, effects: tuple[Effect, ...], now_ns: int) -> None:
        for effect in effects:
            match effect:
                case StartProbe():
                    self._start_probe(effect.url, now_ns)
                    return  # alone by construction; a probe that ended at once has put us back already
                case ReportChange():
                    self._listener.check_changed(self, effect)
                case ReportFailure():
                    self._listener.probe_failed(self, effect)
                case ReportImpossible():
                    if not self._is_impossible:
                        self._is_impossible = True
                        self._listener.probe_impossible(self, effect)
                case _:
                    assert_never(effect)
        if self._is_cancelled:
            return
        due_ns = self.machine.next_deadline_ns()
        if due_ns is not None:
            self._timetable.put(self, due_ns)

    def _start_probe(self, url: int, now_ns: int) -> None:
        start = self._prober.start_marked if self._needs_mark else self._prober.start
        started = start(self.machine.check, url, self._requests, self, now_ns)
        if isinstance(started, (ProbeSucceeded, ProbeFailed, ProbeImpossible)):
            self._conclude(started)
        else:
            self._probe = started
            self._prober.in_flight += self._holds
