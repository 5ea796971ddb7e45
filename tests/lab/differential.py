"""keepalived 2.2.7 and pyhad judge the same generated files; every disagreement is explained or a finding.

    python -m tests.lab.differential --files 2000 [--seed 1] [--first 0] [--jobs 2]

Some processes, each in a folder of its own, on one host of the lab. File number N of a seed is always the same.
A finding is cut down to its few lines before it is shown.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from pyhad.common.config.differences import DIFFERENCES, Difference
from tests.lab.config_files import Made, known_rows, make
from tests.lab.judges import CRASHED, Judges, Verdict, settle
from tests.lab.net import Lab, require_root

_MAX_CUTS = 60
_AT_ONCE = 25
_TELL_EACH = 10_000


@dataclass
class Tally:
    """The outcome of a run."""

    files: int = 0
    accepted: int = 0
    refused: int = 0
    explained: collections.Counter[str] = field(default_factory=collections.Counter)
    crashes: int = 0
    findings: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.files += other.files
        self.accepted += other.accepted
        self.refused += other.refused
        self.explained.update(other.explained)
        self.crashes += other.crashes
        self.findings += other.findings

    def summary(self) -> str:
        parts = [f"{self.files} files: both accept {self.accepted}, both refuse {self.refused}",
                 f"explained {sum(self.explained.values())}, keepalived crashed {self.crashes}",
                 f"unexplained {len(self.findings)}"]  # fmt: skip
        return "; ".join(parts)


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
    elif ours.findings[:1] and ours.findings[0].startswith(CRASHED):
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


# ------------------------------------------------------------------------------------------- several processes


def judge(seed: int, numbers: range) -> Tally:
    """In a process of the pool: the files of those numbers. The folder is there for this piece of work alone."""
    tally = Tally()
    rows = known_rows()
    with tempfile.TemporaryDirectory(prefix="pyhad-differential.") as name:
        Path(name).chmod(0o755)
        judges = Judges(Path(name))
        for number in numbers:
            before = len(tally.findings)
            compare(judges, make(random.Random(f"{seed} {number}"), rows), tally)
            tally.findings[before:] = [f"--first {number}\n{text}" for text in tally.findings[before:]]
    return tally


def run(numbers: range, seed: int, lab: Lab, *, jobs: int = 4, most_findings: int = 10) -> Tally:
    """Judge the files of `numbers` made from `seed`, in `jobs` processes; ends early after `most_findings`."""
    lab.wire("d1", "eth0", "lan", "192.0.2.1/24")
    lab.wire("d1", "eth1", "lan2", "198.51.100.1/24")
    pieces = (numbers[at : at + _AT_ONCE] for at in range(0, len(numbers), _AT_ONCE))
    tally = Tally()
    with ProcessPoolExecutor(jobs, get_context("fork"), settle, (lab.host("d1"),)) as pool:
        for done in _in_turn(pool, seed, pieces, 2 * jobs):
            tally.add(done)
            if tally.files % _TELL_EACH < _AT_ONCE and tally.files >= _TELL_EACH:
                print(tally.summary(), file=sys.stderr, flush=True)
            if len(tally.findings) >= most_findings:
                break
    return tally


def _in_turn(pool: ProcessPoolExecutor, seed: int, pieces: Iterator[range], most: int) -> Iterator[Tally]:
    """The outcomes as they come; no more than `most` pieces are given out at a time."""
    out: set[Future[Tally]] = set()
    for piece in pieces:
        out.add(pool.submit(judge, seed, piece))
        if len(out) >= most:
            done, out = wait(out, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)
    yield from (one.result() for one in out)


def main(arguments: list[str]) -> int:
    """The command; exit code 1 when something is not explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.differential", description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--findings", type=int, default=20, help="stop after so many")
    given = parser.parse_args(arguments)
    require_root()
    seed = int.from_bytes(os.urandom(4)) if given.seed is None else given.seed
    print(f"seed {seed}")
    start = time.monotonic()
    numbers = range(given.first, given.first + given.files)
    with Lab() as lab:
        tally = run(numbers, seed, lab, jobs=given.jobs, most_findings=given.findings)
    for finding in tally.findings:
        print(f"----\n{finding}")
    for key, count in sorted(tally.explained.items()):
        print(f"{key}: {count}")
    print(f"{tally.summary()}; {time.monotonic() - start:.1f} s")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
