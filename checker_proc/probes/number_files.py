"""FILE_CHECK: what the script helper last said of the files (CHK-90). Opens none: a checker may not read them all.

The helper follows them by inotify, so a change is here at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyhad.checker_proc.core.events import ProbeImpossible, Result
from pyhad.checker_proc.core.number_file import judge_number
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import FileCheck
from pyhad.common.config.model.tracking import TrackFile
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import FileRead, Follow

FIRST_READ_NS = 500_000_000
"""How long a start waits for the files: servers shall not begin with a weight that is not theirs."""


class NumberFiles:
    """The numbers by name of the `track_file`. `on_change(name)` hears of each that became another."""

    def __init__(self, scripts: Scripts, on_change: Callable[[str], None]) -> None:
        self._scripts = scripts
        self._on_change = on_change
        self._numbers: dict[str, int] = {}
        self._followed: frozenset[TrackFile] = frozenset()
        scripts.on_file = self._read

    def follow(self, files: Iterable[TrackFile], *, is_first: bool) -> None:
        """Follow these from now on; waits a moment for those that are new."""
        wanted = frozenset(files)
        if wanted == self._followed:
            return
        names = {file.name for file in wanted}
        same = {file.name for file in wanted & self._followed}  # what stood in another file under that name is past
        self._numbers = {name: number for name, number in self._numbers.items() if name in same}
        self._followed = wanted
        self._scripts.send(Follow(files=tuple(sorted(wanted, key=lambda file: file.name)), initialize=is_first))
        self._scripts.wait(lambda: names <= self._numbers.keys(), FIRST_READ_NS)

    def look(self, check: FileCheck) -> Result:
        """What the file says now."""
        number = self._numbers.get(check.file.name)
        if number is None:
            return ProbeImpossible(reason=Reason.FILE_UNREADABLE)
        return judge_number(check, number)

    def _read(self, answer: FileRead) -> None:
        is_followed = any(file.name == answer.name for file in self._followed)  # or it was, when that was read
        if is_followed and self._numbers.get(answer.name) != answer.value:
            self._numbers[answer.name] = answer.value
            self._on_change(answer.name)
