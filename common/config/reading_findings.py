"""What reading has to say, bounded: a broken file gives many messages, a hostile one must not give millions."""

from __future__ import annotations

from typing import NoReturn

from pyhad.common.config.source import Diagnostic, Location, Severity, Trouble
from pyhad.common.records import dataclass

MAX_FINDINGS = 1000


class ReadingStopped(Exception):
    """A bound was reached: reading ends here. The finding has been recorded; the reader catches this itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """A physical line and how reading came to it; with a column it is a Location."""

    file: str
    line: int
    text: str
    via: tuple[str, ...] = ()

    def at(self, column: int) -> Location:
        """The Location of a column of this line."""
        return Location(self.file, self.line, column, self.text, self.via)

    def step(self, how: str) -> str:
        """One step of a `via` chain that begins here: `how at FILE:LINE`."""
        return f"{how} at {self.file}:{self.line}"

    def reached(self, *steps: str) -> Place:
        """The same line with `steps` added to how reading came to it."""
        return Place(self.file, self.line, self.text, (*self.via, *steps))


class Findings:
    """Diagnostics in the order they were found, at most MAX_FINDINGS and one that says there were more."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def add(self, severity: Severity, trouble: Trouble, message: str, at: Location, hint: str = "") -> None:
        """Record one; past the bound only that there are more."""
        if len(self.diagnostics) < MAX_FINDINGS:
            self.diagnostics.append(Diagnostic(severity, trouble, message, at, hint))
        elif len(self.diagnostics) == MAX_FINDINGS:
            more = f"more than {MAX_FINDINGS} problems: the rest is not shown"
            self.diagnostics.append(Diagnostic(Severity.ERROR, Trouble.GENERAL, more, at))

    def error(self, trouble: Trouble, message: str, at: Location, hint: str = "") -> None:
        """Record an ERROR."""
        self.add(Severity.ERROR, trouble, message, at, hint)

    def stop(self, message: str, at: Location, hint: str = "") -> NoReturn:
        """Record an ERROR and end the reading: raises ReadingStopped."""
        self.error(Trouble.GENERAL, f"{message}: reading stops here", at, hint)
        raise ReadingStopped
