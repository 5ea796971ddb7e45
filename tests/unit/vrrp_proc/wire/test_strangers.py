"""Which VRIDs are let in to be told of, and how often each is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.vmac import Vmac
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.vrrp_proc.wire.strangers import MOST, Strangers


def config(vrid: int, interface: str = "eth0", family: int = 4) -> VrrpInstance:
    return VrrpInstance(
        name=f"VI_{vrid}", vrid=vrid, family=family, interface=interface, version=3, start_as_master=False,
        base_priority=100, advertisement_interval_cs=100, addresses=(),
    )  # fmt: skip


def lines(path: Path) -> list[tuple[str, int, str]]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["interface"], line["vrid"], line["peer"]) for line in found if line["event"] == "unknown_vrid"]


def made(path: Path) -> tuple[Strangers, ProcessLog]:
    log = ProcessLog("vrrp", LogSettings(console=False, syslog=False, file=str(path)))
    return Strangers(log.logger), log


def test_nobody_is_let_in_while_nobody_asked(tmp_path: Path) -> None:
    strangers, _ = made(tmp_path / "log")
    strangers.learn([config(1)])
    assert strangers.on("eth0", 4) == frozenset()


def test_all_are_let_in_but_those_of_the_same_interface_and_family(tmp_path: Path) -> None:
    strangers, _ = made(tmp_path / "log")
    strangers.configure(True)
    strangers.learn([config(1), config(2), config(3, "eth1"), config(4, family=6)])
    assert strangers.on("eth0", 4) == frozenset(range(3, 256))
    assert strangers.on("eth1", 4) == frozenset({1, 2, *range(4, 256)})


def test_virtual_macs_of_one_interface_know_each_others_vrids(tmp_path: Path) -> None:
    strangers, _ = made(tmp_path / "log")
    strangers.configure(True)
    vmac = Vmac(name="vrrp.1", base="eth0", family=4, mac="00:00:5e:00:01:01")
    strangers.learn([replace(config(1), vmac=vmac), config(2)])
    assert strangers.on("vrrp.1", 4) == strangers.on("eth0", 4) == frozenset(range(3, 256))


def test_in_a_vrf_and_without_an_interface_nobody_is_let_in(tmp_path: Path) -> None:
    strangers, _ = made(tmp_path / "log")
    strangers.configure(True)
    strangers.learn([replace(config(1, ""), vrf="red"), config(2, "")])
    assert strangers.on("red", 4) == strangers.on("", 4) == frozenset()


def test_each_is_said_once_and_not_without_end_and_again_after_the_flag_was_off(tmp_path: Path) -> None:
    strangers, log = made(tmp_path / "log")
    strangers.configure(True)
    strangers.learn([config(1)])
    for number in range(MOST + 5):
        for _ in range(2):
            strangers.say("eth0", 7, f"10.0.{number // 200}.{number % 200}")
    log.flush()
    assert len(lines(tmp_path / "log")) == MOST
    assert lines(tmp_path / "log")[:2] == [("eth0", 7, "10.0.0.0"), ("eth0", 7, "10.0.0.1")]
    strangers.configure(False)
    strangers.configure(True)
    strangers.say("eth0", 7, "10.0.0.0")
    log.flush()
    assert len(lines(tmp_path / "log")) == MOST + 1
