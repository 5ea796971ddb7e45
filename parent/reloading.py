"""The configuration in force, and the compilation that may replace it. Decides nothing, hands out nothing."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.config.model import ParentDocument
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop, Timer
from pyhad.common.states import ProcessName
from pyhad.parent.compiler import Compilation, Documents, Outcome
from pyhad.parent.marker import Marker
from pyhad.parent.renewal import renewing
from pyhad.parent.setup import Beginning, Setup
from pyhad.parent.writers import Writers, replace_file

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
        self._previous: Documents | None = None
        """What a reload that is not confirmed goes back to."""
        self._generation = 1 if setup.left is None else setup.left.generation + 1
        self._compilation: Compilation | None = None
        self._marker = Marker(setup, logger)
        self._writers = Writers(loop, setup.log_of(ProcessName.PARENT))

    @property
    def is_in_force(self) -> bool:
        """Whether there is one yet."""
        return self._in_force is not None

    @property
    def in_force(self) -> Documents:
        """What children are started with. There is always one after the first `adopt()`."""
        assert self._in_force is not None
        return self._in_force

    def compile(self) -> None:
        """Start a compilation of the files as they are now."""
        self._generation += 1
        self._marker.set(self.in_force.parent.settings.reload_file)
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

    def adopt(self, *, keep_previous: bool = False) -> None:
        """The documents taken last are in force from now on."""
        assert self._fresh is not None
        self.forget_previous()
        self._previous, self._in_force, self._fresh = self._in_force, self._fresh, None
        if not keep_previous:
            self.forget_previous()

    def forget_previous(self) -> None:
        """Nobody goes back to it any more."""
        if self._previous is not None:
            self._previous.close()
            self._previous = None

    def renew_previous(self) -> None:
        """Start to make the documents again that `adopt` kept."""
        assert self._previous is not None
        self._generation += 1
        try:
            self._compilation = compilation = begin_compilation(self._setup, self._generation, again=self._previous)
        except OSError as error:
            self._not_renewed(str(error))
            return
        limit = self._loop.at(compilation.limit_at_ns, compilation.kill)
        self._loop.watch(compilation.pidfd, lambda _events: self._renewed(compilation, limit))

    def _renewed(self, compilation: Compilation, limit: Timer) -> None:
        outcome = self._end_of(compilation, limit)
        if outcome.documents is not None:
            self.take(outcome)
        else:
            self._not_renewed(outcome.summary.first_error)

    def _not_renewed(self, error: str) -> None:
        self.report = f"the reload was not confirmed in time, and the way back failed; it is tried again: {error}\n"
        self._logger.error("reload_not_undone", error=error)
        self._on_refused()

    def abandon(self) -> None:
        """The daemon ends: so does a compilation that is under way."""
        if self._compilation is not None:
            self._compilation.kill()
        self._marker.clear()

    def _compiled(self, compilation: Compilation, limit: Timer) -> None:
        outcome = self._end_of(compilation, limit)
        self._keep_report(outcome.report)
        if outcome.documents is not None and (fixed := _fixed(self.in_force.parent, outcome.documents.parent)):
            outcome.documents.close()
            text = f"{fixed} cannot change while the daemon runs: restart it"  # REL-1
            self._refuse(first_error=text, errors=1, report=f"{text}\n")
        elif outcome.documents is not None:
            self._marker.clear()
            self.take(outcome)
        else:
            summary = outcome.summary
            self._refuse(first_error=summary.first_error, errors=summary.errors, report=outcome.report)

    def _end_of(self, compilation: Compilation, limit: Timer) -> Outcome:
        limit.cancel()
        self._loop.unwatch(compilation.pidfd)
        self._compilation = None
        return compilation.outcome()

    def _keep_report(self, report: str) -> None:
        """`reload_check_config LOG` (REL-4)."""
        path = self.in_force.parent.settings.reload_log
        if path:
            self._writers.start(lambda: _write_report(path, report), "report")

    def _refuse(self, *, first_error: str, errors: int, report: str) -> None:
        self.report = report
        self._marker.clear()
        self._logger.error(
            "reload_refused", first_error=first_error, errors=errors, report=report[:REPORT_CHARACTERS]
        )  # fmt: skip
        self._on_refused()


def begin_compilation(setup: Beginning, generation: int, again: Documents | None = None) -> Compilation:
    """A compilation of the files as they are now, or of documents `again`, in its own process. Raises OSError."""
    return Compilation(
        setup.compile_files if again is None else renewing(again),
        setup.options,
        generation=generation,
        account=setup.account,
        log=setup.log_of(ProcessName.PARENT),
        keep=() if again is None else again.fds.values(),
    )


def _fixed(before: ParentDocument, after: ParentDocument) -> str:
    """The keyword that a reload may not change and that it did change; empty: none."""
    pairs = {
        "instance": (before.daemon, after.daemon),
        "net_namespace": (before.settings.namespace, after.settings.namespace),
        "net_namespace_ipvs": (before.settings.ipvs_namespace, after.settings.ipvs_namespace),
    }
    return next((name for name, (old, new) in pairs.items() if old != new), "")


def _write_report(path: str, report: str) -> int:
    replace_file(path, report.encode("utf-8", "replace"))
    return 0
