"""Hub and link over a real socket: connection, refusal, garbage, and a hub that is replaced. Every run is bounded."""

from __future__ import annotations

import collections
import itertools
import os
import pathlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pyhad.common import messages as m
from pyhad.common.bus import Context, Hub, Link, Peer, ask
from pyhad.common.channels import OPERATOR, STATUS, VERDICTS, Channel
from pyhad.common.codec import encode
from pyhad.common.errors import WireError
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop

S = 1_000_000_000
WANTED = m.StatusWanted(ticket=3)
REPORT = m.VrrpStatus(ticket=3, taken_ns=1, generation=1, routers=(), counters={})


class Side:
    """One process's half of the bus: loop and context of its own, everything it heard."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.context = Context()
        self.counters: collections.Counter[str] = collections.Counter()
        self.logger = ProcessLog("vrrp", LogSettings(syslog=False)).logger
        self.heard: list[Any] = []
        self.senders: list[tuple[bytes, Peer]] = []
        self.ups = 0

    def hub(
        self,
        path: str,
        *,
        listener_fd: int = -1,
        channel: Channel = STATUS,
        welcome: Callable[[Peer], bool] | None = None,
    ) -> Hub:
        def on_message(sender: bytes, peer: Peer, message: Any) -> None:
            self.heard.append(message)
            self.senders.append((sender, peer))

        return Hub(
            self.loop, self.context, channel, path=path, listener_fd=listener_fd, logger=self.logger,
            counters=self.counters, is_welcome=welcome or (lambda _peer: True), on_message=on_message,
        )  # fmt: skip

    def link(self, path: str, *, identity: str = "vrrp", channel: Channel = STATUS) -> Link:
        def on_up() -> None:
            self.ups += 1

        return Link(
            self.loop, self.context, channel, path=path, identity=identity, logger=self.logger,
            counters=self.counters, on_message=self.heard.append, on_up=on_up,
        )  # fmt: skip


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def side(loop: Loop) -> Iterator[Callable[[], Side]]:
    sides: list[Side] = []

    def make() -> Side:
        sides.append(Side(loop))
        return sides[-1]

    yield make
    for one in sides:
        one.context.close()


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "status")


def until(loop: Loop, condition: Callable[[], bool], within_s: float = 5) -> None:
    """Turn the loop until it is so; fails after `within_s`."""
    end_ns = loop.now_ns() + int(within_s * S)
    while not condition():
        assert loop.now_ns() < end_ns, "not so in time"
        loop.turn(0.01)


def listener(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    sock.listen(16)
    return sock


def test_a_link_hears_when_it_is_up_and_both_can_speak(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, there = side(), side()
    hub, link = here.hub(path), there.link(path)
    until(loop, lambda: there.ups == 1)
    assert link.send(REPORT)
    until(loop, lambda: here.heard == [REPORT])
    sender, peer = here.senders[0]
    assert sender == b"vrrp"
    assert (peer.uid, peer.gid, peer.pid) == (os.getuid(), os.getgid(), os.getpid())
    assert hub.send(sender, WANTED)
    until(loop, lambda: there.heard == [WANTED])
    assert here.counters == there.counters == {}


def test_a_link_may_come_before_its_hub(loop: Loop, side: Callable[[], Side], path: str) -> None:
    there = side()
    link = there.link(path)
    assert link.send(REPORT) is False
    for _ in range(5):
        loop.turn(0.01)
    assert there.ups == 0
    here = side()
    here.hub(path)
    until(loop, lambda: there.ups == 1)
    assert link.send(REPORT)
    until(loop, lambda: here.heard == [REPORT])


def test_many_messages_at_once_all_arrive_in_order(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, there = side(), side()
    here.hub(path)
    link = there.link(path)
    until(loop, lambda: there.ups == 1)
    for ticket in range(500):
        assert link.send(m.VrrpStatus(ticket=ticket, taken_ns=1, generation=1, routers=(), counters={}))
    until(loop, lambda: len(here.heard) == 500)
    assert [message.ticket for message in here.heard] == list(range(500))


def test_a_flood_leaves_the_loop_time_for_its_other_work(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, there = side(), side()
    here.hub(path)
    link = there.link(path)
    until(loop, lambda: there.ups == 1)
    at_the_end_of_turns: list[int] = []
    loop.each_turn(lambda: at_the_end_of_turns.append(len(here.heard)))
    for _ in range(900):
        assert link.send(REPORT)
    until(loop, lambda: len(here.heard) == 900)
    steps = [after - before for before, after in itertools.pairwise(at_the_end_of_turns)]
    assert max(steps) <= 256  # two drains of 128 in one turn: descriptor and timer


def test_a_hub_cannot_reach_who_is_not_there(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here = side()
    assert here.hub(path).send(b"nobody", WANTED) is False
    assert here.counters["status_sends_dropped"] == 1


def test_sending_without_a_reader_never_blocks_and_is_counted(loop: Loop, side: Callable[[], Side], path: str) -> None:
    silent = listener(path)  # takes connections, never speaks
    there = side()
    link = there.link(path)
    sent = [link.send(REPORT) for _ in range(3000)]
    assert sent[-1] is False
    assert there.counters["status_sends_dropped"] >= 1000
    silent.close()


def test_garbage_is_counted_and_what_comes_after_it_is_heard(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, there = side(), side()
    here.hub(path)
    link = there.link(path)
    until(loop, lambda: there.ups == 1)
    for frames in ([b""], [b"\xc1"], [encode(WANTED)], [b"a", b"b"], [encode(REPORT), encode(REPORT)]):
        assert link._send(frames)
    assert link.send(REPORT)
    until(loop, lambda: here.heard == [REPORT])
    assert here.counters == {"status_frames_refused": 5}


def test_garbage_from_the_hub_is_counted_too(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, there = side(), side()
    hub, link = here.hub(path), there.link(path)
    until(loop, lambda: there.ups == 1)
    link.send(REPORT)
    until(loop, lambda: len(here.heard) == 1)
    for frames in ([b"vrrp", b"\xc1"], [b"vrrp", encode(WANTED), b""], [b"vrrp", encode(REPORT)]):
        assert hub._send(frames)
    assert hub.send(b"vrrp", WANTED)
    until(loop, lambda: there.heard == [WANTED])
    assert there.counters == {"status_frames_refused": 3}


def test_what_is_not_zeromq_disturbs_nobody(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, there = side(), side()
    here.hub(path)
    for content in (b"", b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 70_000):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(path)
            stranger.setblocking(False)
            try:
                stranger.send(content)
            except BlockingIOError:
                pass
            loop.turn(0.01)
    link = there.link(path)
    until(loop, lambda: there.ups == 1)
    link.send(REPORT)
    until(loop, lambda: here.heard == [REPORT])


def test_a_peer_that_is_not_welcome_is_refused_and_counted(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, there = side(), side()
    asked: list[Peer] = []
    here.hub(path, welcome=lambda peer: bool(asked.append(peer)))
    link = there.link(path)
    until(loop, lambda: there.ups == 1)
    link.send(REPORT)
    until(loop, lambda: here.counters["status_peers_refused"] == 1)
    assert here.heard == []
    assert asked == [Peer(os.getuid(), os.getgid(), os.getpid())]


def test_an_adopted_socket_outlives_its_hub_and_the_link_comes_back(
    loop: Loop, side: Callable[[], Side], path: str
) -> None:
    keeper = listener(path)
    first, there = side(), side()
    hub = first.hub(path, listener_fd=keeper.fileno())
    link = there.link(path)
    until(loop, lambda: there.ups == 1)
    for restart in range(1, 4):
        hub.close()
        first.context.close()
        assert os.path.exists(path)
        until(loop, lambda: not link.send(REPORT))  # the link has seen it
        second = side()
        hub = second.hub(path, listener_fd=keeper.fileno())
        until(loop, lambda restart=restart: there.ups == restart + 1)  # type: ignore[misc]
        assert link.send(REPORT)
        until(loop, lambda second=second: REPORT in second.heard)  # type: ignore[misc]
        first = second
    keeper.close()


def test_who_connects_while_no_hub_is_there_is_heard_by_the_next(
    loop: Loop, side: Callable[[], Side], path: str
) -> None:
    keeper = listener(path)
    there = side()
    there.link(path)
    for _ in range(5):
        loop.turn(0.01)
    here = side()
    here.hub(path, listener_fd=keeper.fileno())
    until(loop, lambda: there.ups == 1)
    keeper.close()


def test_a_successor_with_the_same_identity_takes_over(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, first, second = side(), side(), side()
    hub, link = here.hub(path), first.link(path)
    until(loop, lambda: first.ups == 1)
    link.send(REPORT)
    until(loop, lambda: len(here.heard) == 1)
    successor = second.link(path)
    until(loop, lambda: second.ups == 1)
    successor.send(REPORT)
    until(loop, lambda: len(here.heard) == 2)
    assert hub.send(b"vrrp", WANTED)
    until(loop, lambda: second.heard == [WANTED])
    assert first.heard == []


def test_a_message_of_another_channel_is_refused(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here, there = side(), side()
    here.hub(path, channel=VERDICTS)
    link = there.link(path, channel=VERDICTS)
    until(loop, lambda: there.ups == 1)
    link.send(REPORT)
    link.send(m.Beat(generation=1, sequence=2))
    until(loop, lambda: here.heard == [m.Beat(generation=1, sequence=2)])
    assert here.counters == {"verdicts_frames_refused": 1}


# ----------------------------------------------------------------------------------------------------- ask


def asked_meanwhile(loop: Loop, question: Callable[[], Any], within_s: float = 5) -> list[Any]:
    """Run `question` in a thread while the loop turns; what it returned or raised."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(question())
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until(loop, lambda: bool(result), within_s)
    thread.join()
    return result


def test_ask_gets_its_answer(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here = side()
    hub = here.hub(path, channel=OPERATOR)
    reply = m.VersionReply(daemon="1.2.3", protocol=1)
    loop.each_turn(lambda: [hub.send(sender, reply) for sender, _ in here.senders] and here.senders.clear())
    result = asked_meanwhile(loop, lambda: ask(OPERATOR, path, m.VersionRequest(version=1), 5))
    assert result == [reply]


def test_ask_refuses_an_answer_that_is_none(loop: Loop, side: Callable[[], Side], path: str) -> None:
    here = side()
    hub = here.hub(path, channel=OPERATOR)
    loop.each_turn(lambda: [hub.send(sender, REPORT) for sender, _ in here.senders] and here.senders.clear())
    result = asked_meanwhile(loop, lambda: ask(OPERATOR, path, m.VersionRequest(version=1), 5))
    assert isinstance(result[0], WireError)


def test_ask_gives_up_in_time(loop: Loop, side: Callable[[], Side], path: str) -> None:
    silent = listener(path)
    with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
        ask(OPERATOR, path, m.VersionRequest(version=1), 0.05)
    silent.close()


def test_ask_says_when_nobody_listens(path: str) -> None:
    with pytest.raises(FileNotFoundError):
        ask(OPERATOR, path, m.VersionRequest(version=1), 5)
    listener(path).close()
    with pytest.raises(ConnectionRefusedError):
        ask(OPERATOR, path, m.VersionRequest(version=1), 5)
