"""The JSON document: its schema, order and units."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from pyhad.common.messages import WorkerStatus
from pyhad.ctl.document import status_document, status_text, to_text
from pyhad.ctl.judge import Part


def test_the_fields_come_in_a_fixed_order(replies: Any) -> None:
    document = status_document(replies.good(), replies.now_ns)
    assert list(document) == [
        "schema", "version", "router_id", "age_s", "well", "known", "problems", "configuration", "processes", "vrrp",
        "checker", "data_plane", "services", "control",
    ]  # fmt: skip
    assert document["schema"] == 1


def test_durations_are_seconds(replies: Any) -> None:
    document = status_document(replies.good(), replies.now_ns)
    assert document["processes"][1] == {
        "name": "vrrp", "condition": "running", "state": "running", "pid": 4201, "uptime_s": 273600.0, "restarts": 0,
        "silent": False, "last_turn_age_s": 0.1, "worst_lateness_s": 0.00125,
        "lateness_p99_s": 0.0, "lateness_max_s": 0.0, "scheduling": "",
    }  # fmt: skip
    assert document["vrrp"]["age_s"] == 0.002
    assert document["configuration"]["last_reload"] == {
        "ok": True, "error": "", "age_s": 5400.0, "goes_back_in_s": None,
    }  # fmt: skip


def test_a_reload_that_waits_for_its_confirmation_says_how_long(replies: Any) -> None:
    waits = dataclasses.replace(replies.good(), confirm_until_ns=replies.now_ns + 42_500_000_000)
    document = status_document(waits, replies.now_ns)
    assert document["configuration"]["last_reload"]["goes_back_in_s"] == 42.5


def test_a_virtual_router_is_complete(replies: Any) -> None:
    router = status_document(replies.good(), replies.now_ns)["vrrp"]["routers"][1]
    assert router == {
        "name": "VI_MAIL", "state": "BACKUP", "since_s": 42.0, "reason": "", "vrid": 52, "family": 4, "version": 2,
        "interface": "eth0.20", "vmac": "", "priority": {"base": 100, "effective": 80},
        "master": {"address": "192.0.2.3", "priority": 90}, "addresses": ["192.0.2.100/24"],
        "advert_interval_s": 1.0, "counters": {"advert_sent": 7380},
        "admin": "", "standby_left_s": None, "routes": [], "rules": [], "missing": [], "peers": [],
    }  # fmt: skip


def test_a_server_joins_verdict_and_table(replies: Any) -> None:
    service = status_document(replies.good(), replies.now_ns)["services"][0]
    assert (service["service"], service["servers_up"], service["servers_total"]) == ("192.0.2.100:80/tcp", 2, 3)
    assert service["connections"] == {"active": 68, "inactive": 8, "total": 42160}
    assert service["traffic"] == {"in_packets": 7, "out_packets": None, "in_bytes": None, "out_bytes": None}
    assert service["rates"] == {"connections": 3, "in_packets": 0, "out_packets": 0, "in_bytes": 0, "out_bytes": 9}
    assert service["servers"][0]["rates"] == dict.fromkeys(service["rates"], 0)
    assert service["servers"][1] == {
        "server": "10.1.0.12:80", "address": "", "moving_to": "",
        "up": False, "sorry": False, "reason": "connect_refused", "since_s": 12.0,
        "in_table": False, "weight": None, "wanted_weight": 1, "operator_weight": None,
        "kept_in": False, "slow_start_left_s": None,
        "drained_out": False, "drain_deadline_s": None, "order_left_s": None,
        "connections": {"active": 0, "inactive": 0, "total": 0},
        "traffic": {"in_packets": None, "out_packets": None, "in_bytes": None, "out_bytes": None}, "rates": None,
        "checks": [{"kind": "TCP_CHECK", "up": False, "reason": "connect_refused", "runs": 90, "failures": 4,
                    "last_age_s": 1.0, "latency_s": 0.00031, "certificate_end_timestamp_s": None, "warnings": []}],
    }  # fmt: skip


def test_a_silent_source_is_said(replies: Any) -> None:
    document = status_document(replies.silent_vrrp(), replies.now_ns)
    assert (document["well"], document["known"]) == (False, False)
    assert document["vrrp"]["trusted"] is False
    assert document["vrrp"]["age_s"] == 4.2
    assert document["vrrp"]["caution"] == "as of 4.2 s ago, the vrrp process is silent"
    assert document["problems"] == [
        {"kind": "process_silent", "subject": "vrrp",
         "text": "the vrrp process is silent: no turn of its loop for 4.2 s", "unknown": True},
    ]  # fmt: skip


def test_a_daemon_without_anything_to_do_has_all_the_fields(replies: Any) -> None:
    document = status_document(replies.nothing_needed(), replies.now_ns)
    assert document["vrrp"] == {
        "needed": False, "trusted": True, "caution": "", "age_s": None, "generation": None, "counters": {},
        "routers": [], "static": {"addresses": [], "routes": [], "rules": [], "missing": []},
    }  # fmt: skip
    assert document["services"] == []
    assert document["configuration"]["last_reload"]["age_s"] is None


def test_one_part_alone(replies: Any) -> None:
    document = status_document(replies.good(), replies.now_ns, (Part.SERVICES,))
    assert "services" in document
    assert "vrrp" not in document
    assert "processes" not in document


def test_the_text_is_json_that_ends_with_a_newline(replies: Any) -> None:
    document = status_document(replies.good(), replies.now_ns)
    text = to_text(document)
    assert text.endswith("}\n")
    assert json.loads(text) == document
    assert "".join(status_text(replies.good(), replies.now_ns)) == text


def test_each_server_has_a_line_of_the_text_and_what_is_empty_is_there(replies: Any) -> None:
    lines = "".join(status_text(replies.good(), replies.now_ns)).splitlines()
    [line] = [line for line in lines if '"server": "10.1.0.12:80"' in line]
    assert json.loads(line.rstrip(","))["reason"] == "connect_refused"
    assert json.loads("".join(status_text(replies.nothing_needed(), replies.now_ns)))["services"] == []


def test_workers_of_the_checker(replies: Any) -> None:
    reply = replies.good()
    assert status_document(reply, replies.now_ns)["checker"]["workers"] == []
    worker = WorkerStatus(
        number=2, pid=901, checks=700, in_flight=3, restarts=1, silent_ns=500_000_000, late_p99_ns=2_000_000,
        late_max_ns=3_000_000, cpu_ns=4_000_000_000,
    )  # fmt: skip
    reply = dataclasses.replace(reply, checker=dataclasses.replace(reply.checker, workers=(worker,)))
    assert status_document(reply, replies.now_ns)["checker"]["workers"] == [
        {"worker": 2, "pid": 901, "checks": 700, "in_flight": 3, "restarts": 1, "last_word_age_s": 0.5,
         "lateness_p99_s": 0.002, "lateness_max_s": 0.003, "cpu_s": 4.0},
    ]  # fmt: skip
