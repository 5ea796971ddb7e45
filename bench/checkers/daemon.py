"""keepalived or pyhad as a whole daemon with a file made for it, and what its notify FIFO says."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.checkers.targets import PORTS, asked, built, family

NAMES = ("keepalived", "pyhad")
CHECKS = {
    "tcp": "TCP_CHECK { connect_port %d\n connect_timeout 2 }",
    "http": "HTTP_GET { connect_port %d\n connect_timeout 2\n url { path /\n status_code 200 } }",
    "tls": "SSL_GET { connect_port %d\n connect_timeout 2\n url { path /\n status_code 200 } }",
    "ping": "PING_CHECK { }",
}
PATIENCE_S = 60.0
_DOWN = re.compile(rb"RS \[([\d.]+)\]:tcp:(\d+) .* DOWN")


def service(number: int, rows: list[tuple[str, int, str]], delay_s: float) -> str:
    """One virtual server. `rows`: address, port and check of its real servers."""
    servers = "".join(f" real_server {address} {port} {{\n  {check}\n }}\n" for address, port, check in rows)
    head = f" delay_loop {delay_s:.6f}\n warmup {delay_s:.6f}\n retry 1\n delay_before_retry 0.1\n"
    return f"virtual_server 10.0.0.{number} 80 {{\n lb_algo rr\n lb_kind NAT\n protocol TCP\n{head}{servers}}}\n"


def crowd(kind: str, servers: int, delay_s: float) -> str:
    """So many that are asked the same."""
    check = CHECKS[kind] % PORTS[kind] if "%d" in CHECKS[kind] else CHECKS[kind]
    return service(1, [(address_of(number), 80, check) for number in range(servers)], delay_s)


def single(number: int, ports: list[int], delay_s: float) -> str:
    """Servers of the bench's own."""
    rows = [("127.0.0.1", port, "TCP_CHECK { connect_timeout 2 }") for port in ports]
    return service(number, rows, delay_s)


def address_of(number: int) -> str:
    """Of one of a crowd."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def favour(pids: list[int]) -> None:
    """What runs beside on this machine shall not be what is measured: these come first. Not where that cannot be."""
    for pid in pids:
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text("-20")


@dataclass
class Daemon:
    """It runs. `down` notes when its FIFO named each server as down, in seconds of the monotonic clock."""

    name: str
    folder: Path
    pid: int
    asked_before: int
    """Checks that had been made before it began."""
    down: dict[tuple[str, int], float] = field(default_factory=dict)

    def checkers(self) -> list[int]:
        """The processes that check, without what runs scripts for them."""
        if self.name == "keepalived":
            return family(self.pid)[1:2]
        file = self.folder / "run" / "checkers.pid"
        if not file.exists():
            raise RuntimeError((self.folder / "log").read_text()[-2000:])
        pid = int(file.read_text())
        return [one for one in family(pid) if _comm(one) != "pyhad_scripts"]

    def until_asked(self, checks: int, patience_s: float = PATIENCE_S) -> None:
        """So many checks were begun since its start: all servers were asked once. Or there is no more patience."""
        end = time.monotonic() + patience_s
        while asked() - self.asked_before < checks and time.monotonic() < end:
            time.sleep(0.1)

    def read(self, fifo: int) -> None:
        """What it says on its FIFO, until that ends."""
        rest = b""
        while data := os.read(fifo, 65536):
            now = time.monotonic()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                found = _DOWN.match(line)
                if found:
                    self.down.setdefault((found[1].decode(), int(found[2])), now)


def _comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@contextlib.contextmanager
def running(name: str, configuration: str) -> Iterator[Daemon]:
    """The daemon of that name, from before its first check to after its end."""
    folder = Path(tempfile.mkdtemp(prefix="pyhad-bench-"))
    folder.chmod(0o755)
    try:
        os.mkfifo(folder / "fifo", 0o666)
        fifo = os.open(folder / "fifo", os.O_RDWR)  # with a writer of ours: it ends when we say so
        config = folder / "keepalived.conf"
        config.write_text(f"global_defs {{\n lvs_notify_fifo {folder / 'fifo'}\n}}\n{configuration}")
        before = asked()
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                _command(name, folder, config), stdout=log, stderr=log, env=_environment(name, folder)
            )
        daemon = Daemon(name, folder, process.pid, asked_before=before)
        threading.Thread(target=daemon.read, args=(fifo,), daemon=True).start()
        time.sleep(2)
        favour(family(process.pid))
        try:
            yield daemon
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _command(name: str, folder: Path, config: Path) -> list[str]:
    if name == "keepalived":
        return ["keepalived", "-n", "-l", "-C", "-f", str(config), "-p", str(folder / "p"), "-c", str(folder / "c")]
    pyhad = str(Path(sys.executable).with_name("pyhad"))
    return [pyhad, "-n", "-l", "-C", "--no-syslog", "-f", str(config), "--run-dir", str(folder / "run")]


def _environment(name: str, folder: Path) -> dict[str, str]:
    if name == "keepalived" and not Path("/proc/net/ip_vs").exists():
        return {**os.environ, "LD_PRELOAD": str(built("no_ipvs.c", folder, "-shared", "-fPIC"))}
    return dict(os.environ)
