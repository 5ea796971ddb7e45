"""Verdicts on their way to the owner of the table: what is lost, and who is replaced, is made good within two beats.

The checker is the real one. Its receiver follows levels and edges as the owner does, but loses what it is told to lose.
Two beats of 500 ms are the second that is promised; beats are counted, not time, so a busy machine is no failure.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterator

import pytest

from pyhad.common import messages as m
from pyhad.common.bus import Peer
from pyhad.common.following import Following
from tests.lab.checker_stand_in import Director, Server, checked, replying, tcp

SERVERS = 5
BEATS = 2
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]


class Receiver(Director):
    """`loses(message)` says what never arrives. `beats` counts those heard while something was missing."""

    def __init__(self, folder: str) -> None:
        self.following = Following()
        self.loses: Callable[[object], bool] = lambda message: False
        self.beats = 0
        self.asked = 0
        super().__init__(folder)

    def _take_verdict(self, sender: bytes, peer: Peer, message: object) -> None:
        if self.loses(message):
            return
        follows = True
        match message:
            case m.VerdictSnapshot():
                self.following.snapshot(message.generation, message.sequence)
            case m.VerdictChanged():
                follows = self.following.edge(message.generation, message.sequence)
            case m.Beat():
                self.beats += 1
                follows = self.following.beat(message.generation, message.sequence)
        if follows:
            super()._take_verdict(sender, peer, message)
        else:
            self.asked += 1
            self.hubs[0].send(sender, m.SnapshotWanted(reason="lost"))

    def is_whole(self, down: set[str]) -> bool:
        """It knows of each server what is so."""
        return len(self.verdicts) == SERVERS and {one.server for one in self.verdicts.values() if not one.up} == down


@pytest.fixture
def receiver(open_folder: pathlib.Path) -> Iterator[Receiver]:
    one = Receiver(str(open_folder))
    try:
        yield one
    finally:
        one.close()


def started(receiver: Receiver) -> list[Server]:
    servers = [receiver.serve(replying(b"")) for _ in range(SERVERS)]
    receiver.start(*(checked(f"127.0.0.1:{one.port}", tcp(one.port)) for one in servers))
    receiver.until(lambda: sum(one.reason == "check_succeeded" for one in receiver.verdicts.values()) == SERVERS)
    return servers


def kill(receiver: Receiver, server: Server) -> str:
    server.close()
    return f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("lost", [m.VerdictChanged, m.VerdictSnapshot, m.Beat])
def test_a_lost_message_is_made_good(receiver: Receiver, lost: type) -> None:
    servers = started(receiver)
    gone: list[object] = []

    def lose_one(message: object) -> bool:
        if isinstance(message, lost) and not gone:
            gone.append(message)
            receiver.beats = 0
            return True
        return False

    receiver.loses = lose_one
    down = {kill(receiver, servers[0])}
    if lost is m.VerdictSnapshot:
        receiver.hubs[0].send(receiver.sender, m.SnapshotWanted(reason="test"))
    receiver.until(lambda: gone)
    receiver.until(lambda: receiver.is_whole(down) or receiver.beats > BEATS)
    assert receiver.is_whole(down)


def test_the_last_change_before_a_silence_is_made_good_by_a_beat(receiver: Receiver) -> None:
    """No later edge shows the gap."""
    servers = started(receiver)
    receiver.loses = lambda message: isinstance(message, m.VerdictChanged)
    dead = kill(receiver, servers[0])
    receiver.until(lambda: receiver.lines("server_down"))
    receiver.beats = 0
    receiver.until(lambda: receiver.is_whole({dead}) or receiver.beats > BEATS)
    assert receiver.is_whole({dead})
    assert receiver.asked >= 1


def test_a_receiver_that_is_replaced_knows_all_again(receiver: Receiver) -> None:
    servers = started(receiver)
    dead = kill(receiver, servers[1])
    receiver.until(lambda: receiver.is_whole({dead}))
    for hub in receiver.hubs:
        hub.close()
    also = kill(receiver, servers[2])
    receiver.turn_for(0.3)
    receiver.verdicts, receiver.following, receiver.beats = {}, Following(), 0
    receiver.open_hubs()
    receiver.until(lambda: receiver.is_whole({dead, also}) or receiver.beats > BEATS)
    assert receiver.is_whole({dead, also})


def test_a_checker_that_is_replaced_says_what_its_predecessor_knew(receiver: Receiver) -> None:
    servers = started(receiver)
    dead = kill(receiver, servers[3])
    receiver.until(lambda: receiver.is_whole({dead}))
    before = dict(receiver.verdicts)
    receiver.kill()
    receiver.verdicts, receiver.beats = {}, 0
    receiver.start(*(checked(f"127.0.0.1:{one.port}", tcp(one.port)) for one in servers))
    receiver.until(lambda: receiver.is_whole({dead}) or receiver.beats > BEATS)
    assert receiver.verdicts == before
