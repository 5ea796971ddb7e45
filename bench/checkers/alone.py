"""The checker process with its workers on this kernel, against nginx on loopback."""

from __future__ import annotations

import mmap
import os
import shutil
import signal
import socket
import statistics
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.checkers.targets import PORTS, Targets, cpu_s, family, private_kib
from pyhad.common import messages as m
from pyhad.common.config.model import Check, CheckedServer, HttpCheck, HttpUrl, PingCheck, Target, TcpCheck, Timing
from tests.lab.checker_stand_in import Director, replying

SECOND_NS = 1_000_000_000
MS = 1_000_000
HEAD = (
    f"{'kind':<6}{'servers':>8}{'workers':>8}{'wanted/s':>10}{'made/s':>9}{'CPU':>8}{'us/check':>10}{'per CPU s':>11}"
    f"{'failed':>8}{'late p99':>10}{'worst ms':>10}{'kB/server':>11}"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The checker and its workers at one moment."""

    at_ns: int
    runs: int
    failures: int
    cpu_s: float
    late_p99_ns: int
    late_max_ns: int


def check_of(kind: str, address: str, delay_ns: int) -> Check:
    """One of the kinds that are measured."""
    timing = Timing(delay_loop_ns=delay_ns, warmup_ns=delay_ns, retry=0, delay_before_retry_ns=delay_ns)
    target = Target(address=address, port=PORTS[kind])
    if kind == "tcp":
        return TcpCheck(target=target, timing=timing, alpha=False)
    if kind == "ping":
        return PingCheck(target=target, timing=timing, alpha=False)
    return HttpCheck(target=target, timing=timing, alpha=False, urls=(HttpUrl(path="/"),), tls=kind == "tls")


def server_of(kind: str, number: int, delay_ns: int) -> CheckedServer:
    """One real server with one check."""
    address = f"127.1.{number // 250}.{number % 250 + 1}"
    return CheckedServer(
        service="10.0.0.1:80/tcp", server=f"{address}:80", address=address, port=80, weight=1, alpha=False,
        checks=(check_of(kind, address, delay_ns),),
    )  # fmt: skip


@contextmanager
def director(workers: int) -> Iterator[Director]:
    """What surrounds the checker."""
    folder = tempfile.mkdtemp(prefix="pyhad-bench-")
    os.chmod(folder, 0o755)
    one = Director(folder)
    one.workers = workers
    try:
        yield one
    finally:
        one.close()
        shutil.rmtree(folder)


def crew(one: Director) -> list[int]:
    """Checker, nursery and workers; not the script helper, which does nothing here."""
    names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in family(one.pid)}
    return [pid for pid, name in names.items() if name != "pyhad_scripts"]


def sample(one: Director, ticket: int) -> Sample:
    """Ask for the status with this ticket; CPU time as of then."""
    one.hubs[1].send(b"checker", m.StatusWanted(ticket=ticket))
    one.until(lambda: any(report.ticket == ticket for report in one.reports), 60)
    report = next(report for report in one.reports if report.ticket == ticket)
    checks = [check for health in report.servers for check in health.checks]
    pulse = one.pulse.read(m.ProcessName.CHECKER)
    lates = [(worker.late_p99_ns, worker.late_max_ns) for worker in report.workers]
    lates.append((pulse.late_p99_ns, pulse.late_max_ns))
    return Sample(
        at_ns=report.taken_ns,
        runs=sum(check.runs for check in checks),
        failures=sum(check.failures for check in checks),
        cpu_s=cpu_s(crew(one)),
        late_p99_ns=max(late[0] for late in lates),
        late_max_ns=max(late[1] for late in lates),
    )


def settle(one: Director, servers: int) -> None:
    """Until all were tested once."""
    one.until(lambda: sum(v.reason == "check_succeeded" for v in one.verdicts.values()) >= servers * 0.99, 120)
    one.turn_for(1.5)


def load(kind: str, servers: int, rate: int, seconds: float, workers: int) -> str:
    """One line of the table: so many servers, each asked as often as it takes for `rate` checks a second."""
    delay_ns = servers * SECOND_NS // rate
    with director(workers) as one:
        one.start(server_of(kind, 0, delay_ns))
        settle(one, 1)
        least_kib = private_kib(crew(one))
        one.kill()
    with director(workers) as one:
        one.start(*(server_of(kind, number, delay_ns) for number in range(servers)))
        settle(one, servers)
        before = sample(one, 1)
        one.turn_for(seconds)
        after = sample(one, 2)
        kib = (private_kib(crew(one)) - least_kib) / servers
    runs, wall_s = after.runs - before.runs, (after.at_ns - before.at_ns) / SECOND_NS
    used_s = after.cpu_s - before.cpu_s
    return (
        f"{kind:<6}{servers:>8}{workers:>8}{rate:>10}{runs / wall_s:>9.0f}{used_s / wall_s:>8.1%}"
        f"{used_s / runs * 1e6:>10.1f}{runs / used_s:>11.0f}{after.failures - before.failures:>8}"
        f"{after.late_p99_ns / MS:>10.1f}{after.late_max_ns / MS:>10.1f}{kib:>11.1f}"
    )


def deaths(servers: int, workers: int, victims: int = 100) -> str:
    """From a server's death to its verdict while `servers` others are checked; every check once a second."""
    with director(workers) as one:
        mortal = [one.serve(replying(b"")) for _ in range(victims)]
        rows = [victim(server.port, SECOND_NS) for server in mortal]
        one.start(*rows, *(server_of("tcp", number, SECOND_NS) for number in range(servers)))
        settle(one, servers)
        died: dict[str, int] = {}
        took: dict[str, int] = {}
        for server in mortal:
            died[f"127.0.0.1:{server.port}"] = one.loop.now_ns()
            server.close()
            one.turn_for(0.043)
        one.until(lambda: not any(one.up(name) for name in died), 10)
        for name, at_ns in died.items():
            took[name] = one.verdicts["10.0.0.1:80/tcp", name].since_ns - at_ns
    values = sorted(value / MS for value in took.values())
    return (
        f"{victims} deaths among {servers} servers, {workers} workers, each asked once a second: "
        f"median {statistics.median(values):.0f} ms, p99 {values[int(len(values) * 0.99) - 1]:.0f} ms, "
        f"worst {values[-1]:.0f} ms"
    )


def victim(port: int, delay_ns: int) -> CheckedServer:
    """A server of the bench's own."""
    timing = Timing(delay_loop_ns=delay_ns, warmup_ns=delay_ns, retry=0, delay_before_retry_ns=delay_ns)
    check = TcpCheck(target=Target(address="127.0.0.1", port=port), timing=timing, alpha=False)
    return CheckedServer(
        service="10.0.0.1:80/tcp", server=f"127.0.0.1:{port}", address="127.0.0.1", port=port, weight=1, alpha=False,
        checks=(check,),
    )  # fmt: skip


class Live:
    """A server in a process of its own that notes how long it waits between two connections."""

    _FIELDS = struct.Struct("=QQ")  # the last one, and the longest wait since `forget`, ns

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self._FIELDS.size)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._pid = os.fork()
        if self._pid == 0:
            self._serve()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            now_ns = time.monotonic_ns()
            connection.close()
            last_ns, worst_ns = self._FIELDS.unpack(self._memory[:])
            self._memory[:] = self._FIELDS.pack(now_ns, max(worst_ns, now_ns - last_ns if last_ns else 0))

    def forget(self) -> None:
        """Count anew from the last connection on."""
        self._memory[8:] = bytes(8)

    @property
    def worst_ms(self) -> float:
        """The longest wait, also one that is not over."""
        last_ns, worst_ns = self._FIELDS.unpack(self._memory[:])
        return max(worst_ns, time.monotonic_ns() - last_ns) / MS

    def close(self) -> None:
        """It is gone."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._listener.close()


def all_at_once(servers: int, workers: int, targets: Targets) -> str:
    """`servers` die in one moment: how long a live one, asked every 100 ms, waits for its next check."""
    live = Live()
    try:
        with director(workers) as one:
            others = (server_of("tcp", number, SECOND_NS) for number in range(servers))
            one.start(victim(live.port, 100 * MS), *others)
            settle(one, servers)
            live.forget()
            one.turn_for(3)
            calm_ms = live.worst_ms
            live.forget()
            targets.close()
            one.turn_for(4)
            worst_ms = live.worst_ms
            one.until(lambda: sum(verdict.up for verdict in one.verdicts.values()) == 1, 30)
    finally:
        live.close()
    return (
        f"{servers} servers die at once, {workers} workers: a live one, asked every 100 ms, waits {worst_ms:.0f} ms at "
        f"most ({calm_ms:.0f} ms before)"
    )
