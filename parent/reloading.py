"""The configuration in force, and the compilation that may replace it. Decides nothing, hands out nothing."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.config.model import ParentDocument
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop, Timer
from pyhad.parent.compiler import Compilation, Documents, Outcome
from pyhad.parent.setup import Setup

REPORT_CHARACTERS = 8000


class Configurations:
    """`on_ready(document)` and `on_refused()` say how a compilation ended; `adopt()` puts what came of it in force."""

    def __init__(
        self,
        loop: Loop,
        setup: Setup,
        *,
        logger: FilteringBoundLogger,
        on_ready: Callable[[ParentDocument], None],
        on_refused: Callable[[], None],
    ) -> None:
        self.report = ""
        """What the last compilation had to say, for a person."""
        self._loop = loop
        self._setup = setup
        self._logger = logger
        self._on_ready = on_ready
        self._on_refused = on_refused
        self._in_force: Documents | None = None
        self._fresh: Documents | None = None
        self._generation = 1 if setup.left is None else setup.left.generation + 1
        self._compilation: Compilation | None = None

    @property
    def in_force(self) -> Documents:
        """What children are started with. There is always one after the first `adopt()`."""
        assert self._in_force is not None
        return self._in_force

    def compile(self) -> None:
        """Start a compilation of the files as they are now."""
        self._generation += 1
        try:
            self._compilation = compilation = begin_compilation(self._setup, self._generation)
        except OSError as error:
            self._refuse(first_error=str(error), errors=1, report=f"{error}\n")
            return
        limit = self._loop.at(compilation.limit_at_ns, compilation.kill)
        self._loop.watch(compilation.pidfd, lambda _events: self._compiled(compilation, limit))

    def take(self, outcome: Outcome) -> None:
        """A usable outcome: the first one, or that of a reload."""
        assert outcome.documents is not None
        self._fresh = outcome.documents
        self.report = outcome.report
        if outcome.report:
            self._logger.info("configuration_report", report=outcome.report[:REPORT_CHARACTERS])
        self._on_ready(outcome.documents.parent)

    def adopt(self) -> None:
        """The documents taken last are in force from now on."""
        assert self._fresh is not None
        if self._in_force is not None:
            self._in_force.close()
        self._in_force, self._fresh = self._fresh, None

    def abandon(self) -> None:
        """The daemon ends: so does a compilation that is under way."""
        if self._compilation is not None:
            self._compilation.kill()

    def _compiled(self, compilation: Compilation, limit: Timer) -> None:
        limit.cancel()
        self._loop.unwatch(compilation.pidfd)
        self._compilation = None
        outcome = compilation.outcome()
        if outcome.documents is not None:
            self.take(outcome)
        else:
            summary = outcome.summary
            self._refuse(first_error=summary.first_error, errors=summary.errors, report=outcome.report)

    def _refuse(self, *, first_error: str, errors: int, report: str) -> None:
        self.report = report
        self._logger.error(
            "reload_refused", first_error=first_error, errors=errors, report=report[:REPORT_CHARACTERS]
        )  # fmt: skip
        self._on_refused()


def begin_compilation(setup: Setup, generation: int) -> Compilation:
    """A compilation of the files as they are now, in its own process. Raises OSError."""
    return Compilation(
        setup.compile_files, setup.options, generation=generation, account=setup.account, log=setup.log
    )  # fmt: skip
