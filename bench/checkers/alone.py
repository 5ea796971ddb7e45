"""The checker process with its workers on this kernel, against nginx on loopback."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.checkers.targets import PORTS, cpu_s, family, private_kib
from pyhad.common import messages as m
from pyhad.common.config.model import Check, CheckedServer, HttpCheck, HttpUrl, PingCheck, Target, TcpCheck, Timing
from tests.lab.checker_stand_in import Director

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
