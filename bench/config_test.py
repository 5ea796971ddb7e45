"""Time and memory of a config test (`-t`), pyhad beside keepalived, by turns.

    .venv/bin/python -m bench.config_test [--services 1000] [--servers 40] [--rounds 5] [-j]

Root, for a network namespace; both tests run as they come, pyhad's without privileges. Two files: an ordinary one of a
few blocks, and one of many services whose servers have a TCP check each. Medians of the rounds. Python keeps its
compiled modules in a folder of this run, as an installed one does beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.net import Lab, require_root

PYHAD = Path(sys.executable).with_name("pyhad")
ORDINARY = """global_defs {
    router_id lab
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress {
        192.0.2.100/24
    }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run of one program."""

    wall_s: float
    cpu_s: float
    most_mib: float


def services(count: int, servers: int) -> str:
    """A file of so many services with so many servers each."""
    parts = ["global_defs {\n    router_id lab\n}\n"]
    for service in range(count):
        high, low = divmod(service, 250)
        parts.append(f"virtual_server 10.{high}.{low}.1 80 {{\n    lb_algo wrr\n    lb_kind NAT\n    protocol TCP\n")
        for server in range(servers):
            check = "TCP_CHECK {\n            connect_timeout 3\n        }"
            parts.append(f"    real_server 172.{16 + high}.{low}.{server + 1} 80 {{\n        {check}\n    }}\n")
        parts.append("}\n")
    return "".join(parts)


def measure(argv: list[str], environment: dict[str, str]) -> Cost:
    """Run it to its end. Raises SystemExit when it did not accept the file."""
    begin = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - begin
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, most_mib=usage.ru_maxrss / 1024)


def middle(costs: Iterable[Cost]) -> Cost:
    """The median of each."""
    rows = [asdict(cost) for cost in costs]
    return Cost(**{name: statistics.median(row[name] for row in rows) for name in rows[0]})


def run(files: dict[str, str], rounds: int, folder: Path) -> dict[str, dict[str, Cost]]:
    """File by file and program by program."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    found: dict[str, dict[str, Cost]] = {}
    with Lab() as lab:
        lab.wire("d1", "eth0", "lan", "192.0.2.1/24")
        for name, text in files.items():
            path = folder / f"{name}.conf"
            path.write_text(text)
            path.chmod(0o644)
            programs = {"pyhad": str(PYHAD), "keepalived": "keepalived"}
            argvs = {each: lab.argv("d1", program, "-t", "-f", str(path)) for each, program in programs.items()}
            turns = [{each: measure(argv, environment) for each, argv in argvs.items()} for _ in range(rounds + 1)]
            found[name] = {
                each: middle(turn[each] for turn in turns[1:]) for each in programs
            }  # the first one warms up
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.config_test", description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--servers", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-j", "--json", action="store_true")
    given = parser.parse_args()
    require_root()
    files = {"ordinary": ORDINARY, f"{given.services}x{given.servers}": services(given.services, given.servers)}
    with tempfile.TemporaryDirectory(prefix="pyhad-config-test-") as folder:
        Path(folder).chmod(0o755)
        found = run(files, given.rounds, Path(folder))
    if given.json:
        print(json.dumps({file: {name: asdict(cost) for name, cost in row.items()} for file, row in found.items()}))
        return 0
    for file, row in found.items():
        for name, cost in row.items():
            print(f"{file:12} {name:12} {cost.wall_s:6.2f} s  {cost.cpu_s:6.2f} s CPU  {cost.most_mib:6.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
