"""A body is counted, hashed and kept, each as far as it is wanted."""

from __future__ import annotations

from pyhad.checker_proc.core.http_body import BODY_ENOUGH, BODY_MAX, KEPT_MAX, Body
from pyhad.checker_proc.core.reasons import Reason


def test_what_nobody_looks_at_is_only_counted_until_it_is_enough() -> None:
    body = Body(wants_digest=False, wants_body=False)
    assert (body.take(bytes(BODY_ENOUGH)), body.is_enough) == (None, False)
    assert (body.take(b"x"), body.is_enough) == (None, True)
    assert (body.bytes, body.kept, body.digest()) == (65_537, None, "")


def test_a_body_to_be_compared_is_hashed_up_to_its_limit() -> None:
    body = Body(wants_digest=True, wants_body=False)
    assert (body.take(b"hel"), body.take(b"lo")) == (None, None)
    assert (body.digest(), body.kept, body.is_enough) == ("5d41402abc4b2a76b9719d911017c592", None, False)
    assert body.take(bytes(BODY_MAX - 5)) is None
    assert body.take(b"x") is Reason.HTTP_BODY_TOO_LONG


def test_a_body_to_be_searched_is_kept_up_to_a_lesser_limit() -> None:
    body = Body(wants_digest=False, wants_body=True)
    assert body.take(bytes(KEPT_MAX)) is None
    assert body.kept is not None
    assert len(body.kept) == 1_048_576
    assert body.take(b"x") is Reason.HTTP_BODY_TOO_LONG
    assert len(body.kept) == 1_048_576
