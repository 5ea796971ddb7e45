"""The scripts before the first child and after the last one (PROC-5). Waits for them: there are no children then."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.config.model.process import AroundScript, DaemonSettings
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.common.scripts.orders import Rules
from pyhad.common.scripts.run import Outcome, Runner

BEAT_NS = 1_000_000_000
GIVE_UP_NS = 14_000_000_000
"""After its time: TERM, KILL 2 s later, and this long for a process that even KILL does not end."""


def run_around(
    script: AroundScript | None,
    name: str,
    settings: DaemonSettings,
    *,
    logger: FilteringBoundLogger,
    beat: Callable[[], None],
) -> None:
    """Run it to its end, or to that of patience. A failure is logged and changes nothing. `beat` runs each second."""
    if script is None:
        return
    loop = Loop()
    runner = Runner(loop, lambda event, path, detail: logger.warning(event, path=path, detail=detail))
    runner.rules = Rules(script_security=settings.script_security, keep_links=settings.keep_script_links)

    def ended(outcome: Outcome) -> None:
        log = logger.info if outcome.status == 0 and not outcome.timed_out else logger.warning
        log(f"{name}_ended", status=outcome.status, timed_out=outcome.timed_out, detail=outcome.detail)
        loop.stop()

    def give_up() -> None:
        logger.error(f"{name}_given_up", path=script.program.argv[0])
        loop.stop()

    logger.info(f"{name}_started", path=script.program.argv[0])
    if runner.start(script.program, script.timeout_ns, ended) is not None:
        loop.every(BEAT_NS, beat)
        loop.after(script.timeout_ns + GIVE_UP_NS, give_up)
        loop.run()
    loop.close()
