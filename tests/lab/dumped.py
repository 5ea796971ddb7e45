"""What keepalived prints of its configuration (`-d`), beside the same facts of pyhad's model, for generated files.

    python -m tests.lab.dumped --files 500 [--half services] [--seed 1] [--first 0]

keepalived prints each value as it is after defaults and fix-ups, so it is started, on hosts of the lab, and stopped
when it has. `dump_facts` and `dumped_services` say for a label what the model has for it. The half of the services
needs IPVS: run it inside `tests/vm/lab-kernel --timeout 900 --`.
"""

from __future__ import annotations

import argparse
import platform
import random
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.common.config.keyword import Keyword
from pyhad.common.config.model import Configuration, VrrpInstance
from pyhad.common.config.model.tracking import SyncGroup, TrackFile, TrackProcess, TrackScript
from tests.lab import dump_facts as facts, dumped_services
from tests.lab.config_files import known_rows, make
from tests.lab.dump_reader import Block, Facts, compare, is_explained, read_dump
from tests.lab.net import Lab, require_root, wait_until

Named = TypeVar("Named", VrrpInstance, SyncGroup, TrackScript, TrackFile, TrackProcess)

_LISTS = {"Virtual IP": "addresses", "Virtual IP Excluded": "excluded_addresses"}
_RISKY = re.compile("fifo|script|priority|rlimit|cpu|swap|name|netlink|iptables|ipsets|nftables|version")
_GLOBAL = re.compile("vrrp_|smtp_|fifo_write|no_|rs_init|checker_log")
_HOSTS = 4
_LIMIT_S = 60


def disagreements(log: str, ours: Configuration) -> tuple[int, list[str]]:
    """How many blocks both have, and `NAME: LABEL: keepalived has X, pyhad Y` of what differs and nothing explains."""
    compared, found = 0, []
    for block in read_dump(log):
        lines = _of(block, ours)
        if lines is not None:
            compared += 1
            found += [f"{block.title}: {line}" for line in lines if not is_explained(line)]
    return compared, found


def _of(block: Block, ours: Configuration) -> list[str] | None:
    """What differs in one block; None where there is nothing to compare it with."""
    vrrp, name = ours.vrrp, block.name.partition(",")[0]
    match block.section:
        case "Global definitions":
            mail = vrrp.mail
            lines = list(compare(block, ours, facts.GLOBAL, facts.GLOBAL_PASSED_OVER))
            return lines + list(compare(block, mail, facts.MAIL, facts.GLOBAL_PASSED_OVER) if mail else ())
        case "VRRP Topology":
            return _of_instance(block, next((one for one in vrrp.instances if one.name == name), None))
        case "VRRP Sync groups":
            return _found(block, name, vrrp.groups, facts.GROUP, facts.GROUP_PASSED_OVER)
        case "VRRP Scripts":
            return _found(block, name, vrrp.scripts, facts.SCRIPT, facts.SCRIPT_PASSED_OVER)
        case "VRRP Track files":
            return _found(block, name, vrrp.files, facts.FILE, facts.FILE_PASSED_OVER)
        case "VRRP Track processes":
            return _found(block, name, vrrp.processes, facts.PROCESS, facts.PROCESS_PASSED_OVER)
        case _:
            return None


def _found(
    block: Block, name: str, ours: Sequence[Named], known: Facts[Named], passed_over: re.Pattern[str]
) -> list[str] | None:
    found = next((one for one in ours if one.name == name), None)
    return None if found is None else list(compare(block, found, known, passed_over))


def _of_instance(block: Block, ours: VrrpInstance | None) -> list[str] | None:
    if ours is None:
        return None
    for entry in block.entries:
        if entry.label.startswith("Multicast address "):
            entry.label, entry.value = "Multicast address", entry.label.split()[-1]
        elif entry.label == "Interface":
            entry.value = entry.value.rpartition(" on ")[2]
    lines = list(compare(block, ours, facts.INSTANCE, facts.INSTANCE_PASSED_OVER, lenient=True))
    printed = {re.sub(r" \(\d+\)$", "", entry.label): entry.items for entry in block.entries}
    for label, attribute in _LISTS.items():
        mine = sorted(f"{one.address}/{one.prefix_len}" for one in getattr(ours, attribute))
        theirs = printed.get(label, [])
        if label == "Virtual IP Excluded":  # nor of one that is advertised already
            theirs = [one for one in theirs if one not in printed.get("Virtual IP", [])]
        if mine != sorted({_with_length(one.split()[0]) for one in theirs}):  # one of two alike is nobody's (DIF-6)
            lines.append(f"{label}: keepalived has {theirs}, pyhad {mine}")
    return lines


def _with_length(address: str) -> str:
    return address if "/" in address else f"{address}/{128 if ':' in address else 32}"


# ------------------------------------------------------------------------------------------------- trying files


@dataclass(frozen=True)
class Half:
    """What one process of keepalived prints: the option that starts it alone, and its last words."""

    option: str
    end: str
    rows: Callable[[], list[Keyword]]
    disagreements: Callable[[str, Configuration], tuple[int, list[str]]]
    added: str = ""
    """To every file."""


def rows() -> list[Keyword]:
    """Of virtual routers, groups, trackers and defaults, but for what touches the machine around them."""
    blocks = ("vrrp_instance", "vrrp_sync_group", "vrrp_script", "vrrp_track_process", "track_file")
    return [
        row
        for row in known_rows()
        if row.block.startswith(blocks)
        or (row.block == "global_defs" and _GLOBAL.match(row.name) and not _RISKY.search(row.name))
    ]


HALVES = {
    "routers": Half("-P", "------< Interfaces >------", rows, disagreements),
    "services": Half(
        "-C", dumped_services.END, dumped_services.rows, dumped_services.disagreements, dumped_services.LAST
    ),
}


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

    def printed(self, half: Half, text: str, number: int) -> str:
        """What it says until it has printed everything, or has refused the file."""
        path, log = self._folder / f"{number}.conf", self._folder / f"{number}.log"
        path.write_text(text)
        path.chmod(0o644)
        pids = [part for name in "prcb" for part in (f"-{name}", str(self._folder / f"{number}.{name}.pid"))]
        command = ("keepalived", "-n", "-l", "-d", half.option, "-B", "-f", str(path), *pids)
        running = self._lab.start(self._host, *command, log=log)
        wait_until(
            lambda: not running.alive or half.end in running.log(), _LIMIT_S, f"keepalived has printed file {number}"
        )
        running.stop()
        return running.log()


def try_file(printer: Printer, half: Half, seed: int, number: int) -> Tried:
    """Nothing is compared where one of the two refuses the file: that is the business of `differential`."""
    made = make(random.Random(f"{seed} {number}"), half.rows())
    text = made.text + half.added
    options = CompileOptions(config_id=platform.node().partition(".")[0], interfaces=frozenset({"lo", "eth0", "eth1"}))
    configuration = compile_text(text, "t.conf", options).configuration
    tried = Tried()
    if configuration is None:
        return tried
    tried.compared, lines = half.disagreements(printer.printed(half, text, number), configuration)
    tried.findings += (f"--first {number} {made.words}: {line}" for line in lines)
    return tried


def run(half: Half, numbers: range, seed: int, lab: Lab, folder: Path) -> Tried:
    """Some files at a time: keepalived waits more than it works."""
    printers = [Printer(lab, f"k{one}", folder) for one in range(_HOSTS)]
    total = Tried()

    def share(at: int) -> list[Tried]:
        return [try_file(printers[at], half, seed, number) for number in numbers[at::_HOSTS]]

    with ThreadPoolExecutor(_HOSTS) as pool:
        for tried in (one for part in pool.map(share, range(_HOSTS)) for one in part):
            total.compared += tried.compared
            total.findings += tried.findings
    return total


def main(arguments: list[str]) -> int:
    """The command; exit code 1 when something disagrees."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.dumped", description=__doc__)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--half", choices=HALVES, default="routers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    given = parser.parse_args(arguments)
    require_root()
    numbers = range(given.first, given.first + given.files)
    with Lab() as lab, tempfile.TemporaryDirectory(prefix="pyhad-dumped.") as name:
        Path(name).chmod(0o755)
        tried = run(HALVES[given.half], numbers, given.seed, lab, Path(name))
    print(*tried.findings, sep="\n")
    print(
        f"seed {given.seed}: {given.files} files, {tried.compared} blocks compared, {len(tried.findings)} disagreements"
    )
    return 1 if tried.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
