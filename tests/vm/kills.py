"""Kill the IPVS owner, the checker and the parent, again and again, while 1000 servers change.

    .venv/bin/python -m tests.vm.kills [--kills 50] [--seed N]                                 # by nftables, here
    tests/vm/lab-kernel --timeout 900 -- .venv/bin/python -m tests.vm.kills --plane ipvs ...   # by IPVS
    ... --plane ipvs --daemon keepalived                                                       # keepalived, likewise

The whole daemon: ten services of a hundred servers, whose verdicts hang on ten files that change
all the time; one more service carries real connections. The kernel's own text is watched throughout: a server that was
up all along is never out. After each kill the files rest until the table is right again.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.net import Lab, LabError, Running, wait_until

SERVICES, SERVERS = 10, 100
VICTIMS = {"pyhad": ("ipvs", "checker", "parent"), "keepalived": ("checker", "parent")}
PATIENCE_S = 120.0
VIP = "192.0.2.1"

_HOLD = """
import socket, sys, time
one = socket.create_connection((sys.argv[1], 80), 10)
one.settimeout(10)
while True:
    one.send(b"x")
    if one.recv(1) != b"x":
        sys.exit("closed")
    print(time.monotonic(), flush=True)
    time.sleep(0.1)
"""
_ECHO = """
import socket
server = socket.create_server(("", 80))
while True:
    one = server.accept()[0]
    while words := one.recv(100):
        one.send(words)
"""


def configuration(folder: Path, plane: str) -> str:
    """Ten services whose servers follow a file each service, and one with a real server. `plane` "": keepalived's."""
    text = [f"global_defs {{\n pyhad_data_plane {plane}\n}}\n"] if plane else []
    for service in range(SERVICES):
        text.append(f"track_file f{service} {{\n file {folder}/f{service}\n weight 0\n}}\n")
        check = f"FILE_CHECK {{\n track_file f{service}\n weight 0\n}}\n"
        servers = "".join(f"real_server 10.2.{service}.{server + 1} 80 {{\n {check} }}\n" for server in range(SERVERS))
        text.append(f"virtual_server 10.64.0.{service + 1} 80 {{\n{_KIND} delay_loop 1\n{servers}}}\n")
    text.append(f"virtual_server {VIP} 80 {{\n{_KIND} real_server 10.1.0.11 80 {{\n }}\n}}\n")
    return "".join(text)


_ELEMENT = re.compile(r"10\.64\.0\.(\d+) \. tcp \. 80 \. [0-9.]+ \. 80 : (0x[0-9a-f]+)")
_KIND = " lb_algo rr\n lb_kind NAT\n protocol TCP\n"


@dataclass
class Watch:
    """Reads the kernel's table all the time; remembers who was missing although it was up before and after."""

    site: Lab
    plane: str
    resident: int
    """Pid of a process that lives on the director: the kernel's table of its namespace is read by way of it, which
    costs next to nothing where starting a process costs a tenth of a second."""
    up: list[bool] = field(default_factory=lambda: [True] * SERVICES)
    steady_since: list[float] = field(default_factory=lambda: [0.0] * SERVICES)
    emptier: list[str] = field(default_factory=list)
    looks: int = 0

    def look(self) -> list[int]:
        """Servers of each of the ten services that are in the table."""
        before = list(self.steady_since)
        counts = self._ipvs() if self.plane == "ipvs" else self._nftables()
        self.looks += 1
        for service in range(SERVICES):
            steady = self.up[service] and self.steady_since[service] == before[service]
            if steady and before[service] and counts[service] < SERVERS:
                self.emptier.append(f"service {service} had {counts[service]} of {SERVERS}")
        return counts

    def _ipvs(self) -> list[int]:
        counts, service = [0] * SERVICES, -1
        for line in Path(f"/proc/{self.resident}/net/ip_vs").read_text().splitlines():
            words = line.split()
            if words and words[0] == "TCP":
                number = int(words[1][6:8], 16) - 1
                service = number if words[1].startswith("0A4000") else -1
            elif service >= 0 and words and words[0] == "->" and words[3] != "0":
                counts[service] += 1
        return counts

    def _nftables(self) -> list[int]:
        counts = [0] * SERVICES
        text = self.site.run("director", "nft", "list", "map", "inet", "pyhad", "weights4", check=False)
        for service, weight in _ELEMENT.findall(text):
            counts[int(service) - 1] += weight != "0x00000000"
        return counts

    def is_right(self) -> bool:
        """The table is as the files say."""
        return self.look() == [SERVERS if up else 0 for up in self.up]


class Run:
    """One director with its daemon."""

    def __init__(self, site: Lab, folder: Path, plane: str, seed: int, daemon: str = "pyhad") -> None:
        self._site = site
        self._kind = daemon
        self._folder = folder
        self._random = random.Random(seed)
        self.watch = Watch(site, plane, site.start("director", "sleep", "infinity").pid)
        self.times: list[tuple[str, float]] = []
        self.held = True
        self._next: list[str] = []
        self._daemon: Running | None = None
        for service in range(SERVICES):
            (folder / f"f{service}").write_text("0\n")
        (folder / "d.conf").write_text(configuration(folder, plane if daemon == "pyhad" else ""))

    def start(self) -> None:
        """The daemon, as a service manager would start it."""
        folder = self._folder
        if self._kind == "pyhad":
            program = str(Path(sys.executable).with_name("pyhad"))
            words = ["-n", "-l", "--no-syslog", "-f", f"{folder}/d.conf", "--run-dir", f"{folder}/run"]
        else:
            program, words = "keepalived", ["-n", "-C", "-l", "-f", f"{folder}/d.conf"]
            words += ["-p", f"{folder}/keepalived.pid", "-c", f"{folder}/checkers.pid"]
        self._daemon = self._site.start("director", program, *words, log=folder / "d.log")

    def settle(self) -> float:
        """Until the table is right; how long that took."""
        try:
            return wait_until(self.watch.is_right, PATIENCE_S, "the table is right", every_s=0.05)
        except LabError as error:
            log = "\n".join((self._folder / "d.log").read_text().splitlines()[-40:])
            state = f"servers {self.watch.look()}, up {self.watch.up}, killed {self.times[-3:]}"
            raise LabError(f"{error}\n{state}\n{log}") from None

    def steady(self) -> None:
        """From now on a service that is up must be whole."""
        now = time.monotonic()
        self.watch.steady_since = [now if up else 0.0 for up in self.watch.up]

    def change(self) -> None:
        """Some services go down or come up: hundreds of servers at once."""
        for service in self._random.sample(range(SERVICES), self._random.randrange(1, 5)):
            self.watch.steady_since[service] = 0.0
            self.watch.up[service] = not self.watch.up[service]
            path = self._folder / f"f{service}"
            new = path.with_suffix(".new")
            new.write_text(f"{int(not self.watch.up[service])}\n")
            new.rename(path)

    def kill(self) -> None:
        """One of the three, at some moment of a change; then the table must come right."""
        if not self._next:
            self._next = self._random.sample(VICTIMS[self._kind], len(VICTIMS[self._kind]))
        victim = self._next.pop()
        self.change()
        time.sleep(self._random.random() * 1.5)
        wait_until(lambda: self._strike(victim), 15, f"{victim} runs and is killed")
        if victim == "parent":
            wait_until(lambda: not self._children(), 15, "the children of the killed parent have ended", every_s=0.05)
            self.start()
        self.times.append((victim, self.settle()))
        self.steady()

    def _strike(self, victim: str) -> bool:
        """False while it is being replaced."""
        assert self._daemon is not None
        if victim == "parent":
            self._daemon.kill()
            return True
        try:
            pid = int(self._pid_file("ipvs" if victim == "ipvs" else "checkers").read_text())
            if f"PPid:\t{self._daemon.pid}\n" not in Path(f"/proc/{pid}/status").read_text():
                return False
            os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError):
            return False
        return True

    def _pid_file(self, name: str) -> Path:
        return self._folder / ("run" if self._kind == "pyhad" else ".") / f"{name}.pid"

    def _children(self) -> bool:
        path = self._pid_file("ipvs" if self._kind == "pyhad" else "checkers")
        return path.exists() and Path(f"/proc/{path.read_text().strip()}").exists()


def build(site: Lab) -> None:
    """Client, director, one real server; on the director the addresses of no service but the last matter."""
    site.host("director", forward=True)
    site.wire("client", "eth0", "front", "192.0.2.10/24")
    site.wire("director", "eth0", "front", f"{VIP}/24")
    site.wire("director", "eth1", "back", "10.1.0.1/24")
    site.wire("web", "eth0", "back", "10.1.0.11/24")
    site.route("web", "default", "via", "10.1.0.1")
    site.start("web", sys.executable, "-c", _ECHO)
    wait_until(lambda: ":80" in site.run("web", "ss", "-Hltn"), 20, "the server listens")


def run(kills: int, plane: str, seed: int, daemon: str = "pyhad") -> Run:
    """All of it. Raises when the table does not come right, and of pyhad when it was emptier than it may be, or a
    connection broke."""
    with tempfile.TemporaryDirectory(prefix="pyhad-kills.") as name, Lab() as site:
        folder = Path(name)
        folder.chmod(0o755)
        build(site)
        found = Run(site, folder, plane, seed, daemon)
        found.start()
        found.settle()
        found.steady()
        held = site.start("client", sys.executable, "-c", _HOLD, VIP, log=folder / "held.log")
        for _ in range(kills):
            found.kill()
        found.held = held.alive
        if daemon != "pyhad":
            return found
        assert held.alive, f"the connection broke: {held.log()[-300:]}"
        spoken = [float(line) for line in held.log().splitlines()]
        assert time.monotonic() - spoken[-1] < 10, "the connection stands still"
        assert found.watch.emptier == [], f"seed {seed}: {found.watch.emptier[:5]}"
        return found


def start_s(*command: str) -> float:
    """How long a program takes here that does nothing: the least of five."""

    def once() -> float:
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        return time.monotonic() - began

    return min(once() for _ in range(5))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--plane", choices=("ipvs", "nftables"), default="nftables")
    parser.add_argument("--daemon", choices=("pyhad", "keepalived"), default="pyhad")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    python, keepalived = start_s(sys.executable, "-c", "pass"), start_s("keepalived", "--version")
    print(
        f"starts here: a Python that does nothing {python:.2f} s, keepalived --version {keepalived:.2f} s", flush=True
    )
    found = run(options.kills, options.plane, options.seed, options.daemon)
    for victim in VICTIMS[options.daemon]:
        times = sorted(took for name, took in found.times if name == victim)
        if times:
            median, worst = times[len(times) // 2], times[-1]
            late = sum(took > 2 for took in times)
            figures = f"right after {median:.2f} s (median), {worst:.2f} s at most, {late} times after more than 2 s"
            print(f"{victim}: killed {len(times)} times; {figures}")
    emptier, broke = len(found.watch.emptier), "went on" if found.held else "broke"
    print(f"looked {found.watch.looks} times: emptier than the verdicts say {emptier} times; the connection {broke}")


if __name__ == "__main__":
    main()
