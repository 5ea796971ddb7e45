"""Metrics: names that dashboards rely on, and a form that readers of OpenMetrics accept."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import replace

from pyhad.common.messages import WorkerStatus
from pyhad.control_proc.core.metrics import render
from pyhad.control_proc.core.sight import Sight

MakeSight = Callable[..., Sight]


def page_of(sight: Sight) -> str:
    """The page, all portions of it."""
    portions = render(sight)
    while True:
        try:
            next(portions)
        except StopIteration as end:
            return str(end.value)


def test_a_router_is_told_by_our_names_and_by_those_of_the_exporters(make_sight: MakeSight) -> None:
    lines = page_of(make_sight()).splitlines()
    labels = 'instance="VI_1",vrid="51",interface="eth0",family="4"'
    theirs = 'iname="VI_1",intf="eth0",vrid="51"'
    for line in (
        f'pyhad_vrrp_state{{{labels},state="master"}} 1', f'pyhad_vrrp_state{{{labels},state="fault"}} 0',
        f"pyhad_vrrp_priority{{{labels}}} 165", f"pyhad_vrrp_advert_sent_total{{{labels}}} 5",
        f"pyhad_vrrp_state_since_timestamp_seconds{{{labels}}} 1000500.0",
        f"keepalived_vrrp_state{{{theirs}}} 2", f"keepalived_advert_sent{{{theirs}}} 5",
        f"keepalived_garp_delay{{{theirs}}} 5.0", 'keepalived_script_status{name="chk"} 1', "keepalived_up 1",
        'pyhad_process_worst_lateness_seconds{process="vrrp"} 0.5', 'pyhad_process_restarts_total{process="vrrp"} 2',
        'pyhad_events_total{process="vrrp",event="frames"} 3', 'pyhad_info{version="9.9",router_id="r"} 1',
    ):  # fmt: skip
        assert line in lines, line


def test_counters_never_go_back_when_keepalived_s_statistics_are_cleared(make_sight: MakeSight) -> None:
    assert page_of(make_sight(cleared={"VI_1": {"advert_sent": 5}})) == page_of(make_sight())


def test_what_the_data_plane_does_not_count_is_left_out(make_sight: MakeSight) -> None:
    text = page_of(make_sight(full=True))
    labels = 'service="10.0.0.1:80/tcp",server="10.0.0.11:80"'
    assert f"pyhad_server_connections_total{{{labels}}} 7\n" in text
    assert f"pyhad_server_wanted_weight{{{labels}}} 2\n" in text
    assert "pyhad_server_active_connections" not in text
    assert re.findall(r"^(pyhad_service_\w+_total)(.*)$", text, re.MULTILINE) == [
        ("pyhad_service_connections_total", '{service="10.0.0.1:80/tcp"} 70'),
        ("pyhad_service_out_bytes_total", '{service="10.0.0.1:80/tcp"} 9'),
    ]


def test_two_checks_of_one_kind_are_two_samples(make_sight: MakeSight) -> None:
    text = page_of(make_sight(full=True))
    found = re.findall(r'pyhad_check_runs_total\{.*check="TCP_CHECK",number="(\d)"\} 9', text)
    assert found == ["1", "2"]


def test_each_worker_of_the_checker_has_its_samples(make_sight: MakeSight) -> None:
    sight = make_sight(full=True)
    assert sight.status.checker is not None
    worker = WorkerStatus(
        number=1, pid=0, checks=700, in_flight=3, restarts=2, silent_ns=0, late_p99_ns=2_000_000,
        late_max_ns=3_000_000, cpu_ns=4_000_000_000,
    )  # fmt: skip
    checker = dataclasses.replace(sight.status.checker, workers=(worker,))
    sight = dataclasses.replace(sight, status=dataclasses.replace(sight.status, checker=checker))
    found = re.findall(r'^pyhad_checker_worker_(\w+)\{worker="1"(.*)\} (.*)$', page_of(sight), re.MULTILINE)
    assert found == [
        ("up", "", "0"), ("checks", "", "700"), ("in_flight", "", "3"), ("restarts_total", "", "2"),
        ("cpu_seconds_total", "", "4.0"), ("lateness_seconds", ',quantile="0.99"', "0.002"),
        ("lateness_seconds", ',quantile="1"', "0.003"),
    ]  # fmt: skip


def test_the_page_has_the_form_of_openmetrics(make_sight: MakeSight) -> None:
    lines = page_of(make_sight(full=True)).splitlines()
    assert lines[-1] == "# EOF"
    kinds = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE")}
    samples: list[str] = []
    family = ""
    for line in lines[:-1]:
        if line.startswith("# TYPE"):
            assert line.split()[2] not in {one for one in samples if one == family}
            family = line.split()[2]
        if line.startswith("#"):
            continue
        name = re.fullmatch(r'([a-z_]+)(\{([a-z_]+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+-]+', line)
        assert name is not None, line
        suffix = {"counter": "_total", "info": "_info"}.get(kinds[family], "")
        assert name.group(1) == family + suffix, line
        samples.append(line.rpartition(" ")[0])
    assert len(samples) == len(set(samples))


def test_labels_are_escaped(make_sight: MakeSight) -> None:
    sight = make_sight()
    assert sight.status.vrrp is not None
    sight.status.vrrp.readings['script a"b\\\n'] = 0
    assert 'keepalived_script_status{name="a\\"b\\\\\\n"} 0' in page_of(sight)


def test_a_check_that_warns_is_counted_and_its_certificate_has_an_end(make_sight: MakeSight) -> None:
    sight = make_sight(full=True)
    assert sight.status.checker is not None
    health = sight.status.checker.servers[0]
    check = replace(health.checks[0], warnings=("certificate_ends",), certificate_until_s=1_893_553_445)
    checker = replace(sight.status.checker, servers=(replace(health, checks=(check,)),))
    text = page_of(replace(sight, status=replace(sight.status, checker=checker)))
    labels = r'service="10\.0\.0\.1:80/tcp",server="10\.0\.0\.11:80",check="TCP_CHECK",number="1"'
    assert re.search(rf'pyhad_check_warning\{{{labels},warning="certificate_ends"\}} 1\n', text)
    assert re.search(rf"pyhad_check_certificate_end_timestamp_seconds\{{{labels}\}} 1893553445\n", text)
