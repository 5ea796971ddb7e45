"""The lifeline: words, descriptors, and an end that is gone."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from pyhad.common import lifeline

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    parent, child = lifeline.pair()
    yield parent, child
    parent.close()
    child.close()


def test_neither_end_blocks_or_survives_an_exec(ends: Ends) -> None:
    for end in ends:
        assert end.getblocking() is False
        assert os.get_inheritable(end.fileno()) is False
        assert lifeline.hear(end) is None


def test_words_arrive_one_by_one_in_order(ends: Ends) -> None:
    parent, child = ends
    assert lifeline.say(child, lifeline.READY)
    assert lifeline.say(child, lifeline.APPLIED)
    assert [lifeline.hear(parent) for _ in range(3)] == [(b"ready", -1), (b"applied", -1), None]


def test_a_document_travels_in_a_memfd(ends: Ends) -> None:
    parent, child = ends
    fd = lifeline.write_memfd("document", b"x" * 1_000_000)
    assert lifeline.say(parent, lifeline.DOCUMENT, fd)
    os.close(fd)
    heard = lifeline.hear(child)
    assert heard is not None
    word, received = heard
    assert word == b"document"
    assert os.get_inheritable(received) is False
    assert lifeline.read_memfd(received) == b"x" * 1_000_000
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(received)


def test_an_empty_memfd_is_empty() -> None:
    assert lifeline.read_memfd(lifeline.write_memfd("nothing", b"")) == b""


def test_an_end_that_is_gone_is_heard_and_cannot_be_told(ends: Ends) -> None:
    parent, child = ends
    lifeline.say(child, lifeline.READY)
    child.close()
    assert lifeline.hear(parent) == (b"ready", -1)
    assert lifeline.hear(parent) == (b"", -1)
    assert lifeline.say(parent, lifeline.STOP) is False


def test_an_end_that_does_not_read_does_not_block_the_other(ends: Ends) -> None:
    parent, _ = ends
    said = 0
    while lifeline.say(parent, lifeline.STOP):
        said += 1
        assert said < 100_000


def test_every_word_fits_its_packet() -> None:
    words = [value for name, value in vars(lifeline).items() if name.isupper() and isinstance(value, bytes)]
    assert len(words) == 17
    assert len(set(words)) == 17
    assert len(lifeline.RELOAD_FOR + b"86400") <= lifeline.MAX_WORD
    assert max(len(word) for word in words) <= lifeline.MAX_WORD
    assert len(lifeline.DUMP + b"stats") <= lifeline.MAX_WORD


@pytest.mark.parametrize(
    ("word", "seconds"),
    [
        (b"reload 1", 1),
        (b"reload 86400", 86400),
        (b"reload 86401", 0),
        (b"reload 0", 0),
        (b"reload -5", 0),
        (b"reload ", 0),
        (b"reload", 0),
        (b"60", 0),
    ],
)
def test_the_seconds_of_a_reload_to_be_confirmed_stand_in_its_word(word: bytes, seconds: int) -> None:
    assert lifeline.seconds_of(word) == seconds
