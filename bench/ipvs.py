"""How long it takes to program IPVS: pyhad, keepalived and ipvsadm side by side, in one run.

    tests/vm/lab-kernel --timeout 600 -- .venv/bin/python -m bench.ipvs [SERVICESxSERVERS ...]

It empties the IPVS table of its network namespace. keepalived: from its start to the whole table, less the same for a
table of one server. `ipvsadm --restore`: the whole command. pyhad: from the configuration in memory to the whole table,
by the owner's own writer; then the reload of the same, with one weight changed, and with half of the servers replaced.
"""

from __future__ import annotations

import collections
import dataclasses
import resource
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
from pyhad.ipvs_proc.core.events import Configured
from pyhad.ipvs_proc.kernel import IpvsPlane
from pyhad.ipvs_proc.writer import Ownership, Writer

SIZES = ("1x1000", "100x100")
PATIENCE_S = 120.0


def configuration(services: int, servers: int) -> str:
    """A keepalived.conf of that size."""
    blocks = []
    for service in range(services):
        reals = "".join(
            f"  real_server 10.{64 + server // 65536}.{server // 256 % 256}.{server % 256} 80 {{\n   weight 1\n  }}\n"
            for server in range(1, servers + 1)
        )
        address = f"10.0.{service // 250}.{service % 250 + 1}"
        blocks.append(f"virtual_server {address} 80 {{\n lb_algo wrr\n lb_kind NAT\n protocol TCP\n{reals}}}\n")
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


def keepalived(text: str, wanted: int) -> tuple[float, float]:
    """From its start to the whole table, and the CPU of it and its children."""
    plane = IpvsPlane()
    plane.flush()
    last = text.rpartition("virtual_server ")[2].split()[0]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "k.conf"
        config.write_text(text)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        command = f"keepalived -n -C -f {config} -p {folder}/p -c {folder}/c --log-console"
        with Path(f"{folder}/log").open("w") as log:
            daemon = subprocess.Popen(command.split(), stdout=log, stderr=log)
        procfs = Path("/proc/net/ip_vs")
        whole = f"TCP  {''.join(f'{int(part):02X}' for part in last.split('.'))}:0050"
        while time.monotonic() - began < PATIENCE_S:
            time.sleep(0.02 + wanted / 100_000)  # looking costs it time on one processor
            table = procfs.read_text()
            if whole in table and table.count("->") >= wanted + 1 and count(plane) == wanted:
                break
        took = time.monotonic() - began
        daemon.terminate()
        daemon.wait(60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    plane.close()
    return took, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


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

    def __init__(self) -> None:
        self.plane = IpvsPlane()
        self.plane.flush()
        self._box = BlackBox(65536, 64)
        self._counters: collections.Counter[str] = collections.Counter()
        logger = ProcessLog("bench", LogSettings(syslog=False, file="/dev/null")).logger
        self._writer = Writer(self.plane, Ownership(self._box, ()), logger, self._counters)
        self._balancer = Balancer()

    def apply(self, document: IpvsDocument) -> None:
        """As a start or a reload does."""
        self._writer.refresh()
        self._balancer.handle(Configured(document=document, actual=dict(self._writer.reading.table)), 0)
        self._writer.write(self._balancer.listeners, self._balancer.wanted)

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


def main(sizes: list[str]) -> None:
    """Print one table for each size."""
    base, base_cpu = keepalived(configuration(1, 1), 1)
    print(f"keepalived with one server: {base:.2f} s")
    for size in sizes:
        services, servers = (int(part) for part in size.split("x"))
        text = configuration(services, servers)
        rows = pyhad(text)
        took, cpu = keepalived(text, services * servers)
        owner = Owner()
        result = compile_text(text, "bench.conf", CompileOptions(config_id="bench"))
        assert result.configuration is not None
        owner.apply(result.configuration.ipvs)
        rows.append(("keepalived programs (less its start)", took - base, cpu - base_cpu, services * servers))
        rows.append(("ipvsadm --restore", restore(text), 0.0, services * servers))
        owner.plane.flush()
        print(f"\n{services} services x {servers} servers        seconds   CPU s   changes")
        for what, seconds, cpu_s, changes in rows:
            print(f"{what:38}{seconds:8.3f}{cpu_s:8.3f}{changes:10}")
        ratio = rows[1][1] / (took - base)
        print(f"pyhad takes {ratio:.2f} of keepalived's time", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(SIZES))
