"""Trackers, scripts, files, notifications and groups in the documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model.tracking import ParamMatch, Program, Tracker, TrackerKind, TrackProcess

Compile = Callable[..., Any]
SCRIPT, FILE, INTERFACE = TrackerKind.SCRIPT, TrackerKind.FILE, TrackerKind.INTERFACE
PROCESS, BFD = TrackerKind.PROCESS, TrackerKind.BFD
DEFINITIONS = """
vrrp_script chk {
    script "/usr/bin/check -v 'two words'"
    interval 0.5
    fall 3
    weight -10
}
track_file f {
    file /run/value
    weight 3 reverse
    init_file 7 overwrite
}
"""
TWO = """
vrrp_instance A {{
    interface eth0
    virtual_router_id 1
    virtual_ipaddress {{ 192.0.2.1 }}
    {0}
}}
vrrp_instance B {{
    interface eth1
    virtual_router_id 1
    virtual_ipaddress {{ 192.0.2.2 }}
}}
"""


def document(result: Any) -> Any:
    assert result.errors == []
    return result.result.configuration.vrrp


@pytest.mark.behaviour("TRK-10", "TRK-22")
def test_a_script_and_a_file_with_their_defaults(compiled: Compile) -> None:
    found = document(compiled(DEFINITIONS + TWO.format("track_script { chk }\n track_file { f }")))
    [script], [file] = found.scripts, found.files
    assert script.program.argv == ("/usr/bin/check", "-v", "two words")
    assert (script.interval_ns, script.timeout_ns) == (500_000_000, 500_000_000)
    assert (script.rise, script.fall, script.init_fail) == (1, 3, False)
    assert (file.path, file.initial, file.overwrite) == ("/run/value", 7, True)
    assert found.instances[0].trackers == (
        Tracker(kind=SCRIPT, name="chk", weight=-10),
        Tracker(kind=FILE, name="f", weight=3, reverse=True),
    )


def test_an_entry_overrides_weight_and_sense(compiled: Compile) -> None:
    words = "track_script { chk weight 5 reverse }\n track_file { f weight 1 noreverse }"
    found = document(compiled(DEFINITIONS + TWO.format(words)))
    assert [(one.weight, one.reverse) for one in found.instances[0].trackers] == [(5, True), (1, False)]


@pytest.mark.behaviour("TRK-16")
def test_a_tracker_that_names_nothing_is_said_and_an_unused_script_does_not_run(compiled: Compile) -> None:
    result = compiled(DEFINITIONS + TWO.format("track_script { other }"))
    assert document(result).scripts == ()
    assert "track_script: there is no script 'other': it is not tracked" in result.warnings
    assert "vrrp_script 'chk' does not run: no instance tracks it" in result.warnings


@pytest.mark.behaviour("TRK-16")
def test_what_is_tracked_may_stand_below_the_instance(compiled: Compile) -> None:
    """Keepalived ignores the tracker (DIF-41); here no word depends on the order of blocks."""
    result = compiled(TWO.format("track_script { chk }\n track_file { f }") + DEFINITIONS)
    assert [one.name for one in document(result).instances[0].trackers] == ["chk", "f"]


@pytest.mark.behaviour("FIX-30")
def test_weighted_interfaces_are_trackers_and_the_own_one_is_not(instance: Compile) -> None:
    found = document(instance("track_interface {\n eth0 weight 5\n eth1 weight 20\n eth2 weight -7 reverse\n eth3\n}"))
    assert found.instances[0].trackers == (
        Tracker(kind=INTERFACE, name="eth1", weight=20),
        Tracker(kind=INTERFACE, name="eth2", weight=-7, reverse=True),
    )
    assert found.instances[0].tracked_interfaces == ("eth3",)


@pytest.mark.behaviour("TRK-1", "FIX-35")
def test_an_owner_has_no_weights(compiled: Compile) -> None:
    words = "priority 255\n track_script { chk }\n track_interface { eth1 weight 5 }"
    result = compiled(DEFINITIONS + TWO.format(words))
    assert document(result).instances[0].trackers == ()
    assert "'A': script chk: it is not tracked, for it is the address owner" in result.warnings


@pytest.mark.behaviour("SEC-1")
def test_as_whom_a_script_runs(compiled: Compile) -> None:
    words = 'notify "/n 1" nobody\n notify_master /m root\n notify_fault /f'
    found = document(compiled(f"global_defs {{ script_user nobody }}\n{TWO.format(words)}")).instances[0].notify
    assert [found.any_state.uid, found.master.uid, found.fault.uid] == [65534, 0, 65534]
    assert found.any_state.argv == ("/n", "1")
    assert found.backup is None


@pytest.mark.behaviour("QRK-15", "VER-9")
def test_a_script_user_counts_for_what_stands_above_it_too(compiled: Compile) -> None:
    words = ("notify_fifo /run/f", "notify_fifo_script /reader", "script_user nobody", "enable_script_security")
    text = "global_defs {{\n {}\n}}\n".format("\n ".join(words))
    found = document(compiled(text + TWO.format("notify /n")))
    assert found.instances[0].notify.any_state == Program(argv=("/n",), uid=65534, gid=65534)
    assert [fifo.uid for fifo in found.fifos] == [65534]


def test_a_user_that_is_not_there_runs_nothing(compiled: Compile) -> None:
    result = compiled(TWO.format("notify /n nobody-of-that-name"))
    assert document(result).instances[0].notify.any_state is None
    assert any("there is no user or group 'nobody-of-that-name'" in warning for warning in result.warnings)


def test_a_readability_test_is_the_shells(compiled: Compile) -> None:
    text = 'vrrp_script s {\n script "</dev/tcp/192.0.2.1/25"\n user root\n}\n'
    found = document(compiled(text + TWO.format("track_script { s }")))
    assert found.scripts[0].program == Program(argv=("/bin/bash", "-c", "</dev/tcp/192.0.2.1/25"))


@pytest.mark.behaviour("GRP-4", "FIX-35")
def test_members_of_a_group_lose_their_own_weights_and_take_the_groups(compiled: Compile) -> None:
    group = "vrrp_sync_group G {{ group {{ A\n B\n }}\n track_interface {{ eth9 weight 4 }}\n {} }}\n"
    words = "track_script { chk }\n track_interface { eth5 weight 9 }"
    result = compiled(DEFINITIONS + TWO.format(words) + group.format(""))
    first, second = document(result).instances
    eth9 = Tracker(kind=INTERFACE, name="eth9", weight=4)
    assert first.trackers == (Tracker(kind=INTERFACE, name="eth5"), eth9)
    assert second.trackers == (eth9,)
    kept = document(compiled(DEFINITIONS + TWO.format(words) + group.format("sync_group_tracking_weight")))
    assert [tracker.weight for tracker in kept.instances[0].trackers] == [9, -10, 4]


@pytest.mark.behaviour("GRP-3")
def test_an_owner_begins_as_master_only_if_its_whole_group_does(compiled: Compile) -> None:
    owner = TWO.format("state MASTER\n priority 255")
    alone = document(compiled(owner)).instances
    grouped = document(compiled(f"{owner}vrrp_sync_group G {{ group {{ A\n B }} }}\n")).instances
    assert [one.start_as_master for one in alone] == [True, False]
    assert [one.start_as_master for one in grouped] == [False, False]


@pytest.mark.behaviour("GRP-5")
def test_groups_without_members_and_members_of_two_groups(compiled: Compile) -> None:
    result = compiled(
        TWO.format("") + "vrrp_sync_group G { group { A B nobody } }\nvrrp_sync_group H { group { B } }\n"
    )
    [group] = document(result).groups
    assert (group.name, group.members) == ("G", ("A", "B"))
    assert "vrrp_sync_group 'G': 'nobody' is not a virtual router" in result.warnings
    assert "vrrp_sync_group 'H': 'B' is ignored: it is in group 'G' already" in result.warnings
    assert "vrrp_sync_group 'H' is ignored: it has no members" in result.warnings


def test_what_is_named_twice_counts_once_and_a_sense_needs_its_weight(instance: Compile) -> None:
    result = instance("track_interface {\n eth1 weight 20\n eth1\n eth2 reverse\n}")
    assert document(result).instances[0].trackers == (Tracker(kind=INTERFACE, name="eth1", weight=20),)
    assert document(result).instances[0].tracked_interfaces == ("eth2",)
    assert result.warnings == [
        "track_interface: 'eth1' is ignored: 'VI_1' follows it already",
        "reverse is ignored: 'eth2' has no weight in this line",
    ]


def test_the_first_fifo_of_a_kind_counts(compiled: Compile) -> None:
    text = "global_defs {\n vrrp_notify_fifo /run/one\n vrrp_notify_fifo /run/two\n}\n"
    result = compiled(text + TWO.format(""))
    assert [fifo.path for fifo in document(result).fifos] == ["/run/one"]
    assert "vrrp_notify_fifo is ignored: it is given already" in result.warnings


@pytest.mark.behaviour("NTF-26")
def test_fifos(compiled: Compile) -> None:
    text = """global_defs {
    notify_fifo /run/all nobody
    vrrp_notify_fifo /run/vrrp
    vrrp_notify_fifo /run/other
    vrrp_notify_fifo_script "/usr/bin/reader a" nobody
    script_user root
}
"""
    first, second = document(compiled(text + TWO.format(""))).fifos
    assert (first.path, first.uid, first.script) == ("/run/all", 65534, None)
    assert second.path == "/run/vrrp"
    assert (second.script.argv, second.script.uid) == (("/usr/bin/reader", "a"), 65534)


@pytest.mark.behaviour("FSM-46")
def test_delays_of_interfaces(compiled: Compile) -> None:
    text = "interface_up_down_delays {\n eth0 1.5\n eth1 2 3\n}\n"
    found = document(compiled(text + TWO.format(""))).interface_delays
    assert [(one.interface, one.down_ns, one.up_ns) for one in found] == [
        ("eth0", 1_500_000_000, 0), ("eth1", 2_000_000_000, 3_000_000_000),
    ]  # fmt: skip


@pytest.mark.behaviour("SEC-1")
def test_under_script_security_root_must_be_asked_for(compiled: Compile) -> None:
    text = "global_defs {{ enable_script_security\n {} }}\n"
    words = "notify /n\n notify_master /m root"
    result = compiled(text.format("") + TWO.format(words))
    notify = document(result).instances[0].notify
    assert (notify.any_state, notify.master) == (None, Program(argv=("/m",)))
    assert any(warning.startswith("notify does not run: enable_script_security") for warning in result.warnings)
    named = document(compiled(text.format("script_user root") + TWO.format(words)))
    assert named.instances[0].notify.any_state == Program(argv=("/n",))


@pytest.mark.behaviour("TRK-40")
def test_a_process_with_everything_that_can_be_said_of_it(compiled: Compile) -> None:
    text = """
global_defs {
    process_monitor_rcv_bufs 300000
}
vrrp_track_process p {
    process /usr/sbin/nginx -g "daemon off;"
    param_match initial
    weight -40 reverse
    quorum 2
    quorum_max 9
    delay 3
    terminate_delay 0.5
    full_command
}
vrrp_track_process none { process other
    quorum_max 0
}
"""
    found = document(compiled(text + TWO.format("track_process { p\n none weight 7 }")))
    second = 1_000_000_000
    assert found.processes == (
        TrackProcess(
            name="p", argv=("/usr/sbin/nginx", "-g", "daemon off;"), full_command=True,
            param_match=ParamMatch.INITIAL, least=2, most=9, fork_delay_ns=3 * second, terminate_delay_ns=second // 2,
            weight=40,
        ),
        TrackProcess(name="none", argv=("other",), least=0, most=0),
    )  # fmt: skip
    assert found.instances[0].trackers == (
        Tracker(kind=PROCESS, name="p", weight=-40, reverse=True),
        Tracker(kind=PROCESS, name="none", weight=7),
    )
    assert (found.process_watch.size_bytes, found.process_watch.beyond_limit) == (300000, False)


@pytest.mark.behaviour("TRK-40")
def test_how_parameters_are_compared_unless_it_is_said(compiled: Compile) -> None:
    text = """
vrrp_track_process a { process nginx
}
vrrp_track_process b { process nginx -x
}
vrrp_track_process c { process nginx
    param_match
}
"""
    found = document(compiled(text + TWO.format("track_process { a\n b\n c }")))
    matches = [process.param_match for process in found.processes]
    assert matches == [ParamMatch.NONE, ParamMatch.EXACT, ParamMatch.EXACT]


@pytest.mark.behaviour("TRK-40")
def test_a_quorum_above_its_maximum_is_an_error(compiled: Compile) -> None:
    text = "vrrp_track_process p { process a\n quorum 3\n quorum_max 2\n}\n"
    result = compiled(text + TWO.format("track_process { p }"))
    assert result.errors == ["quorum 3 is above quorum_max 2: no number of processes would do"]


@pytest.mark.behaviour("TRK-50")
def test_a_bfd_session_is_followed_unless_it_tells_the_checkers_only(compiled: Compile) -> None:
    text = """
bfd_instance one { neighbor_ip 192.0.2.9
    weight 30
}
bfd_instance two { neighbor_ip 192.0.2.8
    checker
}
"""
    result = compiled(text + TWO.format("track_bfd { one\n two }"))
    found = document(result)
    assert found.bfd_sessions == ("one",)
    assert found.instances[0].trackers == (Tracker(kind=BFD, name="one", weight=30),)
    assert any("there is no bfd_instance 'two'" in warning for warning in result.warnings)


@pytest.mark.behaviour("GRP-4")
def test_a_group_keeps_the_weights_of_processes(compiled: Compile) -> None:
    text = """
vrrp_track_process p { process a
    weight 9
}
bfd_instance one { neighbor_ip 192.0.2.9
    weight 30
}
vrrp_sync_group G { group { A\n B } }
"""
    found = document(compiled(text + TWO.format("track_process { p }\n track_bfd { one }")))
    assert found.instances[0].trackers == (Tracker(kind=PROCESS, name="p", weight=9),)
