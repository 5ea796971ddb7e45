"""Scheduling, memory and names of the processes as the file wants them."""

from __future__ import annotations

from typing import Any

import pytest

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.common.config.model.scheduling import ProcessSettings

INSTANCE = "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.1.1.1\n }\n}\n"


def compiled(words: str) -> Any:
    return compile_text(f"global_defs {{\n{words}\n}}\n{INSTANCE}", "file", CompileOptions(config_id="test"))


def settings(words: str = "") -> dict[str, ProcessSettings]:
    configuration = compiled(words).configuration
    return {one.name: one for one in configuration.parent.processes}


def test_vrrp_is_real_time_and_stays_in_memory_unless_told_otherwise() -> None:
    found = settings()
    assert found["vrrp"] == ProcessSettings(name="vrrp", rt_priority=10, lock_memory=True)
    assert found["checker"] == ProcessSettings(name="checker")
    assert found["parent"] == ProcessSettings(name="parent", rt_priority=11, lock_memory=True)
    assert found["vrrp"].rt_limit_ns == 5_000_000_000
    off = settings("pyhad_realtime off")
    assert off["vrrp"] == ProcessSettings(name="vrrp")
    assert off["parent"] == ProcessSettings(name="parent")


def test_the_parent_is_above_vrrp_so_that_it_can_end_it() -> None:
    assert settings("vrrp_rt_priority 50")["parent"].rt_priority == 51
    assert settings("vrrp_rt_priority 99")["parent"].rt_priority == 99


def test_what_the_file_says_counts_and_is_known_to_be_wanted() -> None:
    found = settings(
        "pyhad_realtime off\nvrrp_rt_priority 50\nvrrp_priority -5\nvrrp_no_swap\nvrrp_cpu_affinity 3 1\n"
        "vrrp_rlimit_rttime 2000000\n"
        "checker_rt_priority 7\nchecker_no_swap\nchecker_priority 4\nchecker_cpu_affinity 0\n"
        "checker_rlimit_rtime 3000000"
    )
    assert found["vrrp"] == ProcessSettings(
        name="vrrp", nice=-5, rt_priority=50, rt_wanted=True, rt_limit_ns=2_000_000_000,
        cpus=(1, 3), lock_memory=True, lock_wanted=True,
    )  # fmt: skip
    assert found["checker"] == ProcessSettings(
        name="checker", nice=4, rt_priority=7, rt_wanted=True, rt_limit_ns=3_000_000_000, cpus=(0,),
        lock_memory=True, lock_wanted=True,
    )  # fmt: skip


def test_a_limit_that_would_end_the_process_is_raised_and_said() -> None:
    result = compiled("vrrp_rlimit_rttime 10000")
    assert result.configuration.parent.processes[1].rt_limit_ns == 1_000_000_000
    assert [one.message for one in result.diagnostics] == [
        "vrrp_rlimit_rttime is raised to 1000000 (one second): less would end a process that starts or reloads"
    ]


@pytest.mark.parametrize("words", ["max_auto_priority 50", "max_auto_priority", "min_auto_priority_delay 1000000"])
def test_raising_priority_when_late_means_nothing_here(words: str) -> None:
    assert [one.message for one in compiled(words).diagnostics if "not yet" in one.message] == []
