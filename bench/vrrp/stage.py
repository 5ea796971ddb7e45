"""Two hosts, d with the daemon and x with those who watch it, joined by as many wires as the routers need."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from bench.vrrp.layout import Shape, address_of
from tests.lab.net import Lab, Running, wait_until

PYHAD = str(Path(sys.executable).with_name("pyhad"))
DAEMONS = ("keepalived", "pyhad")


class Stage:
    """Context manager: one daemon with one configuration."""

    def __init__(self, kind: str, shape: Shape, *, extra: str = "", watches_addresses: bool = True) -> None:
        """`watches_addresses`: to be told of each costs the process that changes them, a part of renewing leases."""
        self.kind, self.shape, self._watches_addresses = kind, shape, watches_addresses
        self.started_ns = 0
        """CLOCK_REALTIME of the moment before its first instruction."""
        self._folder = tempfile.TemporaryDirectory(prefix="pyhad-bench.")
        self.path = Path(self._folder.name)
        self.path.chmod(0o755)
        (self.path / "conf").write_text(shape.configuration(extra))
        self.adverts, self.changes = self.path / "adverts", self.path / "changes"
        self.lab = Lab()
        self._daemon: Running | None = None
        self._others: Running | None = None
        try:
            self._build()
        except BaseException:
            self.lab.close()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lab.close()
        self._folder.cleanup()

    def _build(self) -> None:
        namespaces = {name: self.lab.host(name) for name in "dx"}
        for host in "dx":
            self.lab.sysctl(host, "net.ipv4.igmp_max_memberships", "10000")
        lines = []
        for name in self.shape.interfaces:
            lines.append(f"link add {name} netns {namespaces['d']} type veth peer name {name} netns {namespaces['x']}")
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
        for host in "dx":
            lines = [
                f"addr add {address_of(host, name)}/24 dev {name}\nlink set {name} up" for name in self.shape.interfaces
            ]
            subprocess.run(["ip", "-n", namespaces[host], "-batch", "-"], input="\n".join(lines), text=True, check=True)
        self.lab.start("x", sys.executable, "-m", "bench.vrrp.watch", "adverts", str(self.adverts))
        notes = [self.adverts]
        if self._watches_addresses:
            self.lab.start("d", sys.executable, "-m", "bench.vrrp.watch", "addresses", str(self.changes))
            notes.append(self.changes)
        wait_until(lambda: all(path.exists() for path in notes), 10, "the watchers are there")
        time.sleep(0.2)

    def start_others(self, how: str) -> None:
        """The master that the daemon is to be a backup of."""
        self._others = self.lab.start("x", sys.executable, "-m", "bench.vrrp.others", *self.shape.words(), how)

    def end_others(self) -> None:
        """It crashes."""
        assert self._others is not None
        self._others.kill()

    def start(self) -> None:
        """The daemon, in the foreground."""
        log = self.path / "log"
        if self.kind == "pyhad":
            command = [PYHAD, "-n", "-l", "-G", "-f", str(self.path / "conf"), "--run-dir", str(self.path / "run")]
        else:
            pids = [word for letter in "prc" for word in (f"-{letter}", str(self.path / f"{letter}.pid"))]
            command = ["keepalived", "-n", "-l", "-G", "-P", "-f", str(self.path / "conf"), *pids]
        self.started_ns = time.time_ns()
        self._daemon = self.lab.start("d", *command, log=log)

    def indexes(self) -> dict[str, int]:
        """Of the interfaces on x, where adverts are noted."""
        lines = self.lab.run("x", "ip", "-o", "link").splitlines()
        found = (line.split(": ") for line in lines if line[:1].isdigit())
        return {name.split("@")[0]: int(index) for index, name, *_ in found}

    @property
    def daemon(self) -> Running:
        """While it runs."""
        assert self._daemon is not None
        return self._daemon

    def wait_backup(self) -> None:
        """Until every router listens."""
        word = '"new": "BACKUP"' if self.kind == "pyhad" else "Entering BACKUP STATE"
        wait_until(lambda: self.log().count(word) >= self.shape.routers, 120, "every router listens", every_s=0.2)

    def log(self) -> str:
        """What the daemon said."""
        return (self.path / "log").read_text(errors="replace")

    def tree(self) -> list[int]:
        """The daemon's processes, the parent first."""
        found, waiting = [], [self.daemon.pid]
        while waiting:
            pid = waiting.pop(0)
            found.append(pid)
            try:
                waiting += [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
            except OSError:
                continue
        return found

    def vrrp(self) -> int:
        """The process that speaks VRRP."""
        if self.kind == "keepalived":
            return self.tree()[1]
        return next(pid for pid in self.tree() if _name(pid) == "pyhad_vrrp")

    def must_live(self, pid: int) -> None:
        """A process that was replaced in the middle gives no figures."""
        if not Path(f"/proc/{pid}/task").exists():
            raise RuntimeError(f"the VRRP process of {self.kind} ended:\n{self.log()[-2000:]}")

    def cpu_ns(self, pids: list[int]) -> int:
        """What all threads of these have used."""
        total = 0
        for pid in pids:
            for thread in os.listdir(f"/proc/{pid}/task"):
                total += int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
        return total

    def pss_kib(self, pids: list[int]) -> int:
        """Memory, what is shared counted in shares."""
        total = 0
        for pid in pids:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
