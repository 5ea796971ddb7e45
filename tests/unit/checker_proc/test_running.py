"""One check at work, when nobody wants it any more. It connects to a port of this machine where nobody listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pyhad.checker_proc.core.effects import ReportChange, ReportFailure, ReportImpossible
from pyhad.checker_proc.core.events import Restored
from pyhad.checker_proc.probes.prober import Prober
from pyhad.checker_proc.running import RunningCheck
from pyhad.checker_proc.timetable import Timetable
from pyhad.common.config.model import Target, TcpCheck, Timing
from pyhad.common.loop import Loop

SECOND = 1_000_000_000


class Service:
    """Takes the check out when it changes, as for a server that moves."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.changes = 0

    def run(self, port: int) -> RunningCheck:
        check = TcpCheck(
            target=Target(address="127.0.0.1", port=port, connect_timeout_ns=10 * SECOND),
            timing=Timing(delay_loop_ns=SECOND, retry=0),
            alpha=False,
        )
        prober = Prober(self.loop, None, max_descriptors=1024)
        running = RunningCheck(check, self.loop, Timetable(self.loop), prober, self)
        running.begin(Restored(is_up=True, weight=None, reason="check_succeeded"), self.loop.now_ns())
        return running

    def check_changed(self, running: RunningCheck, change: ReportChange) -> None:
        if change.went_down:
            self.changes += 1
            running.cancel()

    def probe_failed(self, running: RunningCheck, failure: ReportFailure) -> None:
        raise AssertionError(failure)

    def probe_impossible(self, running: RunningCheck, problem: ReportImpossible) -> None:
        raise AssertionError(problem)

    def probe_remarked(self, running: RunningCheck, remark: str) -> None:
        raise AssertionError(remark)

    def check_warns(self, running: RunningCheck) -> None:
        raise AssertionError(running)

    def until_it_changed(self) -> None:
        end_ns = self.loop.now_ns() + 20 * SECOND
        while not self.changes and self.loop.now_ns() < end_ns:
            self.loop.turn(0.1)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.loop.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_who_is_cancelled_while_its_result_is_told_probes_no_more(service: Service, closed_port: int) -> None:
    running = service.run(closed_port)
    running.hurry()
    service.until_it_changed()
    assert (service.changes, running.slot_ns, running.machine.runs) == (1, 0, 1)
    running.hurry()
    service.loop.turn()
    assert (running.slot_ns, running.machine.runs) == (0, 1)
