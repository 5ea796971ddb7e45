"""The run directory: one daemon, and sockets with the right doors."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pyhad.common.states import ProcessName
from pyhad.parent.run_dir import AlreadyRunningError, RunDir

ACCOUNT = ("me", os.geteuid(), os.getegid())


@pytest.mark.behaviour("PROC-3")
def test_a_second_daemon_is_told_and_a_third_after_the_end_is_not(tmp_path: Path) -> None:
    first = RunDir(str(tmp_path / "run"))
    with pytest.raises(AlreadyRunningError, match=str(tmp_path)):
        RunDir(str(tmp_path / "run"))
    first.close()
    RunDir(str(tmp_path / "run")).close()


def test_the_directory_is_open_to_pass_through_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        run_dir = RunDir(str(tmp_path / "run"))
    finally:
        os.umask(umask)
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755
    run_dir.close()


def test_directories_made_above_it_are_open_too(tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        run_dir = RunDir(str(tmp_path / "a" / "b" / "run"))
    finally:
        os.umask(umask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o755
    run_dir.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has processes of another user")
def test_a_place_that_the_service_account_cannot_reach_is_refused_by_name(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    run_dir = RunDir(str(closed / "run"))
    with pytest.raises(PermissionError, match=f"the user nobody cannot pass {closed} "):
        run_dir.open_listeners(("nobody", 65534, 65534))
    run_dir.close()


def test_each_channel_listens_and_belongs_to_its_hub(tmp_path: Path) -> None:
    run_dir = RunDir(str(tmp_path))
    run_dir.open_listeners(ACCOUNT)
    for path in ("bus/verdicts", "bus/roles", "bus/status", "bus/bfd", "control"):
        assert (tmp_path / path).stat().st_mode & 0o777 == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / path))
    assert (tmp_path / "bus").stat().st_mode & 0o777 == 0o770
    assert set(run_dir.listeners_of(ProcessName.CONTROL)) == {"status", "operator"}
    assert set(run_dir.listeners_of(ProcessName.IPVS)) == {"verdicts", "roles"}
    assert run_dir.listeners_of(ProcessName.VRRP) == {}
    run_dir.close()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bus", "lock"]


def test_sockets_left_by_a_killed_daemon_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "bus").mkdir()
    for path in ("bus/verdicts", "control"):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(tmp_path / path))
    run_dir = RunDir(str(tmp_path))
    run_dir.open_listeners(ACCOUNT)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "control"))
    run_dir.close()


def test_a_link_in_place_of_the_bus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "bus").symlink_to(tmp_path / "elsewhere")
    run_dir = RunDir(str(tmp_path))
    with pytest.raises(FileExistsError):
        run_dir.open_listeners(ACCOUNT)
    run_dir.close()
