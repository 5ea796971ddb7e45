"""How many checks the checker process makes per CPU second: TCP, HTTP and ping on loopback, each target once a second.

    python -m bench.checkers [--targets 1000,5000] [--kinds tcp,http,ping] [--seconds 10]

Root. The real process, unprivileged, in its real loop; targets are 127/8 addresses served by one other process, whose
CPU does not count. `us/check` is user and system time of the checker, the kernel's part of loopback included.
"""

from __future__ import annotations

import argparse
import os
import select
import shutil
import signal
import socket
import tempfile
from dataclasses import dataclass

from pyhad.common import messages as m
from pyhad.common.config.model import Check, CheckedServer, HttpCheck, HttpUrl, PingCheck, Target, TcpCheck, Timing
from tests.lab.checker_stand_in import Director

SECOND_NS = 1_000_000_000
TIMING = Timing(delay_loop_ns=SECOND_NS, warmup_ns=SECOND_NS, retry=1)
RESPONSE = b"HTTP/1.0 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """The checker at one moment."""

    at_ns: int
    runs: int
    failures: int
    cpu_s: float
    late_ns: int


def serve(listener: socket.socket) -> None:
    """Accept, answer what asks, close: for ever."""
    listener.setblocking(False)
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    waiting: dict[int, socket.socket] = {}
    while True:
        for fd, _ in poller.poll():
            if fd != listener.fileno():
                poller.unregister(fd)
                with waiting.pop(fd) as connection:
                    if connection.recv(4096):
                        connection.send(RESPONSE)
                continue
            try:
                for _ in range(64):
                    connection = listener.accept()[0]
                    poller.register(connection, select.EPOLLIN)
                    waiting[connection.fileno()] = connection
            except BlockingIOError:
                pass


def check_of(kind: str, address: str, port: int) -> Check:
    target = Target(address=address, port=port)
    if kind == "tcp":
        return TcpCheck(target=target, timing=TIMING, alpha=False)
    if kind == "http":
        return HttpCheck(target=target, timing=TIMING, alpha=False, urls=(HttpUrl(path="/"),))
    return PingCheck(target=target, timing=TIMING, alpha=False)


def server_of(kind: str, number: int, port: int) -> CheckedServer:
    address = f"127.1.{number // 250}.{number % 250 + 1}"
    return CheckedServer(
        service="10.0.0.1:80/tcp", server=f"{address}:80", address=address, port=80, weight=1, alpha=False,
        checks=(check_of(kind, address, port),),
    )  # fmt: skip


def sample(director: Director, ticket: int) -> Sample:
    """Ask for the status with this ticket; CPU time as of then."""
    director.hubs[1].send(b"checker", m.StatusWanted(ticket=ticket))
    director.until(lambda: any(report.ticket == ticket for report in director.reports), 30)
    report = next(report for report in director.reports if report.ticket == ticket)
    with open(f"/proc/{director.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    checks = [check for health in report.servers for check in health.checks]
    return Sample(
        at_ns=report.taken_ns,
        runs=sum(check.runs for check in checks),
        failures=sum(check.failures for check in checks),
        cpu_s=(int(fields[11]) + int(fields[12])) / TICKS,
        late_ns=director.pulse.read(m.ProcessName.CHECKER).late_ns,
    )


def measure(kind: str, targets: int, seconds: float, port: int) -> str:
    """One line of the table."""
    folder = tempfile.mkdtemp(prefix="pyhad-bench-")
    os.chmod(folder, 0o755)
    director = Director(folder)
    try:
        director.start(*(server_of(kind, number, port) for number in range(targets)))
        director.until(lambda: director.reports, 30)
        director.turn_for(3.5)  # the warm-up and its verdicts
        before = sample(director, 1)
        director.turn_for(seconds)
        after = sample(director, 2)
    finally:
        director.close()
        shutil.rmtree(folder)
    runs, wall_s = after.runs - before.runs, (after.at_ns - before.at_ns) / SECOND_NS
    cpu_s = after.cpu_s - before.cpu_s
    lost = 1 - runs / (targets * wall_s)
    return (
        f"{kind:<6}{targets:>8}{runs / wall_s:>11.0f}{cpu_s / wall_s:>8.1%}{cpu_s / runs * 1e6:>10.1f}"
        f"{runs / cpu_s:>13.0f}{lost:>8.1%}{after.failures - before.failures:>9}{after.late_ns / 1e6:>11.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", default="1000,5000")
    parser.add_argument("--kinds", default="tcp,http,ping")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    listener = socket.create_server(("", 0), backlog=8192)
    pid = os.fork()
    if pid == 0:
        serve(listener)
    try:
        print(f"{'kind':<6}{'targets':>8}{'checks/s':>11}{'CPU':>8}{'us/check':>10}{'per CPU s':>13}{'lost':>8}"
              f"{'failed':>9}{'late ms':>11}")  # fmt: skip
        for kind in options.kinds.split(","):
            for targets in options.targets.split(","):
                print(measure(kind, int(targets), options.seconds, listener.getsockname()[1]), flush=True)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        listener.close()


if __name__ == "__main__":
    main()
