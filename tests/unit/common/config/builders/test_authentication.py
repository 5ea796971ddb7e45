"""`authentication`: what becomes of a password, and that it is told to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Compile = Callable[..., Any]
PASS = "authentication {{\n auth_type PASS\n auth_pass {0}\n }}\n"


def data(result: Any) -> bytes:
    assert result.errors == []
    [one] = result.result.configuration.vrrp.instances
    found: bytes = one.authentication_data
    return found


@pytest.mark.behaviour("AUTH-2")
@pytest.mark.parametrize(
    ("password", "eight"),
    [("1111", b"1111\0\0\0\0"), ("secret12", b"secret12"), ("secretlonger", b"secretlo")],
)
def test_a_password_is_eight_bytes(instance: Compile, password: str, eight: bytes) -> None:
    assert data(instance(PASS.format(password))) == eight


def test_a_longer_password_is_cut_with_a_word_that_does_not_tell_it(instance: Compile) -> None:
    result = instance(PASS.format("secretlonger"))
    assert result.warnings == ["auth_pass: only its first 8 bytes are used"]
    assert "secret" not in str([(one.message, one.at.text, one.hint) for one in result.result.diagnostics])


def test_no_representation_of_an_instance_shows_the_password(instance: Compile) -> None:
    result = instance(PASS.format("swordfis"))
    assert data(result) == b"swordfis"
    assert "swordfis" not in repr(result.result.configuration)


@pytest.mark.behaviour("AUTH-1", "FIX-4")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("version 3\n" + PASS.format("secret"), "version 3 has none"),
        ("mcast_src_ip fe80::9\nversion 2\n" + PASS.format("secret"), "over IPv6 there is none"),
        ("authentication { auth_type PASS\n }", "it has no auth_pass"),
        ("authentication { auth_pass secret\n }", "it has no auth_type"),
    ],
)
def test_authentication_that_cannot_be_is_dropped_with_a_warning(instance: Compile, words: str, reason: str) -> None:
    result = instance(words)
    assert data(result) == b""
    assert f"authentication of 'VI_1' is ignored: {reason}" in result.warnings


@pytest.mark.behaviour("AUTH-3")
def test_an_authentication_header_takes_the_password_as_its_key(instance: Compile) -> None:
    words = "authentication {\n auth_type AH\n auth_pass secret\n }"
    result = instance(words)
    assert data(result) == b"secret\0\0"
    assert result.result.configuration.vrrp.instances[0].authentication_header
    assert data(instance("version 3\n" + words)) == b""
    assert not instance(PASS.format("x")).result.configuration.vrrp.instances[0].authentication_header


def test_the_last_word_of_several_blocks_counts(instance: Compile) -> None:
    assert data(instance(PASS.format("one") + "authentication {\n auth_pass two\n }")) == b"two\0\0\0\0\0"


@pytest.mark.behaviour("FIX-5")
@pytest.mark.parametrize(("priority", "starts"), [(254, False), (255, True)])
def test_with_an_authentication_header_only_an_owner_starts_as_master(
    instance: Compile, priority: int, starts: bool
) -> None:
    words = "authentication {\n auth_type AH\n auth_pass secret\n}"
    found = instance(f"state MASTER\npriority {priority}\nversion 2\n{words}").result.configuration.vrrp.instances[0]
    assert (found.authentication_header, found.start_as_master) == (True, starts)


def test_a_longer_password_is_said_even_where_another_counts(instance: Compile) -> None:
    result = instance("authentication {\n auth_type PASS\n auth_pass secretlonger\n auth_pass word\n }\n")
    assert result.warnings == ["auth_pass: only its first 8 bytes are used"]
    assert data(result) == b"word\0\0\0\0"
