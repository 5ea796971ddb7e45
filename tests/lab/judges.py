"""The two who judge a configuration file: keepalived's and pyhad's own config tests, by their exit status and words.

Both run where this process is: `settle` moves it into a host of the lab first. `keepalived -t` is started anew for each
file. `pyhad -t` is `pyhad.parent.main.run`, what the command calls, in a fork of this process, which imported it once.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pyhad.common import namespaces
from pyhad.parent.main import run
from tests.lab.net import die_with_parent

CRASHED = "pyhad crashed"
_PLACE = re.compile(r"^\([^)]*Line \d+\) ")
_FINDING = re.compile(r"^(?:\S*(?::\d+:\d+)?: )?(?:error|warning): (.*)$")
_NOT_YET = re.compile(r"(is|are) not acted on yet$")
_STATUSES = (0, 2, 4, 5, 6)
_LIMIT_S = 30


@dataclass(frozen=True)
class Verdict:
    """What one of the two says of a file. `findings` is empty when it accepts; `crashed` when it did not say."""

    findings: tuple[str, ...]
    crashed: str = ""

    @property
    def accepts(self) -> bool:
        return not self.findings and not self.crashed


def settle(namespace: str) -> None:
    """Move this process to a host of the lab, for good; it ends with the process that started it."""
    die_with_parent()
    namespaces.enter_named(namespace)


class Judges:
    """Both judges, with a folder of their own that everybody can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "t.conf"

    def keepalived(self, text: str) -> Verdict:
        """Exit status 0 accepts; a signal is a crash of the real program (grammar.md knows one), and so is no end."""
        self.write(text)
        argv = ["keepalived", "-t", "-f", str(self._path)]
        try:
            done = subprocess.run(argv, capture_output=True, timeout=_LIMIT_S, cwd=self._folder)
        except subprocess.TimeoutExpired:
            return Verdict((), crashed=f"no verdict within {_LIMIT_S} s")
        if done.returncode == 0:
            return Verdict(())
        said = done.stderr.decode(errors="replace").splitlines()
        lines = tuple(_PLACE.sub("", line) for line in said if line.strip())
        if done.returncode < 0 or done.returncode > 100:
            return Verdict(lines, crashed=f"status {done.returncode}")
        return Verdict(lines or (f"status {done.returncode}",))

    def pyhad(self, text: str) -> Verdict:
        """Errors and warnings refuse; what is only not acted on yet does not count."""
        self.write(text)
        status, report = self.config_test()
        if status not in _STATUSES:
            return Verdict((f"{CRASHED}: status {status}: {report[-500:]}",))
        said = [match[1] for line in report.splitlines() if (match := _FINDING.match(line))]
        findings = tuple(one for one in said if not _NOT_YET.search(one))
        if bool(said) is not bool(status):
            return Verdict((f"{CRASHED}: status {status} after {report!r}",))
        return Verdict(findings)

    def write(self, text: str) -> Path:
        """Make `text` the file that is judged."""
        self._path.write_text(text)
        self._path.chmod(0o644)
        return self._path

    def config_test(self) -> tuple[int, str]:
        """Exit status and report of `pyhad -t` for what was written."""
        sink = os.memfd_create("report")
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            status = 70
            try:
                signal.alarm(_LIMIT_S)
                os.dup2(sink, 2)
                status = run(["-t", "-f", str(self._path), "-i", "node"])
            finally:
                os._exit(status)
        _, ended = os.waitpid(pid, 0)
        size = os.fstat(sink).st_size
        report = os.pread(sink, size, 0).decode(errors="replace")
        os.close(sink)
        return os.waitstatus_to_exitcode(ended), report
