"""What is usable but does nothing as it is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Compile = Callable[..., object]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("vrrp_script s { interval 2 }", "vrrp_script 's' has no script: it does nothing"),
        ("vrrp_track_process p { }", "vrrp_track_process 'p' has no process: it does nothing"),
        ("track_file f { weight 1 }", "track_file 'f' has no file: it does nothing"),
        ("garp_group { interface eth0 }", "garp_group has no garp_interval or gna_interval: it does nothing"),
        ("global_defs { lvs_timeouts }", "lvs_timeouts names no timeout"),
        (
            "track_file f {\nfile /a\nfile /b\n}",
            "'file' stands twice in track_file 'f': first at t.conf:2",
        ),
    ],
)
def test_a_block_that_says_too_little_or_twice_is_named(
    compiled: Callable[..., object], text: str, warning: str
) -> None:
    assert warning in compiled(text).warnings  # type: ignore[attr-defined]


def test_a_block_that_says_enough_is_quiet(compiled: Callable[..., object]) -> None:
    text = "track_file f { file /a }\nvrrp_script s { script /bin/true }\nglobal_defs { lvs_timeouts tcp 5 }"
    assert compiled(text).warnings == []  # type: ignore[attr-defined]


def test_a_second_script_of_one_kind_is_named(instance: Callable[..., object]) -> None:
    found = instance("notify /bin/a\nnotify /bin/b").warnings  # type: ignore[attr-defined]
    assert found == ["'notify' stands twice in vrrp_instance 'VI_1': first at t.conf:6"]


def test_words_that_belong_beside_another_are_named(service: Callable[..., object]) -> None:
    assert service("sorry_server_inhibit").warnings == [  # type: ignore[attr-defined]
        "sorry_server_inhibit is ignored: virtual_server '192.0.2.100' has no sorry_server"
    ]
    assert service("hashed").warnings == ["hashed is ignored: it belongs to lb_algo sh or mh"]  # type: ignore[attr-defined]
    assert service("sorry_server 192.0.2.9 80\nsorry_server_inhibit").warnings == []  # type: ignore[attr-defined]


def test_a_deprecated_word_inside_a_block_that_does_not_act_yet_is_named(compiled: Callable[..., object]) -> None:
    text = "vrrp_sync_group g {\nglobal_tracking\n}"
    assert "'global_tracking' is deprecated" in compiled(text).warnings  # type: ignore[attr-defined]
