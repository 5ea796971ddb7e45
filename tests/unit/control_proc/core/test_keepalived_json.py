"""The JSON that exporters read: keys, order and types as 2.2.7 was seen to write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model.tracking import ParamMatch, Tracker, TrackerKind, TrackProcess
from pyhad.common.messages_tracked import TrackedProcessStatus
from pyhad.control_proc.core.keepalived_json import render
from pyhad.control_proc.core.sight import Sight

MakeSight = Callable[..., Sight]


@pytest.mark.behaviour("VER-6")
@pytest.mark.behaviour("SIG-20", "SIG-21", "SIG-22", "SIG-23", "SIG-24", "SIG-25")
def test_an_instance_is_told_key_by_key(make_sight: MakeSight) -> None:
    first, second = json.loads(render(make_sight()))
    assert list(first) == ["data", "stats"]
    assert list(first["data"].items()) == [
        ("iname", "VI_1"), ("dont_track_primary", 0), ("skip_check_adv_addr", 0), ("strict_mode", 0),
        ("vmac_ifname", ""), ("ifp_ifname", "eth0"), ("master_priority", 0), ("last_transition", 1_000_500.0),
        ("garp_delay", 5), ("garp_refresh", 0), ("garp_rep", 5), ("garp_refresh_rep", 1),
        ("garp_lower_prio_delay", 5), ("garp_lower_prio_rep", 5), ("lower_prio_no_advert", 0),
        ("higher_prio_send_advert", 0), ("vrid", 51), ("base_priority", 150), ("effective_priority", 165),
        ("vipset", True), ("promote_secondaries", False), ("adver_int", 1), ("master_adver_int", 0.25), ("accept", 1),
        ("nopreempt", False), ("preempt_delay", 0), ("state", 2), ("wantstate", 2), ("version", 2),
        ("smtp_alert", True), ("notify_deleted", False), ("script_master", "'/usr/bin/true' 'x'"),
        ("vips", ["192.0.2.100/24 dev eth0 scope global label eth0:1 set", "192.0.2.101 dev eth0 scope global set"]),
        ("evips", ["192.0.2.102 dev eth0 scope global set"]), ("track_ifp", ["lo"]),
        ("track_script", ["'/usr/bin/true' 'x'"]), ("auth_type", 1), ("auth_data", "********"),
    ]  # fmt: skip
    assert (first["stats"]["advert_sent"], first["stats"]["pri_zero_sent"]) == (5, 0)
    data: dict[str, Any] = second["data"]
    assert (data["state"], data["vipset"], data["nopreempt"], data["adver_int"]) == (1, False, True, 0.5)
    assert (data["master_priority"], data["auth_type"]) == (200, 0)
    assert "auth_data" not in data
    assert data["vips"][0] == "fe80::100 dev eth0 scope global deprecated"


@pytest.mark.behaviour("SIG-20", "SIG-26")
def test_version_2_is_an_object(make_sight: MakeSight) -> None:
    document = json.loads(render(make_sight(json_version=2)))
    assert list(document) == ["vrrp"]
    assert document["vrrp"] == json.loads(render(make_sight()))


@pytest.mark.behaviour("SIG-26")
def test_tracked_processes_are_told_with_their_quorum(make_sight: MakeSight) -> None:
    plain = TrackProcess(name="one", argv=("/bin/one",), weight=-7)
    picky = TrackProcess(
        name="two", argv=("two", "a", "b"), full_command=True, param_match=ParamMatch.INITIAL, least=2, most=5,
        fork_delay_ns=1_500_000_000, terminate_delay_ns=2_000_000_000,
    )  # fmt: skip
    sight = make_sight(json_version=2)
    seen = TrackedProcessStatus(name="two", count=3, has_quorum=True, fork_delay_runs=True, terminate_delay_runs=False)
    tracker = Tracker(kind=TrackerKind.PROCESS, name="two")
    assert sight.vrrp is not None
    assert sight.status.vrrp is not None
    first, *others = sight.vrrp.instances
    vrrp = replace(
        sight.vrrp, processes=(plain, picky), instances=(replace(first, trackers=(tracker,)), *others)
    )  # fmt: skip
    sight = replace(
        sight,
        document=replace(sight.document, vrrp=vrrp),
        status=replace(sight.status, vrrp=replace(sight.status.vrrp, processes=(seen,))),
    )
    document = json.loads(render(sight))
    assert document["vrrp"][0]["data"]["track_process"] == ["two"]
    one, two = document["track_process"]
    assert list(one.items()) == [
        ("process", "one"), ("param_match", "none"), ("min_processes", 1), ("current_processes", 0),
        ("have_quorum", False), ("weight", -7), ("terminate_delay", 0), ("fork_delay", 0),
        ("fork_delay_timer_running", False), ("terminate_delay_timer_running", False), ("full_command", False),
    ]  # fmt: skip
    assert list(two.items()) == [
        ("process", "two"), ("parameters", "a b"), ("param_match", "initial"), ("min_processes", 2),
        ("max_processes", 5), ("current_processes", 3), ("have_quorum", True), ("weight", 0), ("terminate_delay", 2),
        ("fork_delay", 1.5), ("fork_delay_timer_running", True), ("terminate_delay_timer_running", False),
        ("full_command", True),
    ]  # fmt: skip


@pytest.mark.behaviour("SIG-12")
def test_without_instances_there_is_no_document(make_sight: MakeSight) -> None:
    assert render(make_sight(configs=())) == ""
