"""What keepalived prints of virtual routers (`-d`), beside the same facts of pyhad's model, for generated files.

    python -m tests.lab.dumped --files 500 [--seed 1] [--first 0]

keepalived prints each value as it is after defaults and fix-ups, so it is started, on hosts of the lab, and stopped
when it has. `FACTS` says for a label what the model has for it; a label that stands neither there nor in `PASSED_OVER`
is a disagreement too, so that nothing is left out by oversight. Virtual servers are not compared: they need IPVS.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.common.config.keyword import Keyword
from pyhad.common.config.model import VrrpInstance
from tests.lab.config_files import known_rows, make
from tests.lab.net import Lab, require_root, wait_until

SECOND_NS = 1_000_000_000
END = "------< Interfaces >------"
"""The last thing that is printed at a start."""
_STAMP = re.compile(r"^\w{3} \w{3} +\d+ [\d:]{8} \d{4}:")
_LINE = re.compile(r"^ {4}(\S[^=:]*?)(?: = |: | :$|:$|$)(.*)$")
_LISTS = {"Virtual IP": "addresses", "Virtual IP Excluded": "excluded"}

FACTS: dict[str, Callable[[VrrpInstance], str]] = {
    "VRRP Version": lambda one: str(one.version),
    "Virtual Router ID": lambda one: str(one.vrid),
    "Priority": lambda one: str(one.base_priority),
    "Advert interval": lambda one: (
        f"{one.advertisement_interval_cs * 10} milli-sec"
        if one.version == 3
        else f"{one.advertisement_interval_cs // 100} sec"
    ),
    "Down timer adverts": lambda one: str(one.down_timer_adverts),
    "Interface": lambda one: one.interface,
    "Multicast address": lambda one: one.multicast_group,
    "Gratuitous ARP delay": lambda one: str(one.announcement.master_delay_ns // SECOND_NS),
    "Gratuitous ARP repeat": lambda one: str(one.announcement.master_repeat),
    "Gratuitous ARP refresh": lambda one: str(one.announcement.refresh_ns // SECOND_NS),
    "Gratuitous ARP refresh repeat": lambda one: str(one.announcement.refresh_repeat),
    "Gratuitous ARP lower priority delay": lambda one: str(one.announcement.lower_prio_delay_ns // SECOND_NS),
    "Gratuitous ARP lower priority repeat": lambda one: str(one.announcement.lower_prio_repeat),
    "Send advert after receive lower priority advert": lambda one: _boolean(not one.lower_prio_no_advert),
    "Send advert after receive higher priority advert": lambda one: _boolean(one.higher_prio_send_advert),
    "Preempt": lambda one: _enabled(one.preempt_mode),
    "Accept": lambda one: _enabled(one.accept_mode),
    "Promote_secondaries": lambda one: _enabled(one.promote_secondaries),
    "Sync group": lambda one: one.sync_group,
    "Preempt delay": lambda one: f"{one.preempt_delay_ns / SECOND_NS:g} secs",
    "Authentication type": lambda one: (
        "IPSEC_AH"
        if one.authentication_header
        else "SIMPLE_PASSWORD"
        if one.authentication_data
        else "none"
    ),
}  # fmt: skip
PASSED_OVER = re.compile(
    r"Flags|Wantstate|Number of config faults|Use VMAC|Use IPVLAN|Using src_ip|No sockets|Virtual (Routes|Rules)"
    r"|Using smtp|Notify|Password|Tracked|Unicast|Check unicast|VRRP interface tracking|Track|Backup|Master|Fault|Stop"
    r"|Generic|.* script|Enforcing strict|Kernel rx buffer|Skip checking|Debug level"
)
"""State of the running program, and what has a text of its own in each (routes, rules, trackers, scripts)."""
_OVERFLOW = "keepalived keeps 'not given' as the highest number of 32 bits"
EXPLAINED = {
    "Send advert after receive higher priority advert: keepalived has false, pyhad true": "decision 0008",
    "Gratuitous ARP repeat: keepalived has 5, pyhad 4294967295": _OVERFLOW,
    "Gratuitous ARP lower priority repeat: keepalived has 5, pyhad 4294967295": _OVERFLOW,
}
_RISKY = re.compile("fifo|script|priority|rlimit|cpu|swap|name|netlink|iptables|ipsets|nftables|version")
_HOSTS = 4
_LIMIT_S = 20


@dataclass
class Dumped:
    """One instance: `values` by label, and its addresses with their prefix lengths."""

    name: str
    values: dict[str, str] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)


def instances(log: str) -> list[Dumped]:
    """All that stands under VRRP Topology in what `keepalived -n -l -d` printed."""
    found: list[Dumped] = []
    inside, items = False, None
    for line in (_STAMP.sub("", line) for line in log.splitlines()):
        if "------<" in line:
            inside = "VRRP Topology" in line
        elif inside and line.startswith("  VRRP Instance = "):
            found.append(Dumped(line.removeprefix("  VRRP Instance = ")))
        elif inside and found and line.startswith("      "):
            if items is not None:
                items.append(line.split()[0])
        elif inside and found and (match := _LINE.match(line)):
            label, value = match[1].strip(), match[2].strip()
            name = _LISTS.get(re.sub(r" \(\d+\)$", "", label), "")
            items = getattr(found[-1], name) if name else None
            if label.startswith("Multicast address "):
                label, value = "Multicast address", label.split()[-1]
            if not name:
                found[-1].values[label] = value
    return found


def disagreements(theirs: Dumped, ours: VrrpInstance) -> list[str]:
    """`LABEL: keepalived has X, pyhad Y`, and labels that nobody knows."""
    found: list[str] = []
    for label, value in theirs.values.items():
        shown = value.rpartition(" on ")[2] if label == "Interface" else value
        fact = FACTS.get(label)
        if fact is not None and fact(ours) != shown:
            text = f"{label}: keepalived has {shown}, pyhad {fact(ours)}"
            if text not in EXPLAINED:
                found.append(text)
        elif fact is None and not PASSED_OVER.match(label):
            found.append(f"{label}: keepalived has {shown}, and nobody knows what that is")
    excluded = ("Virtual IP Excluded", ours.excluded_addresses, theirs.excluded)
    for label, here, there in (("Virtual IP", ours.addresses, theirs.addresses), excluded):
        mine = sorted(f"{one.address}/{one.prefix_len}" for one in here)
        if mine != sorted({_with_length(one) for one in there}):  # one of two alike is nobody's (DIF-6)
            found.append(f"{label}: keepalived has {there}, pyhad {mine}")
    return found


def _with_length(address: str) -> str:
    return address if "/" in address else f"{address}/{128 if ':' in address else 32}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _enabled(value: bool) -> str:
    return "enabled" if value else "disabled"


# ------------------------------------------------------------------------------------------------- trying files


def rows() -> list[Keyword]:
    """Of virtual routers and their defaults, but for what touches the machine around them."""
    return [
        row
        for row in known_rows()
        if row.block.startswith("vrrp_instance")
        or (row.block == "global_defs" and row.name.startswith("vrrp_") and not _RISKY.search(row.name))
    ]


@dataclass
class Tried:
    """What came of some files: instances that both had, and where they disagree."""

    compared: int = 0
    findings: list[str] = field(default_factory=list)


class Printer:
    """One host with keepalived on it."""

    def __init__(self, lab: Lab, host: str, folder: Path) -> None:
        for interface, lan, address in (("eth0", "a", "192.0.2.1/24"), ("eth1", "b", "198.51.100.1/24")):
            lab.wire(host, interface, f"{lan}{host}", address)
        self._lab = lab
        self._host = host
        self._folder = folder

    def printed(self, text: str, number: int) -> str:
        """What it says until it has printed everything, or has refused the file."""
        path, log = self._folder / f"{number}.conf", self._folder / f"{number}.log"
        path.write_text(text)
        path.chmod(0o644)
        pids = [part for name in "pr" for part in (f"-{name}", str(self._folder / f"{number}.{name}.pid"))]
        command = ("keepalived", "-n", "-l", "-d", "-P", "-B", "-f", str(path), *pids)
        running = self._lab.start(self._host, *command, log=log)
        wait_until(lambda: not running.alive or END in running.log(), _LIMIT_S, f"keepalived has printed file {number}")
        running.stop()
        return running.log()


def try_file(printer: Printer, seed: int, number: int) -> Tried:
    """Nothing is compared where one of the two refuses the file: that is the business of `differential`."""
    made = make(random.Random(f"{seed} {number}"), rows())
    options = CompileOptions(config_id="node", interfaces=frozenset({"lo", "eth0", "eth1"}))
    configuration = compile_text(made.text, "t.conf", options).configuration
    tried = Tried()
    if configuration is None:
        return tried
    ours = {one.name: one for one in configuration.vrrp.instances}
    for theirs in instances(printer.printed(made.text, number)):
        if theirs.name in ours:
            tried.compared += 1
            lines = disagreements(theirs, ours[theirs.name])
            tried.findings += (f"--first {number} {made.words}: {theirs.name}: {line}" for line in lines)
    return tried


def run(numbers: range, seed: int, lab: Lab, folder: Path) -> Tried:
    """Some files at a time: keepalived waits more than it works."""
    printers = [Printer(lab, f"k{one}", folder) for one in range(_HOSTS)]
    total = Tried()

    def share(at: int) -> list[Tried]:
        return [try_file(printers[at], seed, number) for number in numbers[at::_HOSTS]]

    with ThreadPoolExecutor(_HOSTS) as pool:
        for tried in (one for part in pool.map(share, range(_HOSTS)) for one in part):
            total.compared += tried.compared
            total.findings += tried.findings
    return total


def main(arguments: list[str]) -> int:
    """The command; exit code 1 when something disagrees."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.dumped", description=__doc__)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    given = parser.parse_args(arguments)
    require_root()
    numbers = range(given.first, given.first + given.files)
    with Lab() as lab, tempfile.TemporaryDirectory(prefix="pyhad-dumped.") as name:
        Path(name).chmod(0o755)
        tried = run(numbers, given.seed, lab, Path(name))
    print(*tried.findings, sep="\n")
    print(
        f"seed {given.seed}: {given.files} files, {tried.compared} virtual routers, {len(tried.findings)} disagreements"
    )
    return 1 if tried.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
