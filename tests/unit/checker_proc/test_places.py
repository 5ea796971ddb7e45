"""The file of the addresses in use, when it cannot be written for a while. Nothing is looked up here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from pyhad.checker_proc.places import Places
from pyhad.common import known_names
from pyhad.common.config.model import SCHEMA, CheckedServer, CheckerDocument
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop, Timer
from pyhad.common.runtime import Runtime

SECOND = 1_000_000_000


class MinuteLoop(Loop):
    """A minute is over at once."""

    minutes = 0

    def after(self, delay_ns: int, action: Callable[[], None]) -> Timer:
        assert delay_ns == 60 * SECOND
        self.minutes += 1
        return super().after(0, action)


def test_addresses_that_could_not_be_kept_are_kept_after_a_minute(tmp_path: Path) -> None:
    loop = MinuteLoop()
    logger = ProcessLog("test", LogSettings(syslog=False)).logger
    runtime = cast(Runtime, SimpleNamespace(loop=loop, logger=logger, path=lambda name: str(tmp_path / name)))
    try:
        places = Places(runtime, lambda: None)
        places.follow(CheckerDocument(schema=SCHEMA, generation=1, servers=()))
        server = CheckedServer(
            service="s", server="web.example:80", address="10.0.0.7", port=80, weight=1, alpha=False, checks=(),
            name="web.example",
        )  # fmt: skip
        places.moved(server)
        for _ in range(5):
            loop.turn(0.01)
        assert loop.minutes >= 1
        (tmp_path / "bus").mkdir()
        path = tmp_path / known_names.PATH
        for _ in range(500):
            if path.exists():
                break
            loop.turn(0.01)
        assert known_names.load(str(path)).servers == {("s", "web.example:80"): "10.0.0.7"}
        assert loop.next_ns() == 0
    finally:
        loop.close()
