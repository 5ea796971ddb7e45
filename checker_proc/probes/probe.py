"""What every probe is to its check: started once, ended once, cancelled at any time. No probe is made here."""

from __future__ import annotations

from typing import Protocol

from pyhad.checker_proc.core.events import Result


class Owner(Protocol):
    """The check that waits for a probe."""

    def take(self, result: Result) -> None:
        """The probe's one result. Never called from inside the probe's own start."""


class Probe(Protocol):
    """One attempt on its way."""

    def cancel(self) -> None:
        """Give up everything it holds; no result will come. Harmless when it is done."""
