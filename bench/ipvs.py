"""How long it takes to program IPVS, and to reload: pyhad, keepalived and ipvsadm side by side, in one run.

    tests/vm/lab-kernel --timeout 1800 -- .venv/bin/python -m bench.ipvs [--only PART] [SERVICESxSERVERS ...]

It empties the IPVS table of its network namespace. First pyhad's writer alone, in this process, and `ipvsadm
--restore`. Then both daemons, as they are run: from the start to the whole table (less the same for one server), and
reloads with nothing changed, one weight changed, half of the servers replaced. CPU is of the process that owns the
table (pyhad's IPVS owner, keepalived's checker), in brackets of the whole daemon.
Memory: RSS and private of the owner, PSS of the whole daemon.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.common.config.model import IpvsDocument
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.effects import WriteServices
from pyhad.ipvs_proc.core.events import Configured
from pyhad.ipvs_proc.kernel import IpvsPlane
from pyhad.ipvs_proc.plane import Plane
from pyhad.ipvs_proc.writer import Ownership, Writer

SIZES = ("1x1000", "100x100", "1000x40")
PATIENCE_S = 240.0
QUIET_S = 1.0
"""A process that used no CPU for so long is done."""
TICKS = os.sysconf("SC_CLK_TCK")


def configuration(services: int, servers: int, *, weight: int = 1, replaced: bool = False) -> str:
    """A keepalived.conf of that size; `weight` of the very first server; `replaced`: every second one is another."""
    blocks = []
    for service in range(services):
        reals = []
        for server in range(1, servers + 1):
            net = 99 if replaced and server % 2 else 64 + server // 65536
            mine = weight if service == 0 and server == 1 else 1
            reals.append(f"  real_server 10.{net}.{server // 256 % 256}.{server % 256} 80 {{\n   weight {mine}\n  }}\n")
        address = f"10.0.{service // 250}.{service % 250 + 1}"
        head = f"virtual_server {address} 80 {{\n lb_algo wrr\n lb_kind NAT\n protocol TCP\n"
        blocks.append(f"{head}{''.join(reals)}}}\n")
    return "".join(blocks)


def count(plane: IpvsPlane) -> int:
    """Destinations in the kernel."""
    return sum(len(entry.destinations) for entry in plane.read().table.values())


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of CPU of this process."""
    began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return time.monotonic() - began, cpu


# ----------------------------------------------------------------------------------------------- daemons


def cpu_s(pids: list[int]) -> float:
    """User and system time of these and of their children that ended."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    below: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended
            continue
        below.setdefault(parent, []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += sorted(below.get(each, []))
    return found


def memory_kib(pid: int) -> dict[str, int]:
    """Rss, Pss and what is private."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    values = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {
        "rss": values["Rss"], "pss": values["Pss"], "private": values["Private_Clean"] + values["Private_Dirty"],
    }  # fmt: skip


class Keepalived:
    """keepalived 2.2.7, checker only in effect: there is no virtual router."""

    name = "keepalived"

    def __init__(self, folder: Path, config: Path) -> None:
        command = f"keepalived -n -C -f {config} -p {folder}/p -c {folder}/c --log-console"
        with (folder / "keepalived.log").open("w") as log:
            self.process = subprocess.Popen(command.split(), stdout=log, stderr=log)
        self.pid = self.process.pid

    def owner(self) -> int:
        """The checker is its only child."""
        return family(self.pid)[1]

    def reload(self) -> None:
        """By signal."""
        os.kill(self.pid, signal.SIGHUP)


class Pyhad:
    """The whole daemon."""

    name = "pyhad"

    def __init__(self, folder: Path, config: Path) -> None:
        self._folder = folder
        pyhad = str(Path(sys.executable).with_name("pyhad"))
        words = ("-n", "-l", "--no-syslog", "-f", str(config), "--run-dir", str(folder / "run"))
        with (folder / "pyhad.log").open("w") as log:
            self.process = subprocess.Popen((pyhad, *words), stdout=log, stderr=log)
        self.pid = self.process.pid

    def owner(self) -> int:
        """As the PID file says."""
        return int((self._folder / "run" / "ipvs.pid").read_text())

    def reload(self) -> None:
        """By signal."""
        os.kill(self.pid, signal.SIGHUP)

    def written(self) -> int:
        """Changes it wrote to the kernel so far."""
        pyhadctl = str(Path(sys.executable).with_name("pyhadctl"))
        command = (pyhadctl, "--run-dir", str(self._folder / "run"), "-j", "--timeout", "60", "status", "vs")
        for _ in range(2):  # an answer that takes the owner too long is the one to the next question
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        counters: dict[str, int] = json.loads(done.stdout)["data_plane"]["counters"]
        return counters.get("changes_written", 0)


class Witness:
    """Looks at the kernel's table, cheaply first: looking costs the daemon time on one processor."""

    def __init__(self, plane: IpvsPlane) -> None:
        self._plane = plane

    def wait(self, wanted: int, last: str, marks: Callable[[str], bool] = lambda text: True) -> None:
        """Until so many destinations are there, the service `last` among them, and `marks` are in the kernel's text."""
        whole = f"TCP  {''.join(f'{int(part):02X}' for part in last.split('.'))}:0050"
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            time.sleep(0.02 + wanted / 100_000)
            text = Path("/proc/net/ip_vs").read_text()
            if whole in text and text.count("->") == wanted + 1 and marks(text) and count(self._plane) == wanted:
                return
        raise TimeoutError(f"{wanted} destinations are not there after {PATIENCE_S} s")


def until_quiet(pids: list[int]) -> None:
    """Until none of these used CPU for a while, but for the ticks of their loops."""
    used, since = cpu_s(pids), time.monotonic()
    end = since + PATIENCE_S
    while time.monotonic() < min(since + QUIET_S, end):
        time.sleep(0.05)
        now = cpu_s(pids)
        if now > used + 0.03:
            used, since = now, time.monotonic()


def run_daemon(kind: Callable[[Path, Path], Keepalived | Pyhad], services: int, servers: int) -> list[tuple[str, str]]:
    """What was measured, as rows of text."""
    plane = IpvsPlane()
    plane.flush()
    witness, rows = Witness(plane), []
    wanted, text = services * servers, configuration(services, servers)
    last = text.rpartition("virtual_server ")[2].split()[0]
    with tempfile.TemporaryDirectory() as name:
        folder, config = Path(name), Path(name) / "k.conf"
        folder.chmod(0o755)
        config.write_text(text)
        began = time.monotonic()
        daemon = kind(folder, config)
        witness.wait(wanted, last)
        rows.append(("start to whole table", f"{time.monotonic() - began:8.2f}"))
        until_quiet(family(daemon.pid))
        rows += memory_rows(daemon)
        for what, after, marks in (
            ("nothing changed", text, lambda found: True),
            ("one weight changed", configuration(services, servers, weight=9), lambda found: "Masq    9 " in found),
            ("half replaced", configuration(services, servers, replaced=True), lambda found: "0A63" in found),
        ):
            config.write_text(after)
            rows.append((f"reload, {what}", reload_row(daemon, witness, wanted, last, marks)))
        daemon.process.terminate()
        daemon.process.wait(60)
    plane.close()
    return rows


def memory_rows(daemon: Keepalived | Pyhad) -> list[tuple[str, str]]:
    owner, whole = memory_kib(daemon.owner()), [memory_kib(pid).get("pss", 0) for pid in family(daemon.pid)]
    if not owner:
        return []
    mib = [f"{value / 1024:.1f}" for value in (owner["rss"], owner["private"], sum(whole))]
    return [("owner's RSS, private; PSS of all, MiB", f"{mib[0]:>8}, {mib[1]}; {mib[2]}")]


def reload_row(
    daemon: Keepalived | Pyhad, witness: Witness, wanted: int, last: str, marks: Callable[[str], bool]
) -> str:
    """Seconds to the right table, CPU of the owner and of all, writes where they are counted."""
    written = daemon.written() if isinstance(daemon, Pyhad) else 0
    until_quiet(family(daemon.pid))
    owner = daemon.owner()
    before, all_before = cpu_s([owner]), cpu_s(family(daemon.pid))
    began = time.monotonic()
    daemon.reload()
    witness.wait(wanted, last, marks)
    took = time.monotonic() - began
    until_quiet(family(daemon.pid))
    used, all_used = cpu_s([owner]) - before, cpu_s(family(daemon.pid)) - all_before
    writes = f"{daemon.written() - written:8} written" if isinstance(daemon, Pyhad) else ""
    return f"{took:8.2f}   CPU {used:5.2f} ({all_used:.2f}) {writes}"


def restore(text: str) -> float:
    """`ipvsadm --restore` of what is in the kernel now."""
    saved = subprocess.run(("ipvsadm", "-Sn"), capture_output=True, check=True).stdout
    plane = IpvsPlane()
    plane.flush()
    took, _ = timed(lambda: subprocess.run(("ipvsadm", "--restore"), input=saved, check=True))
    plane.close()
    return took


class Owner:
    """Balancer and writer as the process has them, without its loop."""

    def __init__(self, plane: Plane | None = None) -> None:
        self.plane = plane or IpvsPlane()
        self.plane.flush()
        self._box = BlackBox(65536, 64)
        self._counters: collections.Counter[str] = collections.Counter()
        logger = ProcessLog("bench", LogSettings(syslog=False, file="/dev/null")).logger
        self._writer = Writer(self.plane, Ownership(self._box, ()), logger, self._counters)
        self._balancer = Balancer()

    def apply(self, document: IpvsDocument) -> None:
        """As a start or a reload does that finds its last reading too old."""
        drifted = self._writer.refresh()
        effects = self._balancer.handle(Configured(document=document, actual=dict(self._writer.reading.table)), 0)
        changed = {each for effect in effects if isinstance(effect, WriteServices) for each in effect.listeners}
        self._writer.write(drifted | changed, self._balancer.wanted)

    @property
    def written(self) -> int:
        """Changes so far."""
        return self._counters["changes_written"]


def reweighted(document: IpvsDocument) -> IpvsDocument:
    """One weight of one server is another."""
    first = document.services[0]
    servers = (dataclasses.replace(first.servers[0], weight=9), *first.servers[1:])
    return dataclasses.replace(document, services=(dataclasses.replace(first, servers=servers), *document.services[1:]))


def replaced(document: IpvsDocument) -> IpvsDocument:
    """Every second server is another."""
    services = []
    for service in document.services:
        servers = tuple(
            server
            if index % 2
            else dataclasses.replace(server, id=f"10.99{server.address[5:]}:80", address=f"10.99{server.address[5:]}")
            for index, server in enumerate(service.servers)
        )
        services.append(dataclasses.replace(service, servers=servers))
    return dataclasses.replace(document, services=tuple(services))


def pyhad(text: str) -> list[tuple[str, float, float, int]]:
    """What, seconds, CPU seconds, changes written."""
    began = time.monotonic()
    result = compile_text(text, "bench.conf", CompileOptions(config_id="bench"))
    assert result.configuration is not None, result.diagnostics[:3]
    document = result.configuration.ipvs
    rows = [("pyhad compiles the text", time.monotonic() - began, 0.0, 0)]
    owner = Owner()
    for what, wanted in (
        ("pyhad programs", document),
        ("pyhad reload, nothing changed", document),
        ("pyhad reload, one weight changed", reweighted(document)),
        ("pyhad reload, half replaced", replaced(document)),
    ):
        before = owner.written
        took, cpu = timed(lambda wanted=wanted: owner.apply(wanted))  # type: ignore[misc]
        rows.append((what, took, cpu, owner.written - before))
    owner.plane.flush()
    owner.plane.close()
    return rows


def alone(services: int, servers: int) -> None:
    """The writer in this process, and `ipvsadm --restore`."""
    text = configuration(services, servers)
    rows = pyhad(text)
    owner = Owner()
    result = compile_text(text, "bench.conf", CompileOptions(config_id="bench"))
    assert result.configuration is not None
    owner.apply(result.configuration.ipvs)
    rows.append(("ipvsadm --restore", restore(text), 0.0, services * servers))
    owner.plane.flush()
    print(f"\n{services} services x {servers} servers          seconds   CPU s   changes")
    for what, seconds, used_s, changes in rows:
        print(f"{what:40}{seconds:8.3f}{used_s:8.3f}{changes:10}", flush=True)


def main(sizes: list[str], parts: tuple[str, ...]) -> None:
    """Print one table for each size. `parts`: `writer`, `keepalived`, `pyhad`."""
    kinds = tuple(kind for kind in (Keepalived, Pyhad) if kind.name in parts)
    base = {kind.__name__: min(float(run_daemon(kind, 1, 1)[0][1]) for _ in range(2)) for kind in kinds}  # one warms up
    print("start with one server: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in base.items()))
    for size in sizes:
        services, servers = (int(part) for part in size.split("x"))
        if "writer" in parts:
            alone(services, servers)
        programmed = {}
        for kind in kinds:
            rows = run_daemon(kind, services, servers)
            programmed[kind.__name__] = float(rows[0][1]) - base[kind.__name__]
            rows.insert(1, ("the same less its start", f"{programmed[kind.__name__]:8.2f}"))
            for what, value in rows:
                print(f"{kind.__name__ + ', ' + what:48}{value}", flush=True)
        if len(programmed) == len((Keepalived, Pyhad)):
            ratio = programmed["Pyhad"] / programmed["Keepalived"]
            print(f"Pyhad takes {ratio:.2f} of Keepalived's time from start to whole table", flush=True)


PARTS = ("writer", "keepalived", "pyhad")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", default=SIZES, metavar="SERVICESxSERVERS")
    parser.add_argument("--only", choices=PARTS, help="one part at a time, where all together take too long")
    given = parser.parse_args()
    main(list(given.sizes), (given.only,) if given.only else PARTS)
