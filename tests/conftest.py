"""What holds for every rung: hypothesis measures no time. In `make test` a skip for want of a tool is a failure, and
hypothesis tries the same examples each time: what chance finds is for who works on it, in all other runs."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

COMPLETE = "PYHAD_TESTS_COMPLETE"
"""Set by `make test`, which installs every tool: a test that is skipped because it "needs" one has failed there."""

settings.register_profile("untimed", deadline=None, derandomize=bool(os.environ.get(COMPLETE)))
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get(COMPLETE) and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        if reason.startswith("Skipped: needs "):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: {reason}; `make test` skips nothing for want of a tool"
    return report
