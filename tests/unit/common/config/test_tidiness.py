"""What is usable but does nothing as it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


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
        (
            "track_file f {\nfile /a\ninit_file 255\n}",
            "init_file: 255 is outside the sensible range of -254 to 254",
        ),
        (
            "global_defs {\nnotify_fifo /a\nnotify_fifo /b\n}",
            "'notify_fifo' stands twice in global_defs: first at t.conf:2",
        ),
        (
            "track_group g {\ngroup { a }\ngroup { b }\n}",
            "'group' stands twice in track_group 'g': first at t.conf:2",
        ),
        (
            "track_group g {\ngroup { a }\n}\ntrack_group g {\ngroup { a }\n}",
            "track_group 'g' is defined twice: first at t.conf:1",
        ),
    ],
)
def test_a_block_that_says_too_little_or_twice_is_named(compiled: Callable[..., Any], text: str, warning: str) -> None:
    assert warning in compiled(text).warnings


def test_a_block_that_says_enough_is_quiet(compiled: Callable[..., Any]) -> None:
    text = "track_file f {\nfile /a\ninit_file -254\n}\nglobal_defs { lvs_timeouts tcp 5 }"
    assert compiled(text).warnings == []


def test_a_second_script_of_one_kind_is_named(instance: Callable[..., Any]) -> None:
    found = instance("notify /bin/a\nnotify /bin/b").warnings
    assert found == ["'notify' stands twice in vrrp_instance 'VI_1': first at t.conf:6"]


def test_words_that_belong_beside_another_are_named(service: Callable[..., Any]) -> None:
    assert service("sorry_server_inhibit").warnings == [
        "sorry_server_inhibit is ignored: virtual_server '192.0.2.100' has no sorry_server"
    ]
    assert service("hashed").warnings == ["hashed is ignored: it belongs to lb_algo sh or mh"]
    assert service("sorry_server 192.0.2.9 80\nsorry_server_inhibit").warnings == []


def test_a_deprecated_word_inside_a_block_that_does_not_act_yet_is_named(compiled: Callable[..., Any]) -> None:
    text = "vrrp_sync_group g {\nglobal_tracking\n}"
    assert "'global_tracking' is deprecated" in compiled(text).warnings


def test_a_name_that_is_too_long_for_the_kernel_is_named(service: Callable[..., Any]) -> None:
    found = service("persistence_timeout 5\npersistence_engine abcdefghijklmnop").warnings
    assert found == ["persistence_engine: only the first 15 characters count"]


def test_of_two_files_or_processes_the_first_counts_as_in_keepalived(compiled: Callable[..., Any]) -> None:
    text = "track_file f {\nfile /a\nfile /b\n}\nvrrp_track_process p {\nprocess one\nprocess two\n}\n"
    text += "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.9\n}\n"
    text += "track_file {\nf\n}\ntrack_process {\np\n}\n}\n"
    result = compiled(text)
    assert len(result.warnings) == 2
    vrrp = result.result.configuration.vrrp
    assert (vrrp.files[0].path, vrrp.processes[0].argv) == ("/a", ("one",))
