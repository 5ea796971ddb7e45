"""The dialogue of SMTP_CHECK: what it says, what it takes, and that nothing a server sends gets past it."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.smtp import LINE_MAX, LINES_MAX, SmtpDialogue

GREETING = b"220 mx.example ESMTP\r\n"
HELO = b"HELO director.example\r\n"


def talk(*replies: bytes, closed: bool = False) -> tuple[list[bytes], SmtpDialogue]:
    dialogue = SmtpDialogue("director.example")
    said = [dialogue.feed(reply) for reply in replies]
    if closed:
        dialogue.end()
    return said, dialogue


@pytest.mark.behaviour("CHK-40")
def test_a_good_server_hears_helo_and_quit() -> None:
    said, dialogue = talk(GREETING, b"250 hello\r\n", b"221 bye\r\n")
    assert said == [HELO, b"QUIT\r\n", b""]
    assert (dialogue.is_done, dialogue.problem) == (True, None)


@pytest.mark.behaviour("QRK-13")
def test_a_reply_of_several_lines_is_one_reply() -> None:
    said, dialogue = talk(b"220-hello\r\n220-long\r\n", b"220 end\r\n", b"250-a\r\n250-b\r\n250 c\r\n", b"221 bye\r\n")
    assert said == [b"", HELO, b"QUIT\r\n", b""]
    assert dialogue.problem is None


def test_bytes_may_come_one_by_one_and_lines_may_end_in_lf() -> None:
    said, dialogue = talk(*(bytes((byte,)) for byte in b"220 x\n250 y\n221 z\n"))
    assert b"".join(said) == HELO + b"QUIT\r\n"
    assert dialogue.problem is None


def test_a_code_alone_is_a_reply_and_two_may_come_at_once() -> None:
    """RFC 5321 4.2; keepalived has both for failures."""
    said, dialogue = talk(b"220\r\n250\r\n", b"221\r\n")
    assert said == [HELO + b"QUIT\r\n", b""]
    assert (dialogue.is_done, dialogue.problem) == (True, None)


def test_the_code_that_was_the_wrong_one_is_told() -> None:
    assert talk(b"554 go away\r\n")[1].detail == "554"
    assert talk(GREETING, b"550 no\r\n")[1].detail == "550"
    assert talk(GREETING, b"250-more\r\n")[1].detail == ""


@pytest.mark.parametrize(
    ("replies", "problem"),
    [
        ((b"554 go away\r\n",), Reason.SMTP_GREETING),
        ((b"250 ok\r\n",), Reason.SMTP_GREETING),
        ((GREETING, b"550 no\r\n"), Reason.SMTP_HELO),
        ((b"HTTP/1.1 400 Bad\r\n",), Reason.SMTP_BAD_REPLY),
        ((b"22\r\n",), Reason.SMTP_BAD_REPLY),
        ((b"2200 x\r\n",), Reason.SMTP_BAD_REPLY),
        ((b"220-a\r\n250 b\r\n",), Reason.SMTP_BAD_REPLY),
        ((b"2" * LINE_MAX,), Reason.SMTP_REPLY_TOO_LONG),
        ((b"220-x\r\n" * (LINES_MAX + 1),), Reason.SMTP_REPLY_TOO_LONG),
        ((), Reason.SMTP_INCOMPLETE),
        ((b"220 no end of line",), Reason.SMTP_INCOMPLETE),
        ((GREETING, b"250-more\r\n"), Reason.SMTP_INCOMPLETE),
    ],
)
def test_each_fault_has_its_reason(replies: tuple[bytes, ...], problem: Reason) -> None:
    _, dialogue = talk(*replies, closed=True)
    assert (dialogue.is_done, dialogue.problem) == (True, problem)


def test_a_close_after_quit_is_no_fault() -> None:
    _, dialogue = talk(GREETING, b"250 ok\r\n", closed=True)
    assert (dialogue.is_done, dialogue.problem) == (True, None)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=600),
            st.sampled_from([b"220 ", b"250-", b"250 ", b"\r\n", b"\n", b"\r", b"221", GREETING]),
        ),
        max_size=40,
    )
)
def test_whatever_comes_it_says_no_more_than_helo_and_quit(pieces: list[bytes]) -> None:
    said, dialogue = talk(*pieces, closed=True)
    assert dialogue.is_done
    assert b"".join(said) in (b"", HELO, HELO + b"QUIT\r\n")
    assert dialogue.problem is None or dialogue.problem.startswith("smtp_")
    assert dialogue.problem is not None or b"".join(said) == HELO + b"QUIT\r\n"
