"""Scheduling of another process, and what is said when the kernel refuses."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator

import pytest

from pyhad.common.config.model.scheduling import ProcessSettings
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.states import ProcessName
from pyhad.parent.scheduling import Scheduler, schedule

PLAIN = ProcessSettings(name="vrrp")


@pytest.fixture
def child() -> Iterator[int]:
    """A process that waits for its end."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def policy(pid: int) -> tuple[int, int]:
    return os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(pid).sched_priority


def test_real_time_comes_with_its_limit_and_goes_again(child: int) -> None:
    refused = schedule(child, ProcessSettings(name="vrrp", rt_priority=3, rt_limit_ns=2_000_000_000))
    if "realtime" in refused:
        pytest.skip("real-time scheduling is not permitted here")
    assert refused == {}
    assert policy(child) == (os.SCHED_RR, 3)
    assert os.sched_getscheduler(child) & os.SCHED_RESET_ON_FORK
    assert resource.prlimit(child, resource.RLIMIT_RTTIME)[0] == 2_000_000
    assert schedule(child, PLAIN) == {}
    assert policy(child) == (os.SCHED_OTHER, 0)


def test_a_real_time_process_that_never_waits_may_rest_instead_of_ending() -> None:
    pid = os.fork()
    if pid == 0:
        scheduler = Scheduler(Loop(), ProcessLog(ProcessName.PARENT, LogSettings()).logger, lambda _name: 0)
        signal.signal(signal.SIGXCPU, lambda _number, _frame: scheduler.rest())
        scheduler.follow([ProcessSettings(name=ProcessName.PARENT, rt_priority=3, rt_limit_ns=20_000_000)])
        if policy(os.getpid()) == (os.SCHED_OTHER, 0):
            os._exit(2)
        while policy(os.getpid()) != (os.SCHED_OTHER, 0) and time.process_time() < 5:
            pass
        os._exit(0 if policy(os.getpid()) == (os.SCHED_OTHER, 0) else 1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 2:
        pytest.skip("real-time scheduling is not permitted here")
    assert status == 0


def test_niceness_and_cpus(child: int) -> None:
    assert schedule(child, ProcessSettings(name="vrrp", nice=7, cpus=(0,))) == {}
    assert os.getpriority(os.PRIO_PROCESS, child) == 7
    assert os.sched_getaffinity(child) == {0}


def test_a_cpu_that_is_not_there_is_refused_and_the_rest_is_done(child: int) -> None:
    refused = schedule(child, ProcessSettings(name="vrrp", nice=7, cpus=(1023,)))
    assert set(refused) == {"cpu_affinity"}
    assert os.getpriority(os.PRIO_PROCESS, child) == 7


def test_a_process_that_is_gone_refuses_nothing(child: int) -> None:
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    assert schedule(gone, ProcessSettings(name="vrrp", nice=1, rt_priority=1)) == {}


def test_a_parent_that_rests_is_ordinary_until_it_resumes() -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        logger = ProcessLog(ProcessName.PARENT, LogSettings()).logger
        scheduler = Scheduler(Loop(), logger, lambda _name: 0)
        scheduler.follow([ProcessSettings(name=ProcessName.PARENT, rt_priority=3)])
        seen = [policy(os.getpid())]
        scheduler.rest()
        seen.append(policy(os.getpid()))
        scheduler.resume()
        os.write(writer, repr([*seen, policy(os.getpid())]).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    seen = os.read(reader, 100).decode()
    os.close(reader)
    if seen == "[(0, 0), (0, 0), (0, 0)]":
        pytest.skip("real-time scheduling is not permitted here")
    assert seen == "[(2, 3), (0, 0), (2, 3)]"
