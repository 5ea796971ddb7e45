"""Gathers what there is to say about a configuration. Formats nothing, decides no exit status."""

from __future__ import annotations

from pyhad.common.config.keyword import Acts, Keyword
from pyhad.common.config.source import Diagnostic, Location, Severity, Trouble
from pyhad.common.records import dataclass, field


@dataclass(slots=True)
class _Later:
    first: Location
    severity: Severity
    count: int = 0


@dataclass(slots=True)
class Complaints:
    """All diagnostics of one run, in the order in which they were found."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    _later: dict[tuple[str, str], _Later] = field(default_factory=dict)

    def error(self, message: str, at: Location, *, hint: str = "", trouble: Trouble = Trouble.GENERAL) -> None:
        """The configuration cannot be used."""
        self.diagnostics.append(Diagnostic(Severity.ERROR, trouble, message, at, hint))

    def warning(self, message: str, at: Location, *, hint: str = "", trouble: Trouble = Trouble.GENERAL) -> None:
        """Usable, but not as written."""
        self.diagnostics.append(Diagnostic(Severity.WARNING, trouble, message, at, hint))

    def later(self, keyword: Keyword, at: Location) -> None:
        """`keyword` is understood, not yet acted on: said once per kind of block, with the first place and a count."""
        severity = Severity.WARNING if keyword.acts is Acts.LOUD else Severity.NOTE
        entry = self._later.setdefault((keyword.block, keyword.name), _Later(at, severity))
        entry.count += 1

    def all(self) -> tuple[Diagnostic, ...]:
        """Everything, the gathered notes last."""
        notes = []
        for (block, name), entry in self._later.items():
            where = "" if block == "ROOT" else f" in {block}"
            times = f" ({entry.count} times)" if entry.count > 1 else ""
            message = f"'{name}'{where} is understood, not yet acted on{times}"
            notes.append(Diagnostic(entry.severity, Trouble.NOT_YET, message, entry.first))
        return (*self.diagnostics, *notes)
