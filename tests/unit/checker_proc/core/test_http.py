"""HTTP for checks: requests byte for byte, responses of every kind, hostile ones above all."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given, settings, strategies as st

from pyhad.checker_proc.core.http import ResponseReader, detail_of, judge
from pyhad.checker_proc.core.http_body import KEPT_MAX
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import HttpUrl, Regex, StatusRange

HELLO_MD5 = "5d41402abc4b2a76b9719d911017c592"
HEAD = b"HTTP/1.1 200 OK\r\n"


def read(*pieces: bytes, wants_digest: bool = True, closed: bool = True) -> ResponseReader:
    reader = ResponseReader(wants_digest=wants_digest)
    for piece in pieces:
        reader.feed(piece)
    if closed:
        reader.end()
    return reader


def test_a_body_ends_where_its_length_says_without_waiting_for_the_close() -> None:
    reader = read(HEAD, b"Content-Length: 5\r\n\r\nhel", b"lo", closed=False)
    assert (reader.is_done, reader.status, reader.body.digest(), reader.remark) == (True, 200, HELLO_MD5, "")


def test_every_split_of_a_response_reads_the_same() -> None:
    whole = HEAD + b"Content-Length: 5\r\nX: y\r\n\r\nhello"
    for at in range(len(whole) + 1):
        reader = read(whole[:at], whole[at:], closed=False)
        assert (reader.is_done, reader.problem, reader.body.digest()) == (True, None, HELLO_MD5), at


_LINES = st.sampled_from(
    [b"Content-Length: 5", b"content-length : 5", b"Content-Length: x", b"X: y", b" folded", b"no colon", b": z",
     b"Transfer-Encoding: chunked", b"A: \0", b"B:\r", b"", b"5", b"hello"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(_LINES, st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"])), max_size=9))
@example([(b"X: y", b"\n"), (b"", b"\n"), (b"hello", b"\r\n"), (b"", b"\r\n")])
@example([(b"", b"\r\n"), (b"X: y", b"\r\n"), (b"", b"\r\n")])
@example([(b"Content-Length: 5", b"\r\n"), (b"X: y", b"\r\n"), (b"", b"\r\n"), (b"hello", b"")])
def test_a_head_in_one_piece_reads_as_one_that_comes_byte_by_byte(lines: list[tuple[bytes, bytes]]) -> None:
    whole = HEAD + b"".join(line + end for line, end in lines)
    at_once, by_bytes = read(whole), read(*(whole[at : at + 1] for at in range(len(whole))))
    results = [(one.is_done, one.problem, one.status, one.body.digest()) for one in (at_once, by_bytes)]
    assert results[0] == results[1]


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    reader = read(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo", closed=False)
    assert not reader.is_done
    reader.end()
    assert (reader.is_done, reader.problem, reader.body.digest(), reader.remark) == (True, None, HELLO_MD5, "")


@pytest.mark.behaviour("CHK-25")
def test_a_body_shorter_or_longer_than_announced_is_only_remarked() -> None:
    shorter = read(HEAD + b"Content-Length: 9\r\n\r\nhello")
    assert (shorter.problem, shorter.remark, shorter.body.digest()) == (None, "body_shorter", HELLO_MD5)
    longer = read(HEAD + b"Content-Length: 5\r\n\r\nhello and more")
    assert (longer.problem, longer.remark, longer.body.digest()) == (None, "body_longer", HELLO_MD5)


def test_chunks_of_a_1_1_response_are_joined() -> None:
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: z\r\n\r\n"
    for at in range(len(chunked) + 1):
        reader = read(chunked[:at], chunked[at:], closed=False)
        assert (reader.is_done, reader.problem, reader.body.digest()) == (True, None, HELLO_MD5), at


def test_chunked_means_nothing_in_a_1_0_response() -> None:
    reader = read(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello")
    assert (reader.problem, reader.body.digest()) == (None, HELLO_MD5)


def test_an_interim_response_is_passed_over() -> None:
    reader = read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", closed=False)
    assert (reader.is_done, reader.status) == (True, 204)


def test_what_an_interim_response_announced_is_not_for_the_next() -> None:
    for announced in (b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"):
        reader = read(b"HTTP/1.1 103 Early Hints\r\n" + announced + b"\r\nHTTP/1.1 200 OK\r\n\r\nhello")
        assert (reader.problem, reader.body.digest()) == (None, HELLO_MD5)


def test_headers_of_exactly_the_limit_are_read_and_one_byte_more_is_not() -> None:
    rest = 64 * 1024 - len(HEAD) - len(b"A: \r\n\r\n")
    assert read(HEAD + b"A: " + b"x" * rest + b"\r\n\r\n").problem is None
    assert read(HEAD + b"A: " + b"x" * (rest + 1) + b"\r\n\r\n").problem is Reason.HTTP_HEADERS_TOO_LONG


def test_bare_line_feeds_and_folded_lines_are_read() -> None:
    reader = read(b"HTTP/1.1 200\nA: b\n c\nContent-Length: 5\n\nhello", closed=False)
    assert (reader.is_done, reader.problem, reader.body.digest()) == (True, None, HELLO_MD5)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"", Reason.HTTP_NO_DATA),
        (b"HTT", Reason.HTTP_INCOMPLETE),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", Reason.HTTP_INCOMPLETE),
        (b"S", Reason.HTTP_BAD_STATUS_LINE),
        (b"HTTP/2.0 200 OK\r\n\r\n", Reason.HTTP_BAD_STATUS_LINE),
        (b"HTTP/1.1 20 OK\r\n\r\n", Reason.HTTP_BAD_STATUS_LINE),
        (b"HTTP/1.1 2000 OK\r\n\r\n", Reason.HTTP_BAD_STATUS_LINE),
        (b"HTTP/1.1 099 OK\r\n\r\n", Reason.HTTP_BAD_STATUS_LINE),
        (b"HTTP/1.1  200 OK\r\n\r\n", Reason.HTTP_BAD_STATUS_LINE),
        (b"HTTP/1.1 200 " + b"x" * 8192, Reason.HTTP_BAD_STATUS_LINE),
        (HEAD + b"no colon\r\n\r\n", Reason.HTTP_BAD_HEADER),
        (HEAD + b": no name\r\n\r\n", Reason.HTTP_BAD_HEADER),
        (HEAD + b"A: \0\r\n\r\n", Reason.HTTP_BAD_HEADER),
        (HEAD + b"Content-Length: five\r\n\r\n", Reason.HTTP_BAD_HEADER),
        (HEAD + b"Content-Length: -1\r\n\r\n", Reason.HTTP_BAD_HEADER),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", Reason.HTTP_BAD_HEADER),
        (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", Reason.HTTP_BAD_HEADER),
        (HEAD + b"A: " + b"x" * 65536, Reason.HTTP_HEADERS_TOO_LONG),
        (HEAD + b"A: b\r\n" * 20_000, Reason.HTTP_HEADERS_TOO_LONG),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3000, Reason.HTTP_HEADERS_TOO_LONG),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", Reason.HTTP_BAD_CHUNK),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", Reason.HTTP_BAD_CHUNK),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n", Reason.HTTP_BAD_CHUNK),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 2000, Reason.HTTP_BAD_CHUNK),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 65_537, Reason.HTTP_BODY_TOO_LONG),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 20_000, Reason.HTTP_HEADERS_TOO_LONG),
    ],
)
def test_each_bad_response_has_its_reason(response: bytes, reason: Reason) -> None:
    reader = read(response)
    assert (reader.is_done, reader.problem) == (True, reason)


def test_a_body_over_the_limit_is_a_problem_where_a_digest_is_wanted() -> None:
    megabyte = bytes(1024 * 1024)
    reader = read(HEAD + b"\r\n", *[megabyte] * 16, closed=False)
    assert (reader.is_done, reader.problem) == (False, None)
    reader.feed(b"x")
    assert (reader.is_done, reader.problem) == (True, Reason.HTTP_BODY_TOO_LONG)


def test_an_answer_to_head_is_over_with_its_fields() -> None:
    reader = ResponseReader(wants_digest=False, has_body=False)
    assert reader.feed(HEAD + b"Content-Length: 5\r\n\r\n") is True
    assert (reader.problem, reader.status, reader.remark) == (None, 200, "")


def test_without_a_digest_enough_of_an_endless_body_is_enough() -> None:
    reader = read(HEAD + b"\r\n", bytes(64 * 1024), wants_digest=False, closed=False)
    assert not reader.is_done
    reader.feed(b"x")
    assert (reader.is_done, reader.problem) == (True, None)


@pytest.mark.behaviour("CHK-23")
def test_the_status_must_be_accepted_and_the_digest_equal() -> None:
    reader = read(b"HTTP/1.0 302 Found\r\n\r\nhello")
    assert judge(HttpUrl(path="/"), reader) is Reason.HTTP_STATUS
    moved = (StatusRange(first=200, last=200), StatusRange(first=300, last=302))
    assert judge(HttpUrl(path="/", status=moved), reader) is None
    assert judge(HttpUrl(path="/", status=moved, digest=HELLO_MD5), reader) is None
    assert judge(HttpUrl(path="/", status=moved, digest="0" * 32), reader) is Reason.HTTP_DIGEST
    assert judge(HttpUrl(path="/"), read(b"")) is Reason.HTTP_NO_DATA


PIECES = st.sampled_from([
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 100 C\r\n", b"\r\n", b"\n", b"Content-Length: 3\r\n", b" fold\r\n",
    b"5\r\n", b"0\r\n", b"Transfer-Encoding: chunked\r\n", b"hello", b"\0\xff",
])  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=30), st.booleans())
@example([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"ffffffffffffffff\r\n"], True)
def test_no_bytes_whatever_make_it_raise_or_leave_it_undecided(pieces: list[bytes], wants_digest: bool) -> None:
    reader = read(*pieces, wants_digest=wants_digest)
    assert reader.is_done
    assert judge(HttpUrl(path="/", digest="0" * 32 if wants_digest else ""), reader) is None or isinstance(
        judge(HttpUrl(path="/"), reader), (Reason, type(None))
    )
    together = read(b"".join(pieces), wants_digest=wants_digest)
    assert (together.problem, together.status, together.body.digest()) == (
        reader.problem,
        reader.status,
        reader.body.digest(),
    )


@pytest.mark.behaviour("CHK-23")
@pytest.mark.parametrize(
    ("is_wanted", "found", "reason"),
    [
        (True, True, None),
        (True, False, Reason.HTTP_REGEX),
        (False, False, None),
        (False, True, Reason.HTTP_REGEX),
        (True, None, Reason.HTTP_REGEX_UNDECIDED),
        (False, None, Reason.HTTP_REGEX_UNDECIDED),
    ],
)
def test_a_pattern_is_the_last_test_of_a_url(is_wanted: bool, found: bool | None, reason: Reason | None) -> None:
    bodies: list[bytes] = []

    def search(body: bytes) -> bool | None:
        bodies.append(body)
        return found

    reader = ResponseReader(wants_digest=True, wants_body=True)
    reader.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
    url = HttpUrl(path="/", regex=Regex(pattern="x", is_wanted=is_wanted))
    assert judge(url, reader, search) is reason
    assert bodies == [b"hello"]
    assert judge(dataclasses.replace(url, digest="0" * 32), reader, search) is Reason.HTTP_DIGEST
    assert len(bodies) == 1


@pytest.mark.parametrize(
    ("path", "reason", "detail"),
    [
        ("/health?token=s3cret", Reason.HTTP_STATUS, "503 of /health"),
        ("/health?token=s3cret", Reason.HTTP_DIGEST, f"{HELLO_MD5} of /health"),
        ("/health?token=s3cret", Reason.HTTP_NO_DATA, "of /health"),
        ("/" + 100 * "x", Reason.HTTP_NO_DATA, "of /" + 79 * "x"),
    ],
)
def test_the_log_is_not_told_the_query_of_a_page(path: str, reason: Reason, detail: str) -> None:
    reader = read(b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nhello")
    assert detail_of(HttpUrl(path=path), reader, reason) == detail


def test_a_body_that_is_searched_has_an_end() -> None:
    reader = ResponseReader(wants_digest=False, wants_body=True)
    reader.feed(HEAD + b"\r\n" + b"x" * KEPT_MAX)
    assert not reader.is_done
    reader.feed(b"x")
    assert (reader.is_done, reader.problem) == (True, Reason.HTTP_BODY_TOO_LONG)
    assert reader.body.kept is not None
    assert len(reader.body.kept) <= KEPT_MAX
