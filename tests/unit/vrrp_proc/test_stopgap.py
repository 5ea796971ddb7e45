"""Who may be spoken for, and in which order. Sending itself is tested in the lab."""

from __future__ import annotations

import time

import pytest

from pyhad.common.blackbox import BlackBox
from pyhad.common.states import RouterState
from pyhad.vrrp_proc import journal
from pyhad.vrrp_proc.journal import Journal, Record
from pyhad.vrrp_proc.stopgap import Stopgap, Template, key_for, pack, unpack_template

S = 1_000_000_000
A, B, C = b"a" * 16, b"b" * 16, b"c" * 16


def template(destination: str = "224.0.0.18", family: int = 4, patience_ns: int = 3 * S) -> Template:
    return Template(7, family, S, patience_ns, destination, b"\x45 the packet")


def record(state: RouterState, last_sent_ns: int) -> Record:
    return Record(
        state=state, since_ns=1, last_sent_ns=last_sent_ns, down_at_ns=0, master_priority=0, master_interval_cs=100,
        master_address="",
    )  # fmt: skip


def box_with(*entries: tuple[bytes, RouterState, int, Template | None]) -> BlackBox:
    """(key, state, ns since it sent last, template)."""
    box = BlackBox(16, 200)
    records = Journal(box)
    for identity, state, ago_ns, left in entries:
        records.write(identity, record(state, time.monotonic_ns() - ago_ns))
        if left is not None:
            records.note(key_for(identity), pack(left))
    return box


@pytest.mark.parametrize("one", [template(), template("ff02::12", 6)])
def test_a_template_comes_back_as_it_was(one: Template) -> None:
    assert unpack_template(pack(one)) == one


@pytest.mark.parametrize("other", [b"", b"short", bytes(37), bytes(100), journal.pack(record(RouterState.MASTER, 1))])
def test_anything_else_is_no_template(other: bytes) -> None:
    assert unpack_template(other) is None


def test_the_least_patient_peers_come_first() -> None:
    box = box_with(
        (A, RouterState.MASTER, S, template()),
        (B, RouterState.MASTER, 2 * S, template()),
        (C, RouterState.MASTER, S // 10, template(patience_ns=S)),
    )
    assert list(Stopgap(box)._voices) == [C, B, A]


def test_only_masters_with_patient_peers_are_spoken_for() -> None:
    box = box_with(
        (A, RouterState.BACKUP, S, template()),
        (B, RouterState.MASTER, 4 * S, template()),
        (C, RouterState.MASTER, S, None),
    )
    stopgap = Stopgap(box)
    assert stopgap._voices == {}
    stopgap.begin()
    assert stopgap.sent == 0
    stopgap.end()


def test_the_moment_in_the_box_is_newer_than_the_record() -> None:
    box = box_with((A, RouterState.MASTER, 60 * S, template()))
    box.touch(A, time.monotonic_ns() - S)
    assert list(Stopgap(box)._voices) == [A]


def test_who_begins_is_not_spoken_for_any_more() -> None:
    stopgap = Stopgap(box_with((A, RouterState.MASTER, S, template()), (B, RouterState.MASTER, S, template())))
    stopgap.release(A)
    stopgap.release(A)
    assert list(stopgap._voices) == [B]


class Ear:
    """A socket that notes what it is to send."""

    def __init__(self, works: bool = True) -> None:
        self.sent: list[bytes] = []
        self._works = works

    def sendmsg(self, buffers: list[bytes], beside: object, flags: int, destination: tuple[str, int]) -> None:
        if not self._works:
            raise OSError(101, "unreachable")
        self.sent.append(buffers[0])

    def close(self) -> None: ...


def test_each_interval_they_are_spoken_for_and_the_box_says_so() -> None:
    box = box_with((A, RouterState.MASTER, 2 * S, template()), (B, RouterState.MASTER, S // 10, template()))
    stopgap, ear = Stopgap(box), Ear()
    stopgap._sockets[4] = ear  # type: ignore[assignment]
    before_ns = time.monotonic_ns()
    stopgap.speak_in_time()
    assert ear.sent == [b"\x45 the packet"]
    assert box.moment(A) >= before_ns > box.moment(B)
    stopgap.speak_in_time()
    assert len(ear.sent) == stopgap.sent == 1


def test_what_could_not_be_sent_was_not_sent() -> None:
    box = box_with((A, RouterState.MASTER, 2 * S, template()))
    stopgap = Stopgap(box)
    stopgap._sockets[4] = Ear(works=False)  # type: ignore[assignment]
    stopgap.speak_in_time()
    assert (stopgap.sent, box.moment(A)) == (0, 0)
