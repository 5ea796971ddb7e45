"""The script helper as a process of its own, and what its programs inherit of it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from pyhad.common.codec import encode
from pyhad.common.config.model.tracking import Program
from pyhad.common.scripts.helper import fork_helper
from pyhad.common.scripts.orders import ANSWERS, Check, Ended

pytestmark = pytest.mark.lab
SECOND_NS = 1_000_000_000
PATIENCE_S = 40


@pytest.fixture
def helper() -> Iterator[socket.socket]:
    channel = fork_helper()
    channel.settimeout(PATIENCE_S)
    yield channel
    channel.close()


def run(helper: socket.socket, *argv: str, timeout_ns: int = 20 * SECOND_NS) -> Ended:
    program = Program(argv=argv, uid=os.geteuid(), gid=os.getegid(), groups=tuple(os.getgroups()))
    helper.send(encode(Check(ticket=1, program=program, timeout_ns=timeout_ns)))
    while not isinstance(answer := ANSWERS.decode(helper.recv(65536)), Ended):
        pass
    return answer


@pytest.mark.behaviour("NTF-4", "TRK-13")
@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1", "USR2", "PIPE"])
def test_signals_that_the_helper_leaves_aside_end_and_reach_its_programs(helper: socket.socket, name: str) -> None:
    """A shell cannot even trap what was ignored when it began."""
    number = getattr(signal, f"SIG{name}")
    assert run(helper, "/bin/sh", "-c", f"kill -{name} $$; exit 0") == Ended(ticket=1, status=-number)
    assert run(helper, "/bin/sh", "-c", f"trap 'exit 7' {name}; kill -{name} $$; exit 0") == Ended(ticket=1, status=7)
