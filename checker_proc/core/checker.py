"""The state machine of one check: when it probes and what its results mean (CHK-1 to CHK-4, CHK-22, CHK-24).

A check is up or down, and tested or not yet. It probes each delay_loop, keeps its phase, and never has two probes at
once. Before its first result one failure takes it down (CHK-3); an up check then has `retry` more tries, each
delay_before_retry after the last (CHK-4). An HTTP check with several urls takes one url per turn; a round of all urls
counts as one success (CHK-22). When it is down it is *stuck* at the failed url until that is good, then runs
a whole round, then is up (CHK-24). No socket, no clock, no log: the shell performs the effects.
"""

from __future__ import annotations

import functools
from typing import assert_never

from pyhad.checker_proc.core.effects import Effect, ReportChange, ReportFailure, ReportImpossible, StartProbe
from pyhad.checker_proc.core.events import (
    Event,
    ProbeFailed,
    ProbeImpossible,
    ProbeSucceeded,
    Startup,
    TimePassed,
)
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.schedule import FIRST_DELAY_NS, fingerprint, identity_of, next_turn_ns
from pyhad.common.config.model import Check, FileCheck, HttpCheck

NOTHING: tuple[Effect, ...] = ()
_WENT_UP = (ReportChange(went_up=True, went_down=False),)
_CONFIRMED = (ReportChange(went_up=True, went_down=False, is_confirmed=True),)
_WENT_DOWN = (ReportChange(went_up=False, went_down=True),)
_CONFIRMED_DOWN = (ReportChange(went_up=False, went_down=True, is_confirmed=True),)
_OTHERWISE = ReportChange(went_up=False, went_down=False)


@functools.cache
def _starts_of(urls: int) -> tuple[tuple[Effect, ...], ...]:
    """By url, what begins a probe of it."""
    return tuple((StartProbe(url=index),) for index in range(urls))


class CheckMachine:
    """One check. `handle(event, now_ns)` gives the effects; the public attributes are for reading."""

    __slots__ = (
        "_due_ns", "_fast_recovery", "_good_urls", "_is_probing", "_is_stuck", "_starts", "_tries_left", "_turn_ns",
        "_url", "certificate_until_s", "check", "detail", "failures", "is_tested", "is_up", "kind", "last_ns",
        "last_reason", "latency_ns", "mark", "reason", "runs", "weight",
    )  # fmt: skip

    def __init__(self, check: Check) -> None:
        self.check = check
        identity = identity_of(check)
        self.kind = str(identity[0])
        """As the configuration calls it."""
        self.mark = fingerprint(identity)
        """Stands for its identity in records."""
        self.is_up = not check.alpha  # CHK-6
        self.is_tested = False
        self.weight: int | None = None
        """Weight that misc_dynamic asks for, or what a FILE_CHECK adds to it; None: the configured one."""
        self.reason: str = Reason.NOT_CHECKED_YET
        """Why it is in this state: the outcome at the last transition."""
        self.detail = ""
        """What came instead, of the last failure; empty: the reason says it all."""
        self.last_reason: str = Reason.NOT_CHECKED_YET
        """Outcome of the last probe."""
        self.runs = 0
        self.failures = 0
        self.last_ns = 0
        self.latency_ns = 0
        self.certificate_until_s = 0
        """End of the certificate that the server showed last, in seconds since 1970; 0: none."""
        urls = len(check.urls) if isinstance(check, HttpCheck) else 1
        self._starts = _starts_of(urls)
        self._fast_recovery = isinstance(check, HttpCheck) and check.fast_recovery
        self._url = 0
        self._good_urls = 0
        self._is_stuck = False
        self._is_probing = False
        self._tries_left = check.timing.retry
        self._turn_ns = 0
        self._due_ns: int | None = None

    def next_deadline_ns(self) -> int | None:
        """When TimePassed is due; None while a probe runs."""
        return self._due_ns

    def hurry(self, now_ns: int) -> None:
        """The next probe is due now, unless one is on its way."""
        if self._due_ns is not None:
            self._due_ns = min(self._due_ns, now_ns)

    def postpone(self, now_ns: int) -> None:
        """Nothing is to be asked now (`ha_suspend`): the next turn."""
        if self._due_ns is not None:
            self._due_ns = next_turn_ns(self._due_ns, self.check.timing.delay_loop_ns, now_ns)

    def handle(self, event: Event, now_ns: int) -> tuple[Effect, ...]:
        """Take one fact; give what has to be done."""
        match event:
            case TimePassed():
                return self._start_probe(now_ns)
            case ProbeSucceeded():
                return self._take_success(event, now_ns)
            case ProbeFailed():
                return self._take_failure(event, now_ns)
            case ProbeImpossible():
                return self._take_impossible(event, now_ns)
            case Startup():
                return self._start(event, now_ns)
            case _:
                assert_never(event)

    def _start(self, event: Startup, now_ns: int) -> tuple[Effect, ...]:
        if isinstance(self.check, FileCheck):  # known at once, so nothing is restored and alpha means nothing (CHK-90)
            self.is_up = True
            self._due_ns = now_ns
            return NOTHING
        if event.restored is None:
            self._due_ns = now_ns + FIRST_DELAY_NS + event.spread_ns
            return NOTHING
        self.is_up = event.restored.is_up
        self.is_tested = True
        self.weight = event.restored.weight
        self.reason = event.restored.reason
        self._due_ns = now_ns + event.spread_ns
        return NOTHING

    def _start_probe(self, now_ns: int) -> tuple[Effect, ...]:
        if self._due_ns is None or now_ns < self._due_ns:
            return NOTHING
        self._turn_ns = self._due_ns
        self._due_ns = None
        self._is_probing = True
        return self._starts[self._url]

    def _take_success(self, event: ProbeSucceeded, now_ns: int) -> tuple[Effect, ...]:
        if 0 < self.check.timing.max_latency_ns < event.latency_ns:
            return self._take_failure(_too_slow(event.latency_ns), now_ns)
        if not self._end_probe(now_ns, event.latency_ns, Reason.CHECK_SUCCEEDED):
            return NOTHING
        self.certificate_until_s = event.certificate_until_s
        self._tries_left = self.check.timing.retry
        urls = len(self._starts)
        is_settled = self.is_up and self.is_tested
        if self._is_stuck and urls > 1:  # the failed url is good again: now all of them, from the first
            self._is_stuck = False
            self._url = self._good_urls = 0
            self._wait_turn(now_ns, is_settled)
            return NOTHING
        self._is_stuck = False
        self._good_urls += 1
        if self._good_urls < urls:
            self._url = (self._url + 1) % urls
            self._wait_turn(now_ns, is_settled)
            return NOTHING
        self._url = self._good_urls = 0
        self._due_ns = next_turn_ns(self._turn_ns, self.check.timing.delay_loop_ns, now_ns)
        return self._go_up(event.weight)

    def _wait_turn(self, now_ns: int, is_settled: bool) -> None:
        if self._fast_recovery and not is_settled:
            self._due_ns = now_ns
        else:
            self._due_ns = next_turn_ns(self._turn_ns, self.check.timing.delay_loop_ns, now_ns)

    def _go_up(self, weight: int | None) -> tuple[Effect, ...]:
        was_settled = self.is_up and self.is_tested
        was_up = self.is_up
        same_weight = weight == self.weight
        self.is_up = self.is_tested = True
        self.weight = weight
        if was_settled:
            return NOTHING if same_weight else (_OTHERWISE,)
        self.reason = Reason.CHECK_SUCCEEDED
        return _CONFIRMED if was_up else _WENT_UP

    def _take_failure(self, event: ProbeFailed, now_ns: int) -> tuple[Effect, ...]:
        if not self._end_probe(now_ns, event.latency_ns, event.reason):
            return NOTHING
        self.failures += 1
        self.detail = event.detail
        timing = self.check.timing
        if self.is_up and self.is_tested and self._tries_left > 0:  # CHK-4
            self._tries_left -= 1
            self._due_ns = now_ns + timing.delay_before_retry_ns
            return (ReportFailure(reason=event.reason, tries_left=self._tries_left + 1, detail=event.detail),)
        period_ns = timing.delay_loop_ns
        if isinstance(self.check, HttpCheck):  # CHK-24
            period_ns = max(period_ns, timing.delay_before_retry_ns)
        self._due_ns = next_turn_ns(self._turn_ns, period_ns, now_ns)
        self._is_stuck = True
        self._good_urls = 0
        if self.is_tested and not self.is_up:
            return self._fail_again(event.reason)
        was_up, self.is_up, self.is_tested = self.is_up, False, True
        self.weight = None  # after a down the configured weight counts again (CHK-61)
        self.reason = event.reason
        return _WENT_DOWN if was_up else _CONFIRMED_DOWN

    def _fail_again(self, reason: Reason) -> tuple[Effect, ...]:
        """It was down. Where it began so, its reason may be that of another check, before a reload: its own counts."""
        failure = ReportFailure(reason=reason, tries_left=0, detail=self.detail)
        if self.failures > 1 or self.reason == reason:
            return (failure,)
        self.reason = reason
        return (failure, _OTHERWISE)

    def _take_impossible(self, event: ProbeImpossible, now_ns: int) -> tuple[Effect, ...]:
        if not self._end_probe(now_ns, 0, event.reason):
            return NOTHING
        self._due_ns = next_turn_ns(self._turn_ns, self.check.timing.delay_loop_ns, now_ns)
        return (ReportImpossible(reason=event.reason, detail=event.detail),)

    def _end_probe(self, now_ns: int, latency_ns: int, reason: Reason) -> bool:
        """False for the result of a probe that nobody waits for."""
        if not self._is_probing:
            return False
        self._is_probing = False
        self.runs += 1
        self.last_ns = now_ns
        self.latency_ns = latency_ns
        self.last_reason = reason
        return True


def _too_slow(latency_ns: int) -> ProbeFailed:
    return ProbeFailed(reason=Reason.TOO_SLOW, latency_ns=latency_ns, detail=f"{latency_ns / 1_000_000:.1f} ms")
