"""What a reload leaves is what a fresh start makes: real daemons, between small configurations drawn by chance.

    python -m tests.lab.reload_fuzz --pairs 50 [--seed N] [--first 0]

One daemon lives on and is reloaded from file to file; for each file another starts anew on a host just like it. Then
links, addresses, routes, rules, the nftables rules and what lasts of the status have to be the same on both.
File number N of a seed is always the same; `--first N` begins with the pair of file N and the next.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from demo.view import View
from pyhad.common import messages as m
from pyhad.common.states import ProcessState
from pyhad.ctl import client
from tests.lab.net import Lab, Running, require_root
from tests.lab.small_files import SmallFile

BIN = Path(sys.executable).parent
SETTLES_S = 40
_MACS = {"eth0": "02:00:00:00:00:01", "eth1": "02:00:00:00:00:02"}
_ADDRESSES = {
    "eth0": ("192.0.2.1/24", "fd00:2::1/64", "fe80::1/64"),
    "eth1": ("198.51.100.1/24", "fd00:3::1/64", "fe80::2/64"),
}
_QUIET_S = 0.5
Picture = dict[str, list[str]]


class Host:
    """A host with two interfaces, alone on its segments, and a daemon on it."""

    def __init__(self, lab: Lab, name: str, folder: Path) -> None:
        self._lab, self.name, self._folder = lab, name, folder
        self.path = folder / f"{name}.conf"
        self.log_path = folder / f"{name}.log"
        self._run_dir = folder / f"{name}.run"
        self._daemon: Running | None = None
        for interface, addresses in _ADDRESSES.items():
            lab.wire(name, interface, f"{name}{interface}")
            lab.run(name, "ip", "link", "set", interface, "address", _MACS[interface], "addrgenmode", "none")
            lab.run(name, "ip", "-6", "addr", "flush", "dev", interface)
            for address in addresses:
                lab.run(name, "ip", "addr", "add", address, "dev", interface, *(("nodad",) if ":" in address else ()))

    def start(self, text: str) -> None:
        self.path.write_text(text)
        self._daemon = self._lab.start(
            self.name, str(BIN / "pyhad"), "-n", "-l", "-f", str(self.path), "--run-dir", str(self._run_dir),
            log=self.log_path,
        )  # fmt: skip

    def reload(self, text: str) -> None:
        """Returns when every process has the new configuration."""
        self.path.write_text(text)
        reply = client.reload(str(self._run_dir), SETTLES_S)
        assert reply.ok, reply

    def stop(self) -> None:
        assert self._daemon is not None
        status = self._daemon.stop(30)
        assert status == 0, f"the daemon ended with {status}: {self.log_path.read_text()[-2000:]}"

    def picture(self) -> Picture | None:
        """All that lasts of this host; None while the daemon is not wholly there."""
        status = View(self._run_dir).status()
        if status is None or not _is_whole(status):
            return None
        found = {
            what: sorted(self._lab.run(self.name, *words).splitlines())
            for what, words in {
                "rules": ("ip", "rule"),
                "IPv6 rules": ("ip", "-6", "rule"),
                "routes": ("ip", "route", "show", "table", "all"),
                "IPv6 routes": ("ip", "-6", "route", "show", "table", "all"),
            }.items()
        }
        found["links"] = _links(self._lab.run(self.name, "ip", "-j", "-d", "addr", "show"))
        found["nftables"] = _rules(self._lab.run(self.name, "nft", "-s", "list", "ruleset"))
        found["status"] = _lasting(status)
        return {
            what: [re.sub(r" (expires|hoplimit) \d+\w*", "", line) for line in lines] for what, lines in found.items()
        }


def _is_whole(status: m.StatusReply) -> bool:
    """Every process that is needed runs, and has told."""
    told = {"vrrp": status.vrrp, "checker": status.checker, "ipvs": status.ipvs}
    needed = _needed(status)
    running = all(one.state is ProcessState.RUNNING and not one.silent for one in needed)
    return running and all(told.get(one.name, status) is not None for one in needed)


def _needed(status: m.StatusReply) -> list[m.ProcessStatus]:
    return [one for one in status.processes if one.state not in (ProcessState.ABSENT, ProcessState.STOPPED)]


def _rules(text: str) -> list[str]:
    """Chains in any order; which server has which of the numbers that are dealt does not matter."""
    chains = re.sub(r"\bvmap \{ (.*?) \}", lambda match: _dealt(match[1]), text)
    apart = re.sub(r"(?m)^(\}|table .*)$", r"\n\1\n", chains)
    return sorted(filter(None, (one.strip("\n") for one in apart.split("\n\n"))))


def _dealt(text: str) -> str:
    return "vmap { " + ", ".join(sorted(re.sub(r"\b\d+ : ", "", text).split(", "))) + " }"


def _links(text: str) -> list[str]:
    found = []
    for link in json.loads(text):
        name, kind = link["ifname"], link.get("linkinfo", {})
        if name == "lo":
            continue
        kind = {"kind": kind.get("info_kind"), "data": kind.get("info_data", {}).get("mode")}
        found.append(
            f"{name} {link['address']} {sorted(link['flags'])} {link['mtu']} {kind} {link.get('inet6_addr_gen_mode')}"
        )
        found += [
            f"{name} {one['local']}/{one['prefixlen']} {one['scope']} "
            f"{sorted(key for key, value in one.items() if value is True and key != 'dynamic')} {one.get('protocol')}"
            for one in link["addr_info"]
        ]
    return sorted(found)


def _lasting(status: m.StatusReply) -> list[str]:
    """Of the status what is neither a time nor a count."""
    found = [f"process {one.name}" for one in _needed(status)]
    if status.vrrp is not None:
        found += _routers(status.vrrp)
    if status.checker is not None:
        found += [
            f"health {one.verdict.service} {one.verdict.server} {one.verdict.up} {one.verdict.weight} "
            f"{one.verdict.reason} {[(check.kind, check.up, check.reason) for check in one.checks]}"
            for one in status.checker.servers
        ]
    for service in status.ipvs.services if status.ipvs is not None else ():
        found.append(
            f"service {service.service} {service.scheduler} {service.forwarding} {service.quorum_up} "
            f"{service.installed} {service.problem}"
        )
        found += [
            f"service {service.service} has {one.server} {one.up} {one.weight} {one.wanted_weight} {one.sorry}"
            for one in service.destinations
        ]
    return sorted(found)


def _routers(status: m.VrrpStatus) -> list[str]:
    found = [
        f"router {one.name} {one.vrid} {one.family} {one.version} {one.interface} {one.state.name} {one.base_priority} "
        f"{one.effective_priority} {one.master_address} {one.master_priority} {sorted(one.addresses)} "
        f"{one.advert_interval_cs} {one.admin} {sorted(one.routes)} {sorted(one.rules)} {one.missing} {one.vmac}"
        for one in status.routers
    ]
    statics = status.statics
    found.append(f"statics {statics.addresses} {statics.routes} {statics.rules} {statics.missing}")
    return found + [f"reading {name} {value}" for name, value in status.readings.items()]


def differing(ours: Picture, theirs: Picture) -> str:
    """What differs, as a diff of each part; empty: nothing."""
    parts = [
        "\n".join(difflib.unified_diff(theirs[what], ours[what], f"{what} fresh", f"{what} reloaded", lineterm="", n=1))
        for what in ours
    ]
    return "\n".join(part for part in parts if part)


def compare(reloaded: Host, fresh: Host) -> str:
    """Wait until both are the same and stay so; else what differs at the end."""
    found, since, deadline = "nothing was seen", 0.0, time.monotonic() + SETTLES_S
    while time.monotonic() < deadline:
        ours, theirs = reloaded.picture(), fresh.picture()
        found = differing(ours, theirs) if ours and theirs else f"no status: {'fresh' if ours else 'reloaded'}"
        if found:
            since = 0.0
        elif not since:
            since = time.monotonic()
        elif time.monotonic() - since >= _QUIET_S:
            return ""
        time.sleep(0.2)
    return found


def file_of(seed: int, number: int) -> SmallFile:
    """File `number` of a seed."""
    return SmallFile(random.Random(f"{seed} {number}"))


def play(lab: Lab, folder: Path, seed: int, numbers: range) -> tuple[int, list[str]]:
    """Reload from the first file to the second, to the third ... Returns (pairs done, findings)."""
    findings: list[str] = []
    reloaded, fresh = Host(lab, "r", folder), Host(lab, "f", folder)
    before = file_of(seed, numbers[0])
    reloaded.start(before.text)
    _wait_for(reloaded)
    for number in numbers[:-1]:
        after = file_of(seed, number + 1)
        fresh.start(after.text)
        reloaded.reload(after.text)
        if found := compare(reloaded, fresh):
            text = f"--seed {seed} --first {number}\n{before.text}---- to\n{after.text}---- differs:\n{found}\n"
            print(text, flush=True)
            findings.append(text)
        fresh.stop()
        before = after
    reloaded.stop()
    return len(numbers) - 1, findings


def _wait_for(host: Host) -> None:
    deadline = time.monotonic() + SETTLES_S
    while host.picture() is None:
        assert time.monotonic() < deadline, host.log_path.read_text()[-3000:]
        time.sleep(0.2)


def main(arguments: list[str]) -> int:
    """The command; exit code 1 when a reload left something else than a fresh start."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.reload_fuzz", description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    given = parser.parse_args(arguments)
    require_root()
    seed = int.from_bytes(os.urandom(3)) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pyhad-reloads.") as name, Lab() as lab:
        Path(name).chmod(0o755)
        pairs, findings = play(lab, Path(name), seed, range(given.first, given.first + given.pairs + 1))
    print(f"{pairs} pairs, {len(findings)} that differ; {time.monotonic() - start:.1f} s")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
