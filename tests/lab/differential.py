"""keepalived 2.2.7 and pyhad judge the same generated files; every disagreement is explained or a finding.

    python -m tests.lab.differential --files 2000 [--seed 1]

Runs `keepalived -t` in a namespace of its own, in a folder of its own. pyhad's compiler runs in this process (a few
files go through the command `pyhad -t` in the lab test). A finding is cut down to its few lines before it is shown.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.common.config.differences import DIFFERENCES, Difference
from pyhad.common.config.source import Severity, Trouble
from tests.lab.config_files import Made, known_rows, make
from tests.lab.net import Lab, require_root

INTERFACES = frozenset({"lo", "eth0", "eth1"})
_PLACE = re.compile(r"^\([^)]*Line \d+\) ")
_MAX_CUTS = 60


@dataclass(frozen=True)
class Verdict:
    """What one of the two says of a file. `findings` is empty when it accepts; `crashed` when it did not say."""

    findings: tuple[str, ...]
    crashed: str = ""

    @property
    def accepts(self) -> bool:
        return not self.findings and not self.crashed


@dataclass
class Tally:
    """The outcome of a run."""

    files: int = 0
    accepted: int = 0
    refused: int = 0
    explained: collections.Counter[str] = field(default_factory=collections.Counter)
    crashes: int = 0
    findings: list[str] = field(default_factory=list)

    def summary(self) -> str:
        parts = [f"{self.files} files: both accept {self.accepted}, both refuse {self.refused}",
                 f"explained {sum(self.explained.values())}, keepalived crashed {self.crashes}",
                 f"unexplained {len(self.findings)}"]  # fmt: skip
        return "; ".join(parts)


class Judges:
    """Both judges; keepalived on the host `d1` of a lab."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        lab.wire("d1", "eth0", "lan", "192.0.2.1/24")
        lab.wire("d1", "eth1", "lan2", "198.51.100.1/24")
        self._folder = folder
        self._path = folder / "t.conf"
        self._argv = lab.argv("d1", "keepalived", "-t", "-f", str(self._path))

    def keepalived(self, text: str) -> Verdict:
        """Exit status 0 accepts; a signal is a crash of the real program (grammar.md knows one)."""
        self._path.write_text(text)
        self._path.chmod(0o644)
        done = subprocess.run(self._argv, capture_output=True, timeout=30, cwd=self._folder)
        if done.returncode == 0:
            return Verdict(())
        said = done.stderr.decode(errors="replace").splitlines()
        lines = tuple(_PLACE.sub("", line) for line in said if line.strip())
        if done.returncode < 0 or done.returncode > 100:
            return Verdict(lines, crashed=f"status {done.returncode}")
        return Verdict(lines or (f"status {done.returncode}",))

    def pyhad(self, text: str) -> Verdict:
        """Errors and warnings refuse; what is only not acted on yet does not count."""
        try:
            result = compile_text(text, "t.conf", CompileOptions(config_id="node", interfaces=INTERFACES))
        except Exception as error:
            return Verdict((f"pyhad crashed: {error!r}",))
        counted = [one for one in result.diagnostics
                   if one.severity is not Severity.NOTE and one.trouble is not Trouble.NOT_YET]  # fmt: skip
        return Verdict(tuple(one.message for one in counted))


def explain(theirs: Verdict, ours: Verdict) -> list[Difference] | None:
    """The differences that explain a disagreement, None when some finding has no explanation."""
    used: list[Difference] = []
    for finding in ours.findings if theirs.accepts else theirs.findings:
        found = _match(finding, ours=theirs.accepts)
        if found is None:
            return None
        used.append(found)
    return used


def _match(finding: str, *, ours: bool) -> Difference | None:
    for one in DIFFERENCES:
        pattern = one.ours if ours else one.theirs
        if pattern and re.search(pattern, finding):
            return one
    return None


def compare(judges: Judges, made: Made, tally: Tally) -> None:
    """Judge one file twice and count it."""
    theirs, ours = judges.keepalived(made.text), judges.pyhad(made.text)
    tally.files += 1
    if theirs.crashed:
        tally.crashes += 1
    elif ours.findings[:1] and ours.findings[0].startswith("pyhad crashed"):
        tally.findings.append(f"{made.text}{ours.findings[0]}\n")
    elif theirs.accepts is ours.accepts:
        tally.accepted += ours.accepts
        tally.refused += not ours.accepts
    else:
        used = explain(theirs, ours)
        if used is None:
            tally.findings.append(_finding(judges, made))
        else:
            tally.explained.update({one.id for one in used})


def _finding(judges: Judges, made: Made) -> str:
    text = cut_down(made.text, lambda text: _is_finding(judges, text))
    theirs, ours = judges.keepalived(text), judges.pyhad(text)
    return f"{made.words}\n{text}keepalived: {theirs.findings or 'accepts'}\npyhad: {ours.findings or 'accepts'}\n"


def _is_finding(judges: Judges, text: str) -> bool:
    theirs, ours = judges.keepalived(text), judges.pyhad(text)
    return not theirs.crashed and theirs.accepts is not ours.accepts and explain(theirs, ours) is None


def cut_down(text: str, still: Callable[[str], bool]) -> str:
    """Fewer lines of which it is still true: single lines and whole blocks are tried away."""
    lines = text.splitlines(keepends=True)
    at = tries = 0
    while at < len(lines) and tries < _MAX_CUTS:
        tries += 1
        end = _end_of(lines, at)
        shorter = lines[:at] + lines[end:]
        if still("".join(shorter)):
            lines = shorter
        else:
            at += 1
    return "".join(lines)


def _end_of(lines: list[str], at: int) -> int:
    depth = 0
    for end in range(at, len(lines)):
        depth += lines[end].count("{") - lines[end].count("}")
        if depth <= 0:
            return end + 1
    return at + 1


def run(files: int, seed: int, folder: Path, lab: Lab, most_findings: int = 10) -> Tally:
    """Make `files` files from `seed` and judge them; ends early after `most_findings`."""
    source = random.Random(seed)
    rows = known_rows()
    judges = Judges(lab, folder)
    tally = Tally()
    for _ in range(files):
        compare(judges, make(source, rows), tally)
        if len(tally.findings) >= most_findings:
            break
    return tally


def main(arguments: list[str]) -> int:
    """The command; exit code 1 when something is not explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.differential", description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--findings", type=int, default=20, help="stop after so many")
    given = parser.parse_args(arguments)
    require_root()
    seed = int.from_bytes(os.urandom(4)) if given.seed is None else given.seed
    print(f"seed {seed}")
    start = time.monotonic()
    with Lab() as lab, tempfile.TemporaryDirectory(prefix="pyhad-differential.") as name:
        tally = run(given.files, seed, Path(name), lab, given.findings)
    for finding in tally.findings:
        print(f"----\n{finding}")
    for key, count in sorted(tally.explained.items()):
        print(f"{key}: {count}")
    print(f"{tally.summary()}; {time.monotonic() - start:.1f} s")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
