"""`auth_hmac` in the model: keys in three forms, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyhad.common.config.model import HmacMode, HmacSettings

Compile = Callable[..., Any]
TEXT = "swordfish" * 4  # 36 bytes


def block(*lines: str) -> str:
    return "auth_hmac {\n" + "\n".join(lines) + "\n}"


def settings(result: Any) -> HmacSettings:
    assert result.errors == []
    found: HmacSettings = result.result.configuration.vrrp.instances[0].hmac
    return found


@pytest.mark.behaviour("AUTH-5")
def test_the_first_key_signs_and_the_window_is_three_intervals(instance: Compile) -> None:
    found = settings(instance(block(f"key 7 {TEXT}", "key 8 hex:" + "0a" * 32)))
    assert (found.active, found.window_s, found.monotonic, found.mode) == (7, 5, False, HmacMode.ENFORCE)
    assert [(key.identifier, key.secret) for key in found.keys] == [(7, TEXT.encode()), (8, b"\x0a" * 32)]
    slow = settings(instance("advert_int 30\n" + block(f"key 7 {TEXT}")))
    assert slow.window_s == 90


def test_every_word_is_taken(instance: Compile) -> None:
    words = (
        f"key 7 {TEXT}",
        f"key 8 {TEXT}",
        "active_key 8",
        "time_window 9",
        "anti_replay monotonic",
        "mode permissive",
    )
    found = settings(instance(block(*words)))
    assert (found.active, found.window_s, found.monotonic, found.mode) == (8, 9, True, HmacMode.PERMISSIVE)


@pytest.mark.behaviour("AUTH-5")
def test_a_key_may_be_in_a_file_and_only_ours_to_read(instance: Compile, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(TEXT + "\n")
    path.chmod(0o600)
    result = instance(block(f"key 1 file:{path}"))
    assert settings(result).keys[0].secret == TEXT.encode()
    assert result.warnings == []
    path.chmod(0o640)
    assert instance(block(f"key 1 file:{path}")).warnings == ["key: its file can be read by others"]


@pytest.mark.behaviour("FIX-7")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("key 1 swordfish", "key: a secret has 32 to 64 bytes, this one 9"),
        ("key 1 " + "x" * 65, "key: a secret has 32 to 64 bytes, this one 65"),
        ("key 1 hex:0g", "key: not hexadecimal"),
        ("key 1 file:/nonexistent/swordfish", "key: its file cannot be read: No such file or directory"),
    ],
)
def test_a_key_that_cannot_be_is_an_error_that_does_not_tell_it(instance: Compile, line: str, message: str) -> None:
    result = instance(block(line))
    assert result.errors == [
        "auth_hmac of 'VI_1' has no active key: its adverts would be without protection", message,
    ]  # fmt: skip
    assert "swordfish" not in str([(one.message, one.at.text, one.hint) for one in result.result.diagnostics])


def test_an_active_key_must_be_there(instance: Compile) -> None:
    assert len(instance(block(f"key 1 {TEXT}", "active_key 2")).errors) == 1
    assert "key: 1 is defined twice" in instance(block(f"key 1 {TEXT}", f"key 1 {TEXT}")).errors


@pytest.mark.behaviour("FIX-6", "FIX-8")
def test_it_takes_the_place_of_a_password_and_is_strict_in_strict_mode(instance: Compile) -> None:
    words = block(f"key 1 {TEXT}", "mode permissive") + "\nauthentication {\n auth_type PASS\n auth_pass x\n}\n"
    result = instance(words)
    assert "authentication of 'VI_1' is ignored: auth_hmac takes its place" in result.warnings
    assert settings(result).mode is HmacMode.PERMISSIVE
    strict = instance("strict_mode\n" + words)
    assert settings(strict).mode is HmacMode.ENFORCE
    assert "auth_hmac of 'VI_1' is changed: strict mode does not allow it" in strict.warnings
    assert "swordfish" not in repr(strict.result.configuration)


def test_a_key_may_be_a_credential_of_systemd(instance: Compile, tmp_path: Path) -> None:
    (tmp_path / "vrrp").write_text(f"{TEXT}\n")
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    found = settings(instance(block("key 7 credential:vrrp"), environment=given))
    assert found.keys[0].secret == TEXT.encode()
    missing = instance(block("key 7 credential:other"), environment=given).errors
    assert "key: its file cannot be read: No such file or directory" in missing
    assert "key: systemd gave no credentials" in instance(block("key 7 credential:vrrp")).errors


def test_a_credential_is_a_name_and_no_path(instance: Compile, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "outside").write_text(TEXT)
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path / "inner")}
    errors = instance(block("key 7 credential:../outside"), environment=given).errors
    assert "key: its file cannot be read: No such file or directory" in errors
