"""What `ps` shows of a process."""

from __future__ import annotations

import subprocess
import sys

from pyhad.common.title import title_of

PROGRAM = """
import sys
from pyhad.common.title import set_title
set_title(sys.argv[1])
print(open("/proc/self/cmdline", "rb").read())
print(sys.argv)
"""


def shown(title: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, title], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_command_line_is_the_title_and_nothing_is_left_of_the_words() -> None:
    command_line, words = shown("pyhad: vrrp")
    assert command_line.startswith("b'pyhad: vrrp\\x00\\x00")
    assert set(command_line.removeprefix("b'pyhad: vrrp").removesuffix("'").split("\\x00")) == {""}
    assert words == "['-c', 'pyhad: vrrp']"


def test_a_long_title_takes_the_room_there_is() -> None:
    title = "x" * 5000  # the words themselves are longer, for it is among them
    assert shown(title)[0].count("x") >= 5000
    assert len(title_of("vrrp", "left")) == len("pyhad left: vrrp")
    assert title_of("vrrp", "") == "pyhad: vrrp"
