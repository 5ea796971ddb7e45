"""The checker's side of the helper that marks sockets; the test is the helper."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from pyhad.checker_proc.core.events import ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.marks import ANSWER, WISH
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.mark_helper import MarkTools
from pyhad.checker_proc.probes.marks import Marked, Marks
from pyhad.checker_proc.probes.prober import Home, Prober
from pyhad.checker_proc.probes.sockets import MarkedTarget, begin_connect
from pyhad.common.config.model import Target, TcpCheck, Timing
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop

CHECK = TcpCheck(target=Target(address="10.0.0.1", port=80, fwmark=5), timing=Timing(), alpha=False)
REFUSED = [ProbeImpossible(reason=Reason.FWMARK_NOT_PERMITTED)]


class Owner:
    def __init__(self) -> None:
        self.results: list[Result] = []

    def take(self, result: Result) -> None:
        self.results.append(result)


class Bench:
    """The marks of a checker, and the other end of their socket."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.pid = os.fork()
        if self.pid == 0:
            os.read(os.pipe()[0], 1)
            os._exit(0)
        self.ours, self.helper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.setblocking(False)
        self.helper.settimeout(40)
        self.pidfd = os.pidfd_open(self.pid)
        tools = MarkTools(channel=self.ours, pidfd=self.pidfd, marks=frozenset({5}))
        self.lost = 0
        self.marks = Marks(tools, self.loop, ProcessLog("test", LogSettings(syslog=False)).logger, self._lost)
        self.owner = Owner()
        self.result: Result = ProbeSucceeded(latency_ns=1)
        self.gone: list[TcpCheck] = []
        self.sockets: list[int] = []

    def _lost(self) -> None:
        self.lost += 1

    def start(self) -> object:
        return self.marks.start(CHECK, self.owner, self.loop.now_ns(), self._go)

    def _go(self, check: Marked) -> Result:
        assert isinstance(check, TcpCheck)
        self.gone.append(check)
        assert isinstance(check.target, MarkedTarget)
        if isinstance(self.result, ProbeSucceeded):
            check.target.opened.close()
        return self.result

    def answer(self, problem: int = 0) -> int:
        """The mark that was wanted."""
        frame, descriptors, _, _ = socket.recv_fds(self.helper, 100, 1)
        for descriptor in descriptors:
            os.close(descriptor)
        number, mark = WISH.unpack(frame)
        self.helper.send(ANSWER.pack(number, problem))
        assert isinstance(mark, int)
        return mark

    def turn_until(self, results: int) -> None:
        end_ns = self.loop.now_ns() + 20_000_000_000
        while len(self.owner.results) < results and self.loop.now_ns() < end_ns:
            self.loop.turn(0.1)

    def wait_in_vain(self, probes: int) -> None:
        """So many at once, which get no answer in time."""
        wanted = len(self.owner.results) + probes
        for _ in range(probes):
            self.start()
        self.turn_until(wanted)

    def close(self) -> None:
        self.helper.close()
        self.ours.close()
        os.close(self.pidfd)
        try:
            os.kill(self.pid, 9)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        self.loop.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def open_sockets() -> int:
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return sum(os.path.islink(link) and os.readlink(link).startswith("socket:") for link in links)


def test_a_probe_goes_when_its_socket_has_its_mark(bench: Bench) -> None:
    before = open_sockets()
    bench.start()
    assert bench.answer() == 5
    bench.loop.turn(1)
    assert bench.owner.results == [ProbeSucceeded(latency_ns=1)]
    assert bench.gone[0].target.address == "10.0.0.1"
    assert open_sockets() == before


def test_what_is_refused_says_nothing_of_the_server(bench: Bench) -> None:
    before = open_sockets()
    bench.start()
    bench.answer(1)
    bench.loop.turn(1)
    assert (bench.owner.results, bench.gone) == (REFUSED, [])
    assert open_sockets() == before


def test_a_probe_that_does_not_begin_leaves_no_socket(bench: Bench) -> None:
    before = open_sockets()
    bench.result = ProbeImpossible(reason=Reason.NO_RESOURCES)
    bench.start()
    bench.answer()
    bench.loop.turn(1)
    assert bench.owner.results == [ProbeImpossible(reason=Reason.NO_RESOURCES)]
    assert open_sockets() == before


def test_a_marked_probe_has_its_place_already_when_there_is_no_other(bench: Bench) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        home = cast(Home, SimpleNamespace(marks=bench.marks))
        check = replace(CHECK, target=replace(CHECK.target, address="127.0.0.1", port=held.getsockname()[1]))
        prober = Prober(bench.loop, home, max_descriptors=1)
        started = prober.start_marked(check, 0, (), bench.owner, bench.loop.now_ns())
        prober.in_flight += 1
        assert prober.start(check, 0, (), bench.owner, bench.loop.now_ns()).reason == Reason.NO_RESOURCES  # type: ignore[union-attr]
        bench.answer()
        bench.turn_until(1)
        assert [one.reason for one in bench.owner.results] == [Reason.CONNECT_REFUSED]  # type: ignore[union-attr]
        started.cancel()  # type: ignore[union-attr]


def test_who_is_cancelled_hears_nothing_and_holds_nothing(bench: Bench) -> None:
    before = open_sockets()
    probe = bench.start()
    probe.cancel()  # type: ignore[attr-defined]
    probe.cancel()  # type: ignore[attr-defined]
    bench.answer()
    bench.loop.turn(1)
    assert (bench.owner.results, bench.gone) == ([], [])
    assert open_sockets() == before


def test_a_helper_that_is_gone_ends_the_waits_and_later_the_process(bench: Bench) -> None:
    before = open_sockets()
    for _ in range(100):
        bench.start()
    bench.helper.close()
    bench.turn_until(100)
    assert bench.owner.results == REFUSED * 100
    assert open_sockets() == before - 2
    assert [bench.start()] == REFUSED
    assert bench.lost == 0  # it is young


def test_a_helper_that_hangs_delays_nobody_for_long_and_is_killed(bench: Bench) -> None:
    bench.wait_in_vain(3)
    assert select.select([bench.pidfd], [], [], 0.5)[0] == []  # they are one wait, and it lives
    bench.wait_in_vain(1)
    bench.wait_in_vain(1)
    assert bench.owner.results == REFUSED * 5
    assert os.WTERMSIG(os.waitid(os.P_PID, bench.pid, os.WEXITED | os.WNOWAIT).si_status) == 9  # type: ignore[union-attr]


def test_more_than_the_socket_takes_are_all_marked(bench: Bench) -> None:
    for _ in range(300):
        bench.start()
    for _ in range(300):
        bench.answer()
        bench.loop.turn(0)
    bench.loop.turn(0)
    assert len(bench.owner.results) == 300


def test_without_a_helper_a_mark_is_impossible_and_no_socket_is_opened() -> None:
    before = open_sockets()
    assert [begin_connect(CHECK.target)] == REFUSED
    assert open_sockets() == before
