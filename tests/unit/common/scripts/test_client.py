"""The VRRP process and a real helper, over their socket pair."""

from __future__ import annotations

import collections
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyhad.common.codec import encode
from pyhad.common.config.model import Path as Path_, Statics, VirtualRoute, VrrpDocument, VrrpInstance
from pyhad.common.config.model.tracking import Fifo, Notify, Program
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.helper import Helper
from pyhad.common.scripts.orders import Cancel, Check, Ended, Tell
from pyhad.vrrp_proc.core.notices import Told
from pyhad.vrrp_proc.kernel.ledger import FORMAT, Ledger, Noted
from pyhad.vrrp_proc.notifier import Notifier

SECOND_NS = 1_000_000_000


class Bench:
    """The helper lives in a thread here, with a loop of its own; nothing else is shared."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = Loop()
        self.log = ProcessLog("vrrp", LogSettings(console=False, syslog=False, file=str(folder / "log")))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        self.channel = ours
        self.helper = Helper(Loop(), theirs)
        self.thread = threading.Thread(target=self.helper.run)
        self.thread.start()
        self.theirs = theirs
        self.scripts = Scripts(ours, self.loop, self.log.logger)
        self.counters: collections.Counter[str] = collections.Counter()
        self.notifier = Notifier(self.scripts, self.log.logger, self.counters)

    def until(self, true: Callable[[], object]) -> None:
        end_ns = self.loop.now_ns() + 20 * SECOND_NS
        while not true() and self.loop.now_ns() < end_ns:
            self.loop.turn(0.05)
        assert true()

    def script(self, body: str) -> Program:
        path = self.folder / f"script{len(list(self.folder.iterdir()))}"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return Program(argv=(str(path),), uid=os.geteuid(), gid=os.getegid())

    def close(self) -> None:
        self.channel.close()
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.theirs.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_a_check_is_answered_with_its_ticket(bench: Bench) -> None:
    ended: list[Ended] = []
    bench.scripts.on_ended = ended.append
    bench.scripts.send(Check(ticket=9, program=bench.script("exit 2"), timeout_ns=SECOND_NS))
    bench.until(lambda: ended)
    assert ended == [Ended(ticket=9, status=2)]


def test_a_check_that_hangs_is_said_at_its_deadline_and_again_at_its_end(bench: Bench) -> None:
    heard: list[object] = []
    bench.scripts.on_ended = heard.append
    bench.scripts.on_timed_out = heard.append
    program = bench.script("trap 'sleep 0.3; exit 0' TERM; sleep 60 & wait")
    bench.scripts.send(Check(ticket=1, program=program, timeout_ns=SECOND_NS // 5))
    bench.until(lambda: len(heard) == 2)
    assert [type(one).__name__ for one in heard] == ["TimedOut", "Ended"]


def test_what_tells_of_one_key_runs_in_order_and_a_stop_waits_for_it(bench: Bench) -> None:
    said = bench.folder / "said"
    slow, quick = bench.script(f"sleep 0.05; echo slow >> {said}"), bench.script(f"echo quick >> {said}")
    bench.scripts.send(Tell(key="a", programs=(slow, quick), timeout_ns=5 * SECOND_NS))
    bench.scripts.send(Tell(key="a", programs=(quick,), timeout_ns=5 * SECOND_NS))
    finished: list[bool] = []
    bench.scripts.finish(lambda: finished.append(True))
    bench.until(lambda: finished)
    assert said.read_text() == "slow\nquick\nquick\n"


def test_a_stop_waits_for_a_second_at_most(bench: Bench) -> None:
    begin_ns = bench.loop.now_ns()
    bench.scripts.send(Tell(key="a", programs=(bench.script("sleep 2"),), timeout_ns=5 * SECOND_NS))
    finished: list[bool] = []
    bench.scripts.finish(lambda: finished.append(True))
    bench.until(lambda: finished)
    assert 0.9 < (bench.loop.now_ns() - begin_ns) / SECOND_NS < 1.7


def test_a_young_process_goes_on_without_its_helper(bench: Bench) -> None:
    bench.theirs.shutdown(socket.SHUT_RDWR)
    bench.until(lambda: bench.scripts.is_lost)
    bench.scripts.send(Tell(key="a", programs=(), timeout_ns=0))
    finished: list[bool] = []
    bench.scripts.finish(lambda: finished.append(True))
    assert finished == [True]


def test_the_next_daemon_learns_what_the_last_one_had_configured_and_it_has_not(bench: Bench) -> None:
    routes = [
        VirtualRoute(text=f"{number}", family=4, destination=f"10.{number}.0.0", prefix_len=16) for number in range(4)
    ]
    path, removed = str(bench.folder / "installed"), list[tuple[Path_, ...]]()

    def begin(*configured: VirtualRoute) -> Ledger:
        made = Ledger(bench.scripts, path, bench.log.logger)
        made.on_left_over = removed.append
        reload(made, *configured)
        return made

    def reload(ledger: Ledger, *configured: VirtualRoute) -> None:
        statics = Statics(routes=configured)
        ledger.configure(VrrpDocument(schema=1, generation=1, router_id="r", instances=(), statics=statics))

    first = begin(routes[0])
    for number in (1, 2):
        reload(first, routes[number])
    begin(routes[1], routes[3])
    bench.until(lambda: removed)
    assert removed == [(routes[2],)]  # the last two were in the file; the first was long gone
    last = begin(routes[3])
    bench.until(lambda: len(removed) == 2)
    assert removed[1] == (routes[1],)
    last.clear()
    begin()
    nothing = encode(Noted(format=FORMAT, routes=(), rules=()))
    bench.until(lambda: Path(path).read_bytes() == nothing)
    bench.scripts.wait(lambda: len(removed) > 2, SECOND_NS // 5)
    assert len(removed) == 2
    Path(path).write_bytes(b"of another version")
    begin()
    bench.until(lambda: (bench.log.flush(), b"ledger_not_understood" in (bench.folder / "log").read_bytes())[1])
    assert len(removed) == 2


def test_what_a_daemon_left_is_found_again_if_whoever_asked_for_it_died_too_early(bench: Bench) -> None:
    first = VirtualRoute(text="10.1.0.0/16", family=4, destination="10.1.0.0", prefix_len=16)
    second = VirtualRoute(text="10.2.0.0/16", family=4, destination="10.2.0.0", prefix_len=16)
    path, removed = str(bench.folder / "installed"), list[tuple[Path_, ...]]()

    def begin(statics: Statics) -> Ledger:
        made = Ledger(bench.scripts, path, bench.log.logger)
        made.on_left_over = removed.append
        made.configure(VrrpDocument(schema=1, generation=1, router_id="r", instances=(), statics=statics))
        return made

    answers: list[int] = []
    begin(Statics(routes=(first,)))
    for statics in (Statics(routes=(second,)), Statics()):
        begin(statics)
        bench.scripts.on_ledger = answers.append  # it dies before it hears
        before = len(answers)
        bench.until(lambda before=before: len(answers) > before)
    begin(Statics())
    bench.until(lambda: removed)
    assert removed == [(second, first)]
    bench.until(lambda: not Path(path + ".unread").exists())


@pytest.mark.behaviour("NTF-20", "NTF-23", "NTF-24", "NTF-25")
def test_a_fifo_gets_every_line_and_its_reader_the_path(bench: Bench) -> None:
    path = bench.folder / "fifo"
    reader = bench.script(f'cat "$1" > {bench.folder}/lines')
    config = VrrpInstance(
        name="V1", vrid=1, family=4, interface="eth0", version=2, start_as_master=False, base_priority=100,
        advertisement_interval_cs=100, notify=Notify(priority_changes=True),
    )  # fmt: skip
    fifo = Fifo(path=str(path), uid=os.geteuid(), gid=os.getegid(), script=reader)
    document = VrrpDocument(schema=1, generation=1, router_id="r", instances=(), fifos=(fifo,))
    bench.notifier.configure(document)
    bench.notifier.state(config, Told.BACKUP, 100)  # before it is open
    bench.until(lambda: path.is_fifo())
    bench.notifier.priority(config, 90, is_master=False)
    lines = bench.folder / "lines"
    expected = 'INSTANCE "V1" BACKUP 100\nINSTANCE "V1" BACKUP_PRIORITY 90\n'
    bench.until(lambda: lines.exists() and lines.read_text() == expected)
    assert path.stat().st_mode & 0o777 == 0o600
    bench.notifier.close()
    bench.until(lambda: not path.exists())


def test_a_fifo_that_is_something_else_is_left_alone(bench: Bench) -> None:
    path = bench.folder / "file"
    path.write_text("precious")
    document = VrrpDocument(schema=1, generation=1, router_id="r", instances=(), fifos=(Fifo(path=str(path)),))
    bench.notifier.configure(document)
    bench.until(lambda: (bench.log.flush(), b"not a FIFO" in (bench.folder / "log").read_bytes())[1])
    bench.notifier.close()
    assert path.read_text() == "precious"


def test_who_cancels_what_is_over_is_told_so(bench: Bench) -> None:
    """Its answer may have been lost."""
    ended: list[Ended] = []
    bench.scripts.on_ended = ended.append
    bench.scripts.send(Cancel(ticket=4))
    bench.until(lambda: ended)
    assert ended[0].ticket == 4
