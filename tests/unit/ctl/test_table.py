"""The tables, against texts that were read by a person. `golden/*.txt` are those texts."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest

from pyhad.common.messages import WorkerStatus
from pyhad.common.states import ProcessName, ProcessState, RouterState
from pyhad.ctl.judge import Part
from pyhad.ctl.table import render_status

GOLDEN = pathlib.Path(__file__).parent / "golden"
S = 1_000_000_000


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "width"), [("good", 0), ("good_100", 100), ("good_60", 60)])
def test_a_daemon_in_good_health(replies: Any, name: str, width: int) -> None:
    assert render_status(replies.good(), replies.now_ns, width=width) == golden(name)


def test_a_silent_vrrp_process(replies: Any) -> None:
    assert render_status(replies.silent_vrrp(), replies.now_ns, width=100) == golden("silent_vrrp")


def test_a_daemon_without_anything_to_do(replies: Any) -> None:
    assert render_status(replies.nothing_needed(), replies.now_ns, width=100) == golden("nothing_needed")


def test_trouble_everywhere(replies: Any) -> None:
    reply = replies.with_process(
        replies.good(), ProcessName.CHECKER, state=ProcessState.BACKOFF, pid=0, silent=True, silent_ns=2 * S,
        restarts=6, uptime_ns=0,
    )  # fmt: skip
    error = (
        "keepalived.conf:12:1: unknown keyword 'vrrp_instnce', did you mean 'vrrp_instance'?\n    vrrp_instnce VI_1 {"
    )
    fault = replies.router("VI_WEB", 51, RouterState.FAULT, reason="interface_down", master_address="")
    service = reply.ipvs.services[0]
    down = tuple(dataclasses.replace(one, up=False, weight=-1) for one in service.destinations[:3])
    sorry = dataclasses.replace(service.destinations[3], weight=1, active_connections=-1)
    service = dataclasses.replace(service, quorum_up=False, destinations=(*down, sorry))
    refused = dataclasses.replace(
        service, service="fwmark:9/inet", problem="IPVS_CMD_NEW_SERVICE: No such file", destinations=()
    )
    reply = dataclasses.replace(
        reply,
        last_reload_ok=False,
        last_reload_error=error,
        vrrp=dataclasses.replace(reply.vrrp, routers=(fault,)),
        ipvs=dataclasses.replace(reply.ipvs, services=(service, refused)),
    )
    assert render_status(reply, replies.now_ns, width=110) == golden("trouble")


def test_a_server_says_that_it_is_kept_in_or_starts_slowly(replies: Any) -> None:
    reply = replies.good()
    first, second, *others = reply.ipvs.services[0].destinations
    slow = dataclasses.replace(first, slow_start_until_ns=replies.now_ns + 12 * S)
    kept = dataclasses.replace(second, weight=1, kept_in=True)
    service = dataclasses.replace(reply.ipvs.services[0], destinations=(slow, kept, *others), kept_in=1)
    reply = dataclasses.replace(reply, ipvs=dataclasses.replace(reply.ipvs, services=(service,)))
    lines = render_status(reply, replies.now_ns, width=160).splitlines()
    assert any("10.1.0.11:80" in line and "slow start, whole in 12 s" in line for line in lines)
    assert any("10.1.0.12:80" in line and "kept in: panic threshold" in line for line in lines)
    assert any("192.0.2.100:80/tcp" in line and "PANIC" in line for line in lines)


def test_workers_stand_below_the_checker(replies: Any) -> None:
    reply = replies.good()
    late = {"silent_ns": 0, "late_p99_ns": 1, "late_max_ns": 2_500_000, "cpu_ns": 3}
    workers = (
        WorkerStatus(number=1, pid=901, checks=700, in_flight=3, restarts=0, **late),
        WorkerStatus(number=2, pid=0, checks=650, in_flight=0, restarts=4, **late),
    )
    reply = dataclasses.replace(reply, checker=dataclasses.replace(reply.checker, workers=workers))
    lines = render_status(reply, replies.now_ns, width=160).splitlines()
    at = next(number for number, line in enumerate(lines) if line.split()[:1] == ["checker"])
    assert lines[at + 1].split() == ["worker", "1", "running", "901", "700", "checks", "0", "-", "2.5", "ms"]
    assert lines[at + 2].split() == ["worker", "2", "STARTING", "-", "650", "checks", "4", "-", "-"]


def test_one_part_alone(replies: Any) -> None:
    text = render_status(replies.good(), replies.now_ns, parts=(Part.VRRP,))
    assert "VIRTUAL ROUTERS" in text
    assert "PROCESSES" not in text
    assert "SERVICES" not in text


def test_without_colour_there_is_no_escape_and_with_it_the_same_words(replies: Any) -> None:
    plain = render_status(replies.silent_vrrp(), replies.now_ns, width=100)
    coloured = render_status(replies.silent_vrrp(), replies.now_ns, width=100, colour=True)
    assert "\033" not in plain
    stripped = coloured
    for code in ("31", "32", "33", "90", "1", "0"):
        stripped = stripped.replace(f"\033[{code}m", "")
    assert stripped == plain


def test_a_silent_process_is_red_and_its_routers_are_never_green(replies: Any) -> None:
    text = render_status(replies.silent_vrrp(), replies.now_ns, colour=True)
    assert "\033[31mSILENT\033[0m" in text
    assert "\033[33mMASTER?\033[0m" in text
    assert "\033[32mMASTER" not in text


def test_names_cannot_steer_the_terminal(replies: Any) -> None:
    reply = replies.good()
    router = replies.router("VI\033[2J\n", 51, RouterState.MASTER)
    reply = dataclasses.replace(
        reply, router_id="a\033]0;b\007", vrrp=dataclasses.replace(reply.vrrp, routers=(router,))
    )
    text = render_status(reply, replies.now_ns)
    assert "\033" not in text
    assert "\007" not in text
    assert "VI?[2J?" in text


def test_a_router_id_in_wide_characters_keeps_the_columns(replies: Any) -> None:
    reply = replies.good()
    routers = (replies.router("東京", 51, RouterState.MASTER), replies.router("VI_1", 52, RouterState.BACKUP))
    reply = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, routers=routers))
    lines = render_status(reply, replies.now_ns, parts=(Part.VRRP,)).splitlines()
    assert "  東京  MASTER" in "\n".join(lines)
    assert "  VI_1  BACKUP" in "\n".join(lines)


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
def test_any_width_gives_a_text(replies: Any, width: int) -> None:
    assert "MASTER" in render_status(replies.good(), replies.now_ns, width=width)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal(replies: Any, width: int) -> None:
    for reply in (replies.good(), replies.silent_vrrp(), replies.nothing_needed()):
        for line in render_status(reply, replies.now_ns, width=width).splitlines():
            assert len(line) <= width


def test_a_router_that_is_held_back_says_so_and_for_how_long(replies: Any) -> None:
    reply = replies.good()
    until_ns = replies.now_ns + 90 * S
    routers = (
        replies.router("VI_1", 51, RouterState.BACKUP, admin="standby"),
        replies.router("VI_2", 52, RouterState.BACKUP, admin="standby", standby_until_ns=until_ns),
    )
    reply = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, routers=routers))
    text = render_status(reply, replies.now_ns, parts=(Part.VRRP,))
    assert "BACKUP (standby) " in text
    assert "BACKUP (standby, 1 min 30 s left)" in text


def test_a_drained_server_says_how_far_it_is_and_one_that_is_out_has_no_weight(replies: Any) -> None:
    def shown(**order: Any) -> str:
        reply = replies.good()
        assert reply.ipvs is not None
        row = replies.destination("10.1.0.13:80", wanted_weight=-1, operator_weight=0, **order)
        service = dataclasses.replace(reply.ipvs.services[0], destinations=(row,))
        reply = dataclasses.replace(reply, ipvs=dataclasses.replace(reply.ipvs, services=(service,)))
        text = render_status(reply, replies.now_ns)
        return next(line for line in text.splitlines() if line.strip().startswith("10.1.0.13:80"))

    out = shown(weight=-1, drained_out=True, order_until_ns=replies.now_ns + 60_000_000_000)
    assert "-1" not in out
    assert out.endswith("drained, taken out for 1 min more")
    there = shown(weight=0, active_connections=4, drain_deadline_ns=replies.now_ns + 5_000_000_000)
    assert there.endswith("draining, 4 connections left, 5.0 s at most")


def test_a_reload_that_waits_for_its_confirmation_is_shown_with_its_time(replies: Any) -> None:
    waits = dataclasses.replace(replies.good(), confirm_until_ns=replies.now_ns + 42 * S)
    text = "reload         waits for confirmation, 42 s left; goes back by itself (keep it: pyhadctl reload confirm)"
    assert text in render_status(waits, replies.now_ns).splitlines()
    late = dataclasses.replace(waits, confirm_until_ns=replies.now_ns)
    text = "reload         was not confirmed: goes back to the configuration before it just now"
    assert text in render_status(late, replies.now_ns).splitlines()
