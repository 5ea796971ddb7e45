"""What keepalived prints at its start with `-d`, as blocks of entries. Knows the layout, and none of the labels."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pyhad.common.config.model.tracking import Program

T = TypeVar("T")
_STAMP = re.compile(r"^\w{3} \w{3} +\d+ [\d:]{8} \d{4}: ?")
_HEADER = re.compile(r"^ *-+< (.*) >-+$")
_ENTRY = re.compile(r"^(\S(?:[^=:]|:(?=\S))*?)(?: = |: | :$|:$| is (?=O)| (?=(?:un)?set$|(?:en|dis)abled$)|$)(.*)$")
_OUT_OF_LINE = re.compile(r"^ {4,}(RS (?:up|down) notify script|VirtualHost|Script uid:gid) =")
GLOBALS = "Global definitions"
Facts = Mapping[str, Callable[[T], str | None]]
"""By label what the model has, as keepalived prints it; None: it prints no such line."""

_OVERFLOW = "keepalived keeps 'not given' as the highest number of 32 bits"
EXPLAINED = {
    r"Send advert after receive higher priority advert: keepalived has false, pyhad true": "decision 0008",
    r"[^:]+: keepalived has \d+, pyhad 4294967295": _OVERFLOW,
    r"Connection: keepalived has .*, pyhad .*Timeout = 4294\.967295": _OVERFLOW,
    r"sorry server: keepalived has [^;]*:0;.*, pyhad ": "FIX-58: without a port, that of the service",
    r"forwarding method: keepalived has NAT, pyhad (DR|TUN)": "DIF-66: the method that stood above the server counts",
    r"(s|m)h-(port|fallback): keepalived has enabled, pyhad disabled": "DIF-65: a flag of another scheduler",
    r"flag-\d: keepalived has enabled, pyhad disabled": "DIF-65: a flag of another scheduler",
    r"Log all failures: keepalived has no, pyhad yes": "CHK-8: keepalived keeps the global word beside each check's",
    r"Tracked Files: keepalived has .*, pyhad None": "FIX-64: of several lines the last, though it names no file",
    r"(Interval|Timeout): keepalived has 1 sec, pyhad 0\.": "DIF-26: 2.2.7 knows whole seconds only",
    r"(Terminate|Fork) delay: keepalived has -": "2.2.7 counts microseconds in 32 bits",
    r"[\w ]+ script: keepalived has None, pyhad ": "DIF-21: whether a program is there is seen when it is run",
    r"Tracked \w+: keepalived has .*, pyhad .*weight 0": "DIF-1: 2.2.7 leaves out a line with reverse alone",
    r"Timeout: keepalived has 0 sec, pyhad ": "TRK-10: keepalived keeps 'as the interval' as 0",
    r"Connection: keepalived has .*Timeout = 0\.000000, pyhad": "CHK-41: in 2.2.7 a host has no time to connect",
}
"""Differences by their text, with what explains them."""


def is_explained(line: str) -> bool:
    """Whether `EXPLAINED` has this difference."""
    return any(re.match(one, line) for one in EXPLAINED)


@dataclass
class Entry:
    """One line, and those below it that are indented more."""

    label: str
    value: str
    items: list[str] = field(default_factory=list)

    @property
    def whole(self) -> str:
        """Value and items in one line."""
        return "; ".join(one for one in (self.value, *self.items) if one)


@dataclass
class Block:
    """One thing that was configured: what section it stands in, its first line, its entries."""

    section: str
    title: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the first line says after its first `=`."""
        return self.title.partition(" = ")[2].strip()

    def every(self, label: str) -> list[Entry]:
        """All entries of that label."""
        return [one for one in self.entries if one.label == label]

    def values(self) -> dict[str, str]:
        """By label, with the items; of several entries of a label one after the other."""
        found: dict[str, str] = {}
        for one in self.entries:
            found[one.label] = f"{found[one.label]} | {one.whole}" if one.label in found else one.whole
        return found


def read_dump(log: str) -> list[Block]:
    """All blocks in the order of their printing. Lines that do not belong to the dump begin at the margin."""
    blocks: list[Block] = []
    section, is_new = "", False
    for line in (_STAMP.sub("", line) for line in log.splitlines()):
        if header := _HEADER.match(line):
            section, is_new = header[1], True
            if section == GLOBALS:
                blocks.append(Block(section, ""))
            continue
        if not section or not line.startswith(" "):
            continue
        depth = 3 if _OUT_OF_LINE.match(line) else len(line) - len(line.lstrip())
        if section == GLOBALS:
            depth += 2
        if depth < 3 or (is_new and section != GLOBALS):
            blocks.append(Block(section, line.strip()))
        elif depth < 5 and (match := _ENTRY.match(line.strip())):
            blocks[-1].entries.append(Entry(match[1].strip(), match[2].strip()))
        elif blocks[-1].entries:
            blocks[-1].entries[-1].items.append(line.strip())
        is_new = False
    return blocks


def compare(
    block: Block, one: T, facts: Facts[T], passed_over: re.Pattern[str], *, lenient: bool = False
) -> Iterator[str]:
    """`LABEL: keepalived has X, pyhad Y`, and labels that nobody knows. `lenient`: only what is printed counts."""
    values = block.values()
    for label, fact in facts.items():
        if label not in values and lenient:
            continue
        theirs, ours = values.get(label), fact(one)
        if theirs != ours:
            yield f"{label}: keepalived has {theirs}, pyhad {ours}"
    for label, value in values.items():
        if label not in facts and not passed_over.match(label):
            yield f"{label}: keepalived has {value}, and nobody knows what that is"


def program_text(program: Program | None) -> str | None:
    """A command as it is printed, with the account it runs as."""
    if program is None:
        return None
    return f"{command_text(program)}, uid:gid {program.uid}:{program.gid}"


def command_text(program: Program) -> str:
    """Its words."""
    path, *words = program.argv
    return " ".join(f"'{word}'" for word in (os.path.realpath(path) if path[:1] == "/" else path, *words))


def on_off(value: bool) -> str:
    """As of a switch."""
    return "ON" if value else "OFF"


def yes_no(value: bool) -> str:
    """As of a question."""
    return "yes" if value else "no"


def true_false(value: bool) -> str:
    """As of a condition."""
    return "true" if value else "false"


def enabled(value: bool) -> str:
    """As of a mode."""
    return "enabled" if value else "disabled"
