"""Checks per CPU second of keepalived's one checker process and of pyhad, on the lab kernel: the same file, in turns.

    tests/vm/lab-kernel --timeout 900 -- .venv/bin/python -m bench.checkers.beside [--loads tcp:500:500,http:500:250]

Both are whole daemons with real IPVS. The kernel counts the checks (connections begun, pings sent), so that both are
counted by the same measure. CPU is of what checks: keepalived's checker, pyhad's checker with its workers. System calls
are slow there, and there is one processor: compare the two lines, not these with others.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.checkers.targets import PORTS, Targets, asked, cpu_s, family, private_kib

CHECKS = {
    "tcp": "TCP_CHECK { connect_port %d\n connect_timeout 2 }",
    "http": "HTTP_GET { connect_port %d\n connect_timeout 2\n url { path /\n status_code 200 } }",
    "tls": "SSL_GET { connect_port %d\n connect_timeout 2\n url { path /\n status_code 200 } }",
    "ping": "PING_CHECK { }",
}
PATIENCE_S = 120.0


def configuration(kind: str, servers: int, delay_s: float) -> str:
    """One service."""
    check = CHECKS[kind] % PORTS[kind] if "%d" in CHECKS[kind] else CHECKS[kind]
    rows = [
        f" real_server 127.1.{number // 250}.{number % 250 + 1} 80 {{\n  {check}\n }}\n" for number in range(servers)
    ]
    head = f"delay_loop {delay_s:.6f}\n warmup {delay_s:.6f}\n retry 1\n delay_before_retry 0.1\n"
    return f"virtual_server 10.0.0.1 80 {{\n lb_algo rr\n lb_kind NAT\n protocol TCP\n {head}{''.join(rows)}}}\n"


def start(name: str, folder: Path, config: Path) -> subprocess.Popen[bytes]:
    """The daemon of that name."""
    if name == "keepalived":
        command = ["keepalived", "-n", "-C", "-f", str(config), "-p", str(folder / "p"), "-c", str(folder / "c")]
    else:
        pyhad = str(Path(sys.executable).with_name("pyhad"))
        command = [pyhad, "-n", "-l", "-C", "--no-syslog", "-f", str(config), "--run-dir", str(folder / "run")]
    with (folder / "log").open("w") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def checkers(name: str, pid: int, folder: Path) -> list[int]:
    """The processes that check."""
    if name == "keepalived":
        return family(pid)[1:2]
    return [
        one
        for one in family(int((folder / "run" / "checkers.pid").read_text()))
        if Path(f"/proc/{one}/comm").read_text().strip() != "pyhad_scripts"
    ]


def until_checked(wanted: int, rate: float) -> None:
    """The whole table is there and checks are made."""
    end = time.monotonic() + PATIENCE_S
    while Path("/proc/net/ip_vs").read_text().count("Masq") < wanted and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(3 + wanted / max(rate, 1))


def load(name: str, kind: str, servers: int, rate: int, seconds: float) -> str:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "k.conf").write_text(configuration(kind, servers, servers / rate))
        daemon = start(name, folder, folder / "k.conf")
        try:
            until_checked(servers, rate)
            pids = checkers(name, daemon.pid, folder)
            before, used, began = asked(), cpu_s(pids), time.monotonic()
            time.sleep(seconds)
            made, spent, wall = asked() - before, cpu_s(pids) - used, time.monotonic() - began
            kib = private_kib(pids)
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(60)
    return (
        f"{name:<12}{kind:<6}{servers:>8}{rate:>10}{made / wall:>9.0f}{spent / wall:>8.1%}"
        f"{spent / max(made, 1) * 1e6:>10.1f}{made / max(spent, 0.01):>11.0f}{kib / 1024:>10.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loads", default="tcp:500:500,http:500:250,tls:100:50,ping:500:500")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print(f"{'daemon':<12}{'kind':<6}{'servers':>8}{'wanted/s':>10}{'made/s':>9}{'CPU':>8}{'us/check':>10}"
          f"{'per CPU s':>11}{'MiB':>10}")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        targets = Targets(Path(name), workers=1)
        try:
            for one in options.loads.split(","):
                kind, servers, rate = one.split(":")
                for _ in range(options.rounds):
                    for daemon in ("keepalived", "pyhad"):
                        print(load(daemon, kind, int(servers), int(rate), options.seconds), flush=True)
        finally:
            targets.close()


if __name__ == "__main__":
    main()
