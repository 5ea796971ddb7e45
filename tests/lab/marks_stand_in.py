"""The IPVS owner's marks alone, in the namespace where this runs: one command a line, answers as JSON.

python -m tests.lab.marks_stand_in FILE        commands: apply FILE, verify, successor, retire
"""

from __future__ import annotations

import collections
import json
import sys

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.compile import CompileOptions, compile_configuration
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.ipvs_proc.marks import Marks


class Desk:
    """One black box, and the marks of the process that has it."""

    def __init__(self) -> None:
        self._box = BlackBox(64, 64)
        self._counters: collections.Counter[str] = collections.Counter()
        self.marks = self._born()

    def _born(self) -> Marks:
        logger = ProcessLog("marks", LogSettings(syslog=False, file="/dev/null")).logger
        return Marks(self._box, self._box.load(), logger, self._counters)

    def serve(self, command: str, *words: str) -> object:
        """What the command gives."""
        if command == "apply":
            compiled = compile_configuration(words[0], CompileOptions(config_id="test")).configuration
            assert compiled is not None
            document = self.marks.applied(compiled.ipvs, words[1])
            self.marks.bring()
            return {one.id: [listener.fwmark for listener in one.listeners] for one in document.services}
        if command == "verify":
            self.marks.verify()
            self.marks.bring()
        elif command == "successor":
            self.marks = self._born()
        else:
            self.marks.retire()
        return dict(self._counters)


def main() -> None:
    desk = Desk()
    for line in sys.stdin:
        print(json.dumps(desk.serve(*line.split())), flush=True)


if __name__ == "__main__":
    main()
