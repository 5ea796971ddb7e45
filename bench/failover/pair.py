"""Two directors on one segment, each with one of the two daemons, watched from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.failover.sight import NODES, Sight
from tests.lab.net import Lab, Running, wait_until

VIP = "10.0.0.100"
ADDRESS = {"a": "10.0.0.1", "b": "10.0.0.2"}
PRIORITY = {"a": 150, "b": 100}
PYHAD = str(Path(sys.executable).with_name("pyhad"))
PYHADCTL = str(Path(sys.executable).with_name("pyhadctl"))
LEASE_S = 1.5
"""A lease of a second, and what the kernel takes to end it."""


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
    def least_down_s(self) -> float:
        """Nobody takes over before."""
        return 3 * self.interval_s

    @property
    def down_s(self) -> float:
        """Longest time until the node of priority 100 takes over."""
        return 3 * self.interval_s + 156 / 256 * (1 if self.version == 2 else self.interval_s)


class Pair:
    """Node a (priority 150) leads, node b (100) waits. Made once, it serves for one fault after the other."""

    def __init__(self, lab: Lab, folder: Path, daemons: tuple[str, str], setting: Setting) -> None:
        self.lab, self.folder, self.setting = lab, folder, setting
        self.kinds = dict(zip(NODES, daemons, strict=True))
        self.running: dict[str, Running] = {}
        self.sight = Sight()
        self._lines = folder / "lines"
        self._read_to = 0
        for host, address in {"client": "10.0.0.9", "third": "10.0.0.8", **ADDRESS}.items():
            lab.wire(host, "eth0", "lan", f"{address}/24")
        names = [lab.host(host) for host in ("client", "third", *NODES)]
        lab.start("client", sys.executable, "-m", "bench.failover.observer", *names, VIP, log=self._lines)
        wait_until(lambda: b"looks" in self._lines.read_bytes(), 20, "the observer looks")
        for node in NODES:
            self.start(node)
        for node in NODES:
            wait_until(lambda node=node: "BACKUP" in self.running[node].log(), 60, f"{node} listens")
        self.settle()

    def look(self) -> Sight:
        """All that was seen until now."""
        with self._lines.open("rb") as lines:
            lines.seek(self._read_to)
            found = lines.read()
        whole = found[: found.rfind(b"\n") + 1]
        self._read_to += len(whole)
        self.sight.take(whole.decode().splitlines())
        return self.sight

    def settle(self) -> None:
        """Until a leads alone, is answered for, and has done so for some intervals."""
        calm_ns = int((3 * self.setting.interval_s + 0.2) * 1e9)
        wait_until(lambda: self._is_calm(calm_ns), 4 * self.setting.down_s + 20, "a leads in peace")

    def _is_calm(self, calm_ns: int) -> bool:
        sight, now_ns = self.look(), time.monotonic_ns()
        since_ns = now_ns - calm_ns
        speakers = {source for at, source, _ in sight.heard if at >= since_ns}
        return (
            sight.holders() == ["a"]
            and sight.moves[-1][0] < since_ns
            and speakers == {ADDRESS["a"]}
            and sight.longest_gap_ns(since_ns, now_ns) < 200_000_000
        )

    def start(self, node: str) -> None:
        """Its daemon, in the foreground."""
        path = self.write_config(node, PRIORITY[node])
        if self.kinds[node] == "pyhad":
            command = [PYHAD, "-n", "-l", "-G", "-f", str(path), "--run-dir", str(self.run_dir(node))]
        else:
            pids = [word for letter in "prc" for word in (f"-{letter}", str(self.folder / f"{node}.{letter}.pid"))]
            command = ["keepalived", "-n", "-l", "-G", "-f", str(path), *pids]
        self.running[node] = self.lab.start(node, *command, log=self.folder / f"{node}.log")

    def start_again(self, node: str) -> None:
        """As the service manager does when the daemon has ended."""
        self.running[node].wait(15)
        wait_until(lambda: not self.processes(node), 15, f"the daemon of {node} has ended")
        self.start(node)

    def write_config(self, node: str, priority: int) -> Path:
        path = self.folder / f"{node}.conf"
        path.write_text(self.setting.config(priority))
        return path

    def run_dir(self, node: str) -> Path:
        """Of pyhad on that node."""
        return self.folder / f"{node}.run"

    def control(self, node: str, *words: str) -> None:
        """pyhadctl there."""
        subprocess.run([PYHADCTL, "--run-dir", str(self.run_dir(node)), *words], check=True, capture_output=True)

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
