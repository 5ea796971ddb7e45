"""A datagram that nobody answers: what that means, and how long it took."""

from __future__ import annotations

import socket

import pytest

from pyhad.checker_proc.core.events import ProbeFailed, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.datagram import start_udp
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.common.config.model import Target, Timing, UdpCheck
from pyhad.common.loop import Loop

MS = 1_000_000


class Heard:
    """An owner that remembers."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    def take(self, result: Result) -> None:
        self.results.append(result)


def asked_in_vain(*, needs_reply: bool) -> Result:
    """The result of a check of a server that is there and says nothing."""
    loop, heard = Loop(), Heard()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        target = Target(address="127.0.0.1", port=server.getsockname()[1], connect_timeout_ns=MS)
        check = UdpCheck(target=target, timing=Timing(), alpha=False, needs_reply=needs_reply)
        start_udp(loop, Deadlines(loop), check, heard, loop.now_ns())
        while not heard.results:
            loop.turn(1)
    loop.close()
    [result] = heard.results
    return result


@pytest.mark.behaviour("CHK-80")
def test_silence_that_is_good_took_no_time() -> None:
    """Else `pyhad_max_latency` would take a good server out."""
    assert asked_in_vain(needs_reply=False) == ProbeSucceeded(latency_ns=0)


@pytest.mark.behaviour("CHK-80")
def test_silence_where_a_reply_is_wanted_is_a_timeout() -> None:
    result = asked_in_vain(needs_reply=True)
    assert isinstance(result, ProbeFailed)
    assert result.reason is Reason.TIMEOUT
    assert result.latency_ns >= MS
