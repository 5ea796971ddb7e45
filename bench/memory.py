"""How much memory pyhad takes, process by process, beside keepalived with the same configuration.

    .venv/bin/python -m bench.memory [--instances N] [--services N] [--servers N] [--settle SEC] [-j]

Root. Each daemon runs on a host of its own (a network namespace), where it becomes master. PSS shares a page among all
who map it, so other Python programs on the machine make pyhad look a little smaller than it would be alone; `private`
is what would be freed if only that process ended. Where the kernel has no ip_vs keepalived cannot balance: compare
with `--services 0` there.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.lab.net import Lab, Running, wait_until

ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Memory of one process, in KiB."""

    name: str
    pid: int
    rss_kib: int
    pss_kib: int
    private_kib: int


def main() -> int:
    """Start both, wait, measure, print; returns the exit code."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="pyhad-memory-") as folder, Lab() as lab:
        path = Path(folder)
        path.chmod(0o755)
        config = path / "keepalived.conf"
        config.write_text(configuration(arguments.instances, arguments.services, arguments.servers))
        daemons = {"pyhad": _start_pyhad(lab, path, config)}
        if shutil.which("keepalived"):
            daemons["keepalived"] = _start_keepalived(lab, path, config)
        time.sleep(arguments.settle)
        found = {name: usages(daemon) for name, daemon in daemons.items()}
        ended = {name: daemon.log() for name, daemon in daemons.items() if not daemon.alive}
    for name, log in ended.items():
        print(f"{name} did not stay alive; its last lines:\n{log[-1500:]}", file=sys.stderr)
    if arguments.json:
        print(json.dumps({name: [dataclasses.asdict(one) for one in ones] for name, ones in found.items()}, indent=2))
    else:
        print(report(arguments, found))
    return 1 if "pyhad" in ended else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.memory", description="Memory of pyhad beside keepalived.")
    parser.add_argument("--instances", type=int, default=10, help="virtual routers, at most 255 (10)")
    parser.add_argument("--services", type=int, default=0, help="virtual servers (0)")
    parser.add_argument("--servers", type=int, default=4, help="real servers of each (4)")
    parser.add_argument("--settle", type=float, default=8.0, metavar="SEC", help="wait before measuring (8)")
    parser.add_argument("-j", "--json", action="store_true")
    return parser.parse_args()


def configuration(instances: int, services: int, servers: int) -> str:
    """A keepalived.conf that both read."""
    blocks = ["global_defs {\n    router_id bench\n}\n"]
    for number in range(1, instances + 1):
        blocks.append(
            f"vrrp_instance VI_{number} {{\n    state BACKUP\n    interface eth0\n    virtual_router_id {number}\n"
            f"    priority 150\n    advert_int 1\n    virtual_ipaddress {{\n        10.9.{number}.1/32\n    }}\n}}\n"
        )
    for number in range(1, services + 1):
        real = "".join(
            f"    real_server 10.8.{number % 250}.{server} 80 {{\n        weight 1\n"
            "        TCP_CHECK {\n            connect_timeout 1\n        }\n    }\n"
            for server in range(1, servers + 1)
        )
        blocks.append(
            f"virtual_server 10.9.{number % 250}.1 {80 + number // 250} {{\n    delay_loop 2\n    lb_algo rr\n"
            f"    lb_kind NAT\n    protocol TCP\n{real}}}\n"
        )
    return "\n".join(blocks)


def _host(lab: Lab, name: str, address: str) -> None:
    lab.host(name)
    lab.wire(name, "eth0", f"lan-{name}", address)


def _start_pyhad(lab: Lab, folder: Path, config: Path) -> Running:
    _host(lab, "a", "192.0.2.1/24")
    command = [str(ROOT / ".venv/bin/pyhad"), "-n", "-l", "-f", str(config), "--run-dir", str(folder / "run")]
    return lab.start("a", *command, log=folder / "pyhad.log")


def _start_keepalived(lab: Lab, folder: Path, config: Path) -> Running:
    _host(lab, "b", "192.0.2.2/24")
    pids = [f"--{what}={folder}/keepalived-{what}" for what in ("pid", "vrrp_pid", "checkers_pid")]
    return lab.start("b", "keepalived", "-n", "-l", "-f", str(config), *pids, log=folder / "keepalived.log")


def usages(daemon: Running) -> list[Usage]:
    """The daemon and all below it, parent first."""
    wait_until(lambda: _children(daemon.pid) or not daemon.alive, 10, "children")
    found: list[Usage] = []
    waiting = [daemon.pid]
    while waiting:
        pid = waiting.pop(0)
        usage = _usage(pid)
        if usage is not None:
            found.append(usage)
            waiting += _children(pid)
    return found


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _usage(pid: int) -> Usage | None:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:  # it has just ended
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Usage(name=name, pid=pid, rss_kib=sizes["Rss"], pss_kib=sizes["Pss"], private_kib=private)


def report(arguments: argparse.Namespace, found: dict[str, list[Usage]]) -> str:
    """The table, with the ratio at its end."""
    what = f"{arguments.instances} virtual routers, {arguments.services} services of {arguments.servers} real servers"
    lines = [f"Memory in KiB, {what}", "", f"{'':<12}{'process':<16}{'RSS':>9}{'PSS':>9}{'private':>9}"]
    totals = {}
    for name, ones in found.items():
        for one in ones:
            lines.append(f"{name:<12}{one.name:<16}{one.rss_kib:>9}{one.pss_kib:>9}{one.private_kib:>9}")
        totals[name] = (sum(one.pss_kib for one in ones), sum(one.private_kib for one in ones))
        pss, private = totals[name]
        lines += [f"{name:<12}{'all':<16}{'':>9}{pss:>9}{private:>9}", ""]
    if all(totals.get(name, (0, 0))[0] for name in ("pyhad", "keepalived")):
        ratios = [f"{ours / max(1, theirs):.1f}" for ours, theirs in zip(*totals.values(), strict=True)]
        lines.append(
            f"{'pyhad takes so many times the memory of keepalived:':<37} PSS {ratios[0]}, private {ratios[1]}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
