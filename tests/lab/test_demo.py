"""The demonstration as a newcomer runs it: to its end, and interrupted."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab
ROOT = Path(__file__).resolve().parents[2]


def start() -> subprocess.Popen[str]:
    """Whoever runs the suite in the background has SIGINT ignored, and children inherit that."""
    return subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "demo"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_behind(pid: int) -> list[str]:
    """Namespaces of that run, and processes that still use one of its folders."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    namespaces = re.findall(rf"^ph{pid}-\S+", listed, re.MULTILINE)
    return namespaces + [command for command in commands() if "pyhad-demo." in command]


def commands() -> Iterator[str]:
    """Of all processes; some end while they are looked at."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_text(errors="replace")


@pytest.mark.timeout(300)
def test_the_demonstration_ends_well_and_leaves_nothing() -> None:
    demo = start()
    text, _ = demo.communicate(timeout=280)
    assert demo.returncode == 0, text
    assert "longest gap" in text
    assert "\033[" not in text, "no colours into a pipe"
    faults = re.findall(r"^(.+?) +\d+ ms +\d+/\d+", text, re.MULTILINE)
    assert faults == [
        "nothing happens", "web1 is killed", "web1 comes back", "kill -9 of the vrrp process of d1",
        "kill -9 of the checker process of d1", "kill -9 of the ipvs process of d1", "d1, the master, is stopped",
        "d1 is started again",
    ]  # fmt: skip
    assert left_behind(demo.pid) == []


def test_an_interrupted_demonstration_leaves_nothing() -> None:
    demo = start()
    assert demo.stdout is not None
    for line in demo.stdout:
        if "d1 is master" in line:
            break
    time.sleep(0.5)
    demo.send_signal(signal.SIGINT)
    text, _ = demo.communicate(timeout=100)
    assert demo.returncode == 130, text
    assert "interrupted" in text
    assert left_behind(demo.pid) == []
