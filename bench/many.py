"""Many routers with sync groups, trackers and virtual MACs fail over from pyhad to keepalived and back; who held what.

    python -m bench.many [--routers N] [--interfaces N] [--group N] [--quiet SECONDS] [--a pyhad|keepalived] [-j]

Root. Node a runs pyhad with the higher priority, node b keepalived with the same file but for the priority. Each phase
does one thing to a (start, stop, its tracked file, its tracked interface) and waits until one node holds everything.
For each address it is counted how long nobody held it and how long both did, by what netlink said on both nodes;
a third node notes the adverts. Ends with 1 if a bound is broken: nobody for longer than the skew of b and half a
second (not counting what b was late by, measured from priority 0 on the wire and printed for itself), both for longer
than an interval, an address that came or went more than once in a phase. All nodes share one kernel: what one of them
is busy with delays the others too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.vrrp.watch import adverts_in, changes_in
from tests.lab.net import Lab, LabError, Running, require_root, wait_until

PYHAD = os.environ.get("PYHAD_UNDER_TEST", str(Path(sys.executable).with_name("pyhad")))
PRIORITY = {"a": 150, "b": 100}
FIRST = "a starts"
_LISTEN_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many, and where."""

    routers: int = 250
    interfaces: int = 5
    group: int = 5
    interval_cs: int = 100
    busy_s: float = 0.5
    """What a loaded machine may add to a bound."""

    @property
    def skew_s(self) -> float:
        """How long b waits after a master has said that it goes (RFC 9568 section 6.1, version 3)."""
        return (256 - PRIORITY["b"]) / 256 * self.interval_cs / 100

    @property
    def down_s(self) -> float:
        """How long b waits in vain."""
        return 3 * self.interval_cs / 100 + self.skew_s

    def interface_of(self, number: int) -> str:
        """Neighbours share a sync group but not an interface, as groups do in practice."""
        return f"eth{number % self.interfaces}"

    def address_of(self, number: int) -> str:
        return f"10.{number % self.interfaces}.1.{number + 1}"

    def addresses(self) -> set[str]:
        return {self.address_of(number) for number in range(self.routers)}

    def configuration(self, host: str, folder: Path) -> str:
        """A keepalived.conf that both read."""
        blocks = [
            "global_defs {\n router_id many\n vrrp_version 3\n vrrp_garp_master_repeat 1\n script_user root\n}\n",
            "vrrp_script well {\n script /bin/true\n interval 1\n fall 2\n rise 1\n}\n",
            f"track_file drain {{\n file {folder}/{host}.drain\n weight 0\n init_file 0\n}}\n",
        ]
        for first in range(0, self.routers, self.group):
            names = "\n".join(f"  V{number}" for number in range(first, min(first + self.group, self.routers)))
            blocks.append(f"vrrp_sync_group G{first // self.group} {{\n group {{\n{names}\n }}\n}}\n")
        for number in range(self.routers):
            blocks.append(
                f"vrrp_instance V{number} {{\n state BACKUP\n interface {self.interface_of(number)}\n use_vmac\n"
                f" virtual_router_id {number + 1}\n priority {PRIORITY[host]}\n advert_int {self.interval_cs / 100:g}\n"
                f" virtual_ipaddress {{\n  {self.address_of(number)}/32\n }}\n"
                " track_script {\n  well\n }\n track_file {\n  drain\n }\n track_interface {\n  up0\n }\n}\n"
            )
        return "".join(blocks)


@dataclass(slots=True)
class Phase:
    """What happened to all addresses from the deed to the end of the quiet time behind it."""

    name: str
    leader: str
    all_after_s: float = 0.0
    """From the deed until the leader alone held everything."""
    nobody_s: float = 0.0
    b_late_s: float = 0.0
    """How much later than a's release and b's skew b had the last of them."""
    both_s: float = 0.0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    flapped: list[str] = field(default_factory=list)
    repeated: int = 0
    """How often an address was set or removed that was there, or was not, already."""
    adverts: dict[int, int] = field(default_factory=dict)
    """By priority."""

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.flapped)


@dataclass(frozen=True, slots=True)
class Event:
    """An address that came to a host or left it."""

    at_ns: int
    host: str
    address: str
    came: bool


def longest(events: list[Event], held: set[str], begin_ns: int, end_ns: int) -> tuple[int, int]:
    """(ns without a holder, ns with two) of one address, the longest stretch of each between the two times.

    `events` are of this address alone, in order of time; `held` is who had it at `begin_ns` and changes with them.
    """
    worst = {0: 0, 1: 0, 2: 0}
    since_ns = begin_ns
    for event in events:
        count = len(held)
        (held.add if event.came else held.discard)(event.host)
        if len(held) != count:
            worst[count] = max(worst[count], event.at_ns - since_ns)
            since_ns = event.at_ns
    worst[len(held)] = max(worst[len(held)], end_ns - since_ns)
    return worst[0], worst[2]


def moves_of(events: list[Event], before: dict[str, set[str]]) -> list[Event]:
    """Those that changed something: an address whose lease is renewed is told of once more without having come."""
    had = {(host, address) for host, addresses in before.items() for address in addresses}
    found = []
    for event in events:
        key = (event.host, event.address)
        if (key in had) != event.came:
            (had.add if event.came else had.discard)(key)
            found.append(event)
    return found


class Pair:
    """Nodes a and b, the third that listens at x, and what was seen of them."""

    def __init__(self, lab: Lab, folder: Path, shape: Shape, kind: str = "pyhad") -> None:
        self.lab, self.folder, self.shape, self.kind = lab, folder, shape, kind
        self.running: dict[str, Running] = {}
        for number, host in enumerate(("a", "b", "x"), 1):
            for lan in range(shape.interfaces):
                lab.wire(host, f"eth{lan}", f"lan{lan}", f"10.{lan}.0.{number}/16")
            lab.sysctl(host, "net.ipv4.igmp_max_memberships", "10000")
            if host != "x":
                lab.wire(host, "up0", f"up{host}", f"172.16.0.{number}/24")
                (folder / f"{host}.conf").write_text(shape.configuration(host, folder))
                (folder / f"{host}.conf").chmod(0o644)
                self._watch(host, "addresses")
        self._watch("x", "adverts")
        time.sleep(1.5)  # the kernel speaks of a link at most once a second

    def _watch(self, host: str, what: str) -> None:
        path = self.folder / f"{host}.{what}"
        self.lab.start(host, sys.executable, "-m", "bench.vrrp.watch", what, str(path))
        wait_until(path.exists, 10, f"{what} of {host} are watched")

    def start(self, host: str) -> None:
        """Pyhad (or what is asked for) on a, keepalived on b, in the foreground."""
        conf = str(self.folder / f"{host}.conf")
        if host == "a" and self.kind == "pyhad":
            command = [PYHAD, "-n", "-l", "-G", "-f", conf, "--run-dir", str(self.folder / "a.run")]
        else:
            pids = [word for letter in "prc" for word in (f"-{letter}", str(self.folder / f"{host}.{letter}.pid"))]
            command = ["keepalived", "-n", "-l", "-G", "-P", "-f", conf, *pids]
        self.running[host] = self.lab.start(host, *command, log=self.folder / f"{host}.log")

    def stop(self, host: str) -> None:
        """SIGTERM; not waited for."""
        self.running[host].signal(15)

    def drain(self, value: int) -> None:
        """What node a's tracked file says: anything but 0 is a fault."""
        (self.folder / "a.drain").write_text(f"{value}\n")

    def log_of(self, host: str) -> str:
        path = self.folder / f"{host}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def events(self) -> list[Event]:
        """All that netlink told so far, of virtual addresses only."""
        wanted = self.shape.addresses()
        found = [
            Event(change.at_ns, host, change.address, change.came)
            for host in ("a", "b")
            for change in changes_in(self.folder / f"{host}.addresses")
            if change.address in wanted
        ]
        return sorted(found, key=lambda event: event.at_ns)

    def held(self, until_ns: int | None = None) -> dict[str, set[str]]:
        """Who has which address, by what netlink told until then."""
        found: dict[str, set[str]] = {"a": set(), "b": set()}
        for event in self.events():
            if until_ns is None or event.at_ns < until_ns:
                (found[event.host].add if event.came else found[event.host].discard)(event.address)
        return found

    def must_live(self) -> None:
        """`LabError` with the end of its log if a daemon that should run ended."""
        for host, running in self.running.items():
            if not running.alive and running.process.returncode:
                raise LabError(f"{host} ended with {running.process.returncode}: {self.log_of(host)[-1500:]}")

    def phase(self, name: str, leader: str, deed: Callable[[], object], quiet_s: float, timeout_s: float) -> Phase:
        """Do it, wait until `leader` alone holds everything, then for the quiet time; judge what was seen."""
        found = Phase(name, leader)
        begin_ns = time.time_ns()
        deed()
        wanted = {"a": set[str](), "b": set[str]()} | {leader: self.shape.addresses()}
        try:
            wait_until(lambda: self.held() == wanted, timeout_s, "", every_s=0.1)
        except LabError:
            found.lost.append(f"{leader} never held all: { ({h: len(v) for h, v in self.held().items()}) }")
        self.must_live()
        time.sleep(quiet_s)
        self._judge(found, begin_ns, time.time_ns())
        return found

    def _judge(self, found: Phase, begin_ns: int, end_ns: int) -> None:
        before = self.held(begin_ns)
        every = [event for event in self.events() if begin_ns <= event.at_ns < end_ns]
        seen = moves_of(every, before)
        found.repeated = len(every) - len(seen)
        found.all_after_s = (max((event.at_ns for event in seen), default=begin_ns) - begin_ns) / 1e9
        adverts = [one for one in adverts_in(self.folder / "x.adverts") if begin_ns <= one.at_ns < end_ns]
        found.adverts = dict(Counter(one.priority for one in adverts))
        skew_ns = int(self.shape.skew_s * 1e9)
        due_ns = {one.vrid: one.at_ns + skew_ns for one in adverts if one.priority == 0}
        for number in range(self.shape.routers):
            address = self.shape.address_of(number)
            events = [event for event in seen if event.address == address]
            late_ns = 0
            if found.leader == "b" and number + 1 in due_ns:
                came_ns = next((event.at_ns for event in events if event.host == "b" and event.came), end_ns)
                late_ns = max(0, came_ns - due_ns[number + 1])
            holders = {host for host in before if address in before[host]}
            self._judge_one(found, address, events, late_ns, longest(events, holders, begin_ns, end_ns))

    def _judge_one(
        self, found: Phase, address: str, events: list[Event], late_ns: int, longest_ns: tuple[int, int]
    ) -> None:
        nobody_s, both_s, late_s = longest_ns[0] / 1e9, longest_ns[1] / 1e9, late_ns / 1e9
        found.both_s = max(found.both_s, both_s)
        found.b_late_s = max(found.b_late_s, late_s)
        if found.name != FIRST:
            found.nobody_s = max(found.nobody_s, nobody_s)
            if nobody_s - late_s > self.shape.skew_s + self.shape.busy_s:
                found.lost.append(f"{address}: {nobody_s:.3f} s")
        if both_s > max(self.shape.busy_s, self.shape.interval_cs / 100):
            found.doubled.append(f"{address}: {both_s:.3f} s")
        counts = Counter((event.host, event.came) for event in events)
        if any(count > 1 for count in counts.values()):
            found.flapped.append(f"{address}: {dict(counts)}")


def memory_mib(lab: Lab, host: str) -> dict[str, float]:
    """Memory of the processes on a host by name, what is shared counted in shares."""
    found: dict[str, float] = {}
    for pid in lab.run(host, "ip", "netns", "pids", lab.host(host)).split():
        with contextlib.suppress(OSError):
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            pss = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            if name.startswith(("pyhad", "keepalived")):
                found[name] = round(found.get(name, 0) + pss / 1024, 1)
    return found


def phases(pair: Pair, quiet_s: float) -> Iterator[Phase]:
    """One after the other; each begins where the one before it ended."""
    down_s = pair.shape.down_s
    yield pair.phase(FIRST, "a", lambda: pair.start("a"), quiet_s, _LISTEN_S)
    yield pair.phase("b starts", "a", lambda: pair.start("b"), quiet_s + down_s, _LISTEN_S)
    yield pair.phase("a stops", "b", lambda: pair.stop("a"), quiet_s, 3 * down_s)
    pair.running["a"].wait(40)
    yield pair.phase("a starts again", "a", lambda: pair.start("a"), quiet_s + down_s, _LISTEN_S)
    yield pair.phase("a's tracked file falls", "b", lambda: pair.drain(1), quiet_s, 3 * down_s)
    yield pair.phase("a's tracked file rises", "a", lambda: pair.drain(0), quiet_s + down_s, 5 * down_s)
    yield pair.phase("a's tracked interface falls", "b", lambda: pair.lab.cut("a", "up0"), quiet_s, 3 * down_s)
    yield pair.phase("it rises", "a", lambda: pair.lab.mend("a", "up0"), quiet_s + down_s, 5 * down_s)


def run(shape: Shape, quiet_s: float, folder: Path, kind: str = "pyhad") -> list[Phase]:
    """All phases in namespaces of their own, with a line printed for each."""
    (folder / "a.drain").write_text("0\n")
    found = []
    with Lab() as lab:
        pair = Pair(lab, folder, shape, kind)
        print(
            f"{'phase':<30}{'all after, s':>14}{'nobody, s':>11}{'b late, s':>11}{'both, s':>10}  adverts by priority"
        )
        for phase in phases(pair, quiet_s):
            found.append(phase)
            tell(phase)
            if phase.name == "b starts":
                print(f"  memory, MiB: a {memory_mib(lab, 'a')}, b {memory_mib(lab, 'b')}", flush=True)
    return found


def tell(phase: Phase) -> None:
    """Its figures, and what was wrong."""
    print(
        f"{phase.name:<30}{phase.all_after_s:>14.3f}{phase.nobody_s:>11.3f}{phase.b_late_s:>11.3f}{phase.both_s:>10.3f}"
        f"  {dict(sorted(phase.adverts.items()))}",
        flush=True,
    )
    for what, broken in (("lost", phase.lost), ("doubled", phase.doubled), ("flapped", phase.flapped)):
        if broken:
            print(f"  {what}: {len(broken)}, such as {'; '.join(broken[:3])}", flush=True)


def main() -> None:
    """Prints a line per phase."""
    require_root()
    parser = argparse.ArgumentParser(prog="bench.many", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--routers", type=int, default=250, help="at most 255 (250)")
    parser.add_argument("--interfaces", type=int, default=5, help="they are spread over (5)")
    parser.add_argument("--group", type=int, default=5, help="members of a sync group (5)")
    parser.add_argument("--interval-cs", type=int, default=100)
    parser.add_argument("--quiet", type=float, default=3, help="seconds watched after each phase (3)")
    parser.add_argument("--a", choices=["pyhad", "keepalived"], default="pyhad", help="what node a runs (pyhad)")
    parser.add_argument("--keep", type=Path, help="folder for logs and notes; must be open to others")
    parser.add_argument("-j", "--json", action="store_true", help="print all figures once more as JSON")
    wish = parser.parse_args()
    shape = Shape(routers=wish.routers, interfaces=wish.interfaces, group=wish.group, interval_cs=wish.interval_cs)
    with tempfile.TemporaryDirectory(prefix="pyhad-many.") as name:
        folder = wish.keep or Path(name)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        found = run(shape, wish.quiet, folder, wish.a)
    if wish.json:
        print(json.dumps([asdict(phase) for phase in found], indent=2))
    sys.exit(not all(phase.sound for phase in found))


if __name__ == "__main__":
    main()
