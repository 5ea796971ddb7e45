"""Static addresses, routes and rules: installed, kept, changed by reloads, removed."""

from __future__ import annotations

import collections
import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyhad.common.config.model import Statics, VirtualAddress
from pyhad.common.config.model.routes import VirtualRoute, VirtualRule
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.vrrp_proc.kernel.addresses import Outcome
from pyhad.vrrp_proc.kernel.paths import PathOutcome, Refusal
from pyhad.vrrp_proc.static_items import StaticItems

S = 1_000_000_000
ADDRESS = VirtualAddress(address="10.1.0.1", prefix_len=24, interface="eth0")
FREE = replace(ADDRESS, address="10.1.0.2", tracked=False)
ROUTE = VirtualRoute(text="10.7.0.0/16 dev eth0", family=4, destination="10.7.0.0", prefix_len=16)
RULE = VirtualRule(text="table 5", family=4, priority=9, table=5)
CONFIG = Statics(addresses=(ADDRESS, FREE), routes=(ROUTE,), rules=(RULE,))


class Timer:
    def __init__(self, at_ns: int, action: Any) -> None:
        self.at_ns, self.action = at_ns, action

    def cancel(self) -> None:
        self.action = None


class Clock:
    """A loop that turns when the test says so."""

    def __init__(self) -> None:
        self.time_ns = 0
        self.timers: list[Timer] = []

    def now_ns(self) -> int:
        return self.time_ns

    def at(self, at_ns: int, action: Any) -> Timer:
        self.timers.append(Timer(at_ns, action))
        return self.timers[-1]

    def pass_to(self, now_ns: int) -> None:
        self.time_ns = now_ns
        for timer in [timer for timer in self.timers if timer.action and timer.at_ns <= now_ns]:
            action, timer.action = timer.action, None
            action()


class Holder:
    """Holdings that take everything but what is in `refused`, and note what they were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refused: dict[Any, int] = {}

    def install(self, holder: object, addresses: Any, paths: Any = (), *, owns_found: bool) -> Outcome:
        self._note("+", addresses, paths)
        bad = tuple(Refusal(path, self.refused[path]) for path in paths if path in self.refused)
        failed = tuple((one, self.refused[one]) for one in addresses if one in self.refused)
        done = tuple(one for one in addresses if one not in self.refused)
        good = tuple(path for path in paths if path not in self.refused)
        return Outcome(done, (), failed, {}, PathOutcome(good, (), bad))

    def remove(self, holder: object, addresses: Any, paths: Any = ()) -> Outcome:
        self._note("-", addresses, paths)
        return Outcome(tuple(addresses), (), ())

    def _note(self, sign: str, addresses: Any, paths: Any) -> None:
        self.asked.append(" ".join([sign, *(one.address for one in addresses), *(path.text for path in paths)]))


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock, self.holder, self.path = Clock(), Holder(), folder / "log"
        self.log = ProcessLog("vrrp", LogSettings(console=False, syslog=False, file=str(self.path)))
        loop: Any = self.clock
        holdings: Any = self.holder
        self.items = StaticItems(loop, self.log.logger, holdings, collections.Counter())

    def events(self) -> list[str]:
        self.log.flush()
        return [json.loads(line)["event"] for line in self.path.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Nothing configured yet."""
    return Bench(tmp_path)


@pytest.mark.behaviour("PROC-31")
def test_they_come_with_the_start_and_go_with_the_end(bench: Bench) -> None:
    bench.items.configure(CONFIG, owns_found=False)
    bench.items.stop()
    whole = "10.1.0.1 10.1.0.2 10.7.0.0/16 dev eth0 table 5"
    assert bench.holder.asked == [f"+ {whole}", f"- {whole}"]


def test_a_reload_writes_the_difference(bench: Bench) -> None:
    bench.items.configure(CONFIG, owns_found=False)
    bench.items.configure(CONFIG, owns_found=False)
    other = replace(ROUTE, metric=3, text="other")
    bench.items.configure(replace(CONFIG, addresses=(ADDRESS,), routes=(other,)), owns_found=False)
    assert bench.holder.asked[1:] == ["- 10.1.0.2 10.7.0.0/16 dev eth0", "+ other"]


@pytest.mark.behaviour("TRK-60")
def test_what_is_lost_is_put_back_at_once_and_then_once_a_second(bench: Bench) -> None:
    bench.items.configure(CONFIG, owns_found=False)
    lost = [("eth0", "10.1.0.1"), ("eth0", "10.1.0.2"), ("eth0", "192.0.2.1")]
    bench.items.lose(lost, [RULE])
    assert bench.holder.asked[1:] == ["+ 10.1.0.1 10.7.0.0/16 dev eth0 table 5"]
    bench.items.lose([], [RULE])
    assert len(bench.holder.asked) == 2
    bench.clock.pass_to(999_999_999)
    assert len(bench.holder.asked) == 2
    bench.clock.pass_to(S)
    assert bench.holder.asked[2:] == ["+ table 5"]
    assert bench.events() == [
        "lost_static_addresses_put_back", "lost_static_paths_put_back", "lost_static_paths_put_back",
    ]  # fmt: skip


def test_what_is_refused_is_said_once_and_tried_again(bench: Bench) -> None:
    bench.holder.refused = {ROUTE: errno.ENETUNREACH, ADDRESS: errno.ENODEV}
    bench.items.configure(CONFIG, owns_found=False)
    assert bench.items.missing == ("10.1.0.1/24", "10.7.0.0/16 dev eth0")
    bench.clock.pass_to(5 * S)
    bench.clock.pass_to(10 * S)
    assert bench.holder.asked[1:] == ["+ 10.1.0.1 10.7.0.0/16 dev eth0"] * 2
    bench.holder.refused = {}
    bench.items.appeared({"eth0"})
    assert bench.holder.asked[3:] == ["+ 10.1.0.1 10.1.0.2 10.7.0.0/16 dev eth0"]
    assert bench.items.missing == ()
    bench.clock.pass_to(20 * S)
    assert len(bench.holder.asked) == 4
    assert bench.events() == ["static_address_not_installed", "route_not_installed"]


def test_a_refused_address_is_tried_again_and_not_called_put_back(bench: Bench) -> None:
    bench.items.configure(replace(CONFIG, routes=(), rules=()), owns_found=False)
    bench.holder.refused = {ADDRESS: errno.EINVAL}
    bench.items.lose([ADDRESS.place], [])
    assert bench.events() == ["static_address_not_installed"]
    bench.clock.pass_to(5 * S)
    bench.holder.refused = {}
    bench.clock.pass_to(10 * S)
    bench.clock.pass_to(20 * S)
    assert bench.holder.asked[1:] == ["+ 10.1.0.1"] * 3
    assert bench.items.missing == ()
    assert bench.events() == ["static_address_not_installed"]
