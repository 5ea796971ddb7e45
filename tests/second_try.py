"""pytest, and what failed once more by itself: `python -m tests.second_try ARGUMENTS-OF-PYTEST`.

The tests of the lab and of the lab kernel watch other processes on a machine that does other work besides. One of
hundreds that was unlucky should not hide what the others show. So a test that failed is run again, alone; but only
where at most AT_MOST failed. The first failure is printed whole all the same, and who needed the second try is named
at the end: it has to be mended. Exit status: pytest's; 0 as well where everything that failed passed alone.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

AT_MOST = 2


class Failures:
    """A plugin that keeps the names of the tests that failed."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has three reports: of its set-up, of itself, of what takes it apart."""
        if report.failed and report.nodeid not in self.names:
            self.names.append(report.nodeid)


def passes_alone(name: str) -> bool:
    """A new process, so that nothing is left of the first try."""
    print(f"\nsecond try: {name}", flush=True)
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]).returncode == 0


def main(arguments: list[str]) -> int:
    """Run the tests; returns the exit status."""
    failures = Failures()
    status = pytest.main(arguments, plugins=[failures])
    if status != pytest.ExitCode.TESTS_FAILED or not failures.names:
        return int(status)
    if len(failures.names) > AT_MOST:
        print(f"{len(failures.names)} tests failed: more than {AT_MOST}, so none is tried again.")
        return int(status)
    unsteady = [name for name in failures.names if passes_alone(name)]
    for name in failures.names:
        said = "failed, and PASSED ONLY AT THE SECOND TRY" if name in unsteady else "failed both times"
        print(f"{said}: {name}")
    return 0 if unsteady == failures.names else int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
