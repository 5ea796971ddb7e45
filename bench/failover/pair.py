"""Two directors on one segment, each with one of the two daemons, and a client that asks without a pause."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.net import Lab, Running, wait_until

VIP = "10.0.0.100"
ADDRESS = {"a": "10.0.0.1", "b": "10.0.0.2"}
PYHAD = str(Path(sys.executable).with_name("pyhad"))
PYHADCTL = str(Path(sys.executable).with_name("pyhadctl"))


@dataclass(frozen=True, slots=True)
class Setting:
    """Version and advertisement interval of the virtual router."""

    version: int
    interval_s: float

    def __str__(self) -> str:
        return f"v{self.version} {self.interval_s * 1000:.0f} ms"

    def config(self, priority: int) -> str:
        return (
            f"global_defs {{\n router_id bench\n}}\nvrrp_instance V {{\n interface eth0\n virtual_router_id 51\n"
            f" version {self.version}\n priority {priority}\n advert_int {self.interval_s:g}\n"
            f" virtual_ipaddress {{\n  {VIP}/24\n }}\n}}\n"
        )

    @property
    def down_s(self) -> float:
        """Longest time until the node of priority 100 takes over."""
        return 3 * self.interval_s + 156 / 256 * (1 if self.version == 2 else self.interval_s)


class Pair:
    """Node a (priority 150) leads, node b (100) waits."""

    def __init__(self, lab: Lab, folder: Path, daemons: tuple[str, str], setting: Setting) -> None:
        self.lab, self.folder, self.setting = lab, folder, setting
        self.kinds = dict(zip("ab", daemons, strict=True))
        self.running: dict[str, Running] = {}
        lab.wire("client", "eth0", "lan", "10.0.0.9/24")
        for node, address in ADDRESS.items():
            lab.wire(node, "eth0", "lan", f"{address}/24")
            self.start(node)
        lab.wire("third", "eth0", "lan", "10.0.0.8/24")
        self.heard = folder / "heard"
        lab.start("third", sys.executable, "-m", "bench.failover.listener", log=self.heard)
        wait_until(lambda: self.holders() == ["a"], 3 * setting.down_s + 10, "a leads")
        self.replies = folder / "replies"
        lab.start("client", sys.executable, "-m", "bench.failover.probe", VIP, log=self.replies)
        wait_until(lambda: self.replies.stat().st_size > 0, 5, "the client is answered")
        time.sleep(0.5 + setting.interval_s)

    def start(self, node: str) -> None:
        """Its daemon, in the foreground."""
        path = self.write_config(node, 150 if node == "a" else 100)
        if self.kinds[node] == "pyhad":
            command = [PYHAD, "-n", "-l", "-G", "-f", str(path), "--run-dir", str(self.run_dir(node))]
        else:
            pids = [word for letter in "prc" for word in (f"-{letter}", str(self.folder / f"{node}.{letter}.pid"))]
            command = ["keepalived", "-n", "-l", "-G", "-f", str(path), *pids]
        self.running[node] = self.lab.start(node, *command, log=self.folder / f"{node}.log")

    def write_config(self, node: str, priority: int) -> Path:
        path = self.folder / f"{node}.conf"
        path.write_text(self.setting.config(priority))
        return path

    def run_dir(self, node: str) -> Path:
        """Of pyhad on that node."""
        return self.folder / f"{node}.run"

    def holders(self) -> list[str]:
        return self.lab.holders(VIP, ADDRESS)

    def processes(self, node: str) -> dict[int, str]:
        """pid -> comm of the daemon's processes, the parent first."""
        pids = subprocess.run(
            ["ip", "netns", "pids", self.lab.host(node)], capture_output=True, text=True, check=True
        ).stdout.split()
        found = {}
        for pid in sorted(int(word) for word in pids):
            try:
                found[pid] = Path(f"/proc/{pid}/comm").read_text().strip()
            except FileNotFoundError:
                continue
        return {pid: name for pid, name in found.items() if name.startswith(("pyhad", "keepalived"))}

    def vrrp(self, node: str) -> int:
        """Its VRRP child."""
        found = self.processes(node)
        if self.kinds[node] == "pyhad":
            return next(pid for pid, name in found.items() if name == "pyhad_vrrp")
        return next(pid for pid in found if pid != self.running[node].pid)

    def signal_all(self, node: str, *numbers: int) -> None:
        """Each signal in turn to every process of the daemon."""
        pids = list(self.processes(node))
        for number in numbers:
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass

    def longest_gap_ms(self, since_ns: int) -> float:
        """Longest time without an answer since then (a gap that goes on counts up to now)."""
        times = [int(word) for word in self.replies.read_text().split()]
        before = [at for at in times if at < since_ns][-1:]
        points = [*before, *(at for at in times if at >= since_ns), time.monotonic_ns()]
        return max(later - earlier for earlier, later in itertools.pairwise(points)) / 1e6

    def both_s(self, seconds: float) -> float:
        """Watch for `seconds`; how long both nodes hold the address at once."""
        end, both = time.monotonic() + seconds, 0.0
        last = time.monotonic()
        while (now := time.monotonic()) < end:
            if len(self.holders()) == 2:
                both += now - last
            last = now
            time.sleep(0.01)
        return both
