"""The threads that look up names, with lookups that are held, fail, and find others. Nothing is asked of any DNS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pyhad.checker_proc.core.names import Name
from pyhad.checker_proc.resolver import Resolver, look_up
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
WEB, MAIL, GONE = ("web.example", 4), ("mail.example", 4), ("gone.example", 4)


class ClockLoop(Loop):
    """Its timers are due when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[tuple[int, Any]] = []

    def after(self, delay_ns: int, action: Callable[[], None]) -> Any:
        timer = super().after(HOUR, action)
        self.timers.append((delay_ns, timer))
        return timer

    def pass_time(self, delay_ns: int) -> None:
        """Those with that delay are due."""
        due = [timer for delay, timer in self.timers if delay == delay_ns and timer.action is not None]
        self.timers = [(delay, timer) for delay, timer in self.timers if timer not in due]
        for timer in due:
            action = timer.action
            timer.cancel()
            action()


@dataclass
class Site:
    """What the names say; those in `held` get no answer before `release`."""

    loop: ClockLoop = field(default_factory=ClockLoop)
    answers: dict[str, list[str]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    release: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    changes: int = 0

    def look_up(self, name: Name) -> list[str]:
        self.asked.append(name[0])
        if name[0] in self.held:
            self.release.wait(30)
        if name[0] not in self.answers:
            raise OSError("no such name")
        return self.answers[name[0]]

    def changed(self) -> None:
        self.changes += 1

    def resolver(self, remembered: Mapping[Name, str] | None = None) -> Resolver:
        logger = ProcessLog("test", LogSettings(syslog=False)).logger
        return Resolver(self.loop, logger, remembered or {}, self.changed, self.look_up)

    def until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(1000):
            if is_so():
                return
            self.loop.turn(0.02)
        raise AssertionError("it did not come")


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.release.set()
    made.loop.close()


def test_a_name_is_asked_for_again_and_keeps_its_address_while_that_is_among_the_answers(site: Site) -> None:
    site.answers["web.example"] = ["10.0.0.8", "10.0.0.9"]
    resolver = site.resolver()
    resolver.follow(frozenset([WEB]), 30 * SECOND)
    site.until(lambda: resolver.known == {WEB: ("10.0.0.8", "10.0.0.9")})
    site.answers["web.example"] = ["10.0.0.7", "10.0.0.8"]
    site.loop.pass_time(30 * SECOND)
    site.until(lambda: len(site.asked) == 2)
    site.loop.turn(0.05)
    assert (resolver.known, site.changes) == ({WEB: ("10.0.0.8", "10.0.0.7")}, 2)
    site.answers["web.example"] = ["10.0.0.7"]
    site.until(lambda: any(delay == 30 * SECOND and timer.action for delay, timer in site.loop.timers))
    site.loop.pass_time(30 * SECOND)
    site.until(lambda: resolver.known == {WEB: ("10.0.0.7",)})
    assert site.changes == 3


def test_a_failure_keeps_the_address_and_without_one_the_name_is_unknown(site: Site) -> None:
    resolver = site.resolver({WEB: "10.0.0.7"})
    resolver.follow(frozenset([WEB, GONE]), 30 * SECOND)
    assert resolver.known == {WEB: ("10.0.0.7",)}
    site.until(lambda: resolver.known == {WEB: ("10.0.0.7",), GONE: ()})
    site.answers["gone.example"] = ["10.0.0.6"]
    site.until(lambda: sum(delay == 5 * SECOND for delay, _ in site.loop.timers) == 2)
    site.loop.pass_time(5 * SECOND)
    site.until(lambda: resolver.known == {WEB: ("10.0.0.7",), GONE: ("10.0.0.6",)})


def test_lookups_that_hang_hold_up_nobody_else_once_they_have_failed(site: Site) -> None:
    hanging = frozenset((f"h{number}.example", 4) for number in range(40))
    resolver = site.resolver()
    resolver.follow(hanging, 30 * SECOND)
    site.until(lambda: len(resolver.known) == 40)
    site.held = {name for name, _ in hanging}
    site.until(lambda: sum(delay == 5 * SECOND for delay, _ in site.loop.timers) == 40)
    site.loop.pass_time(5 * SECOND)
    site.answers["web.example"] = ["10.0.0.7"]
    resolver.follow(hanging | {WEB}, 30 * SECOND)
    site.until(lambda: resolver.known.get(WEB) == ("10.0.0.7",))
    assert sum(name in site.held for name in site.asked[40:]) == 8


def test_who_waits_too_long_for_the_first_answer_is_unknown_until_it_comes(site: Site) -> None:
    site.held, site.answers["web.example"] = {"web.example"}, ["10.0.0.7"]
    resolver = site.resolver({MAIL: "10.0.0.5"})
    resolver.follow(frozenset([WEB, MAIL]), 30 * SECOND)
    site.loop.turn(0.05)
    assert resolver.known == {MAIL: ("10.0.0.5",)}
    site.loop.pass_time(3 * SECOND)
    assert resolver.known == {MAIL: ("10.0.0.5",), WEB: ()}
    site.release.set()
    site.until(lambda: resolver.known.get(WEB) == ("10.0.0.7",))


def test_a_reload_asks_at_once_also_when_an_older_question_is_under_way(site: Site) -> None:
    site.answers["web.example"] = ["10.0.0.7"]
    resolver = site.resolver()
    resolver.follow(frozenset([WEB]), HOUR)
    site.until(lambda: resolver.known == {WEB: ("10.0.0.7",)})
    site.answers["web.example"] = ["10.0.0.8"]
    resolver.follow(frozenset([WEB]), HOUR)
    site.until(lambda: resolver.known == {WEB: ("10.0.0.8",)})
    site.held = {"web.example"}
    resolver.follow(frozenset([WEB]), HOUR)
    site.until(lambda: len(site.asked) == 3)
    resolver.follow(frozenset([WEB]), HOUR)
    site.release.set()
    site.until(lambda: len(site.asked) == 4)


def test_a_name_that_is_taken_out_is_asked_for_no_more_and_may_come_back(site: Site) -> None:
    site.answers["web.example"] = ["10.0.0.7"]
    resolver = site.resolver()
    resolver.follow(frozenset([WEB]), 30 * SECOND)
    site.until(lambda: resolver.known == {WEB: ("10.0.0.7",)})
    resolver.follow(frozenset(), 30 * SECOND)
    site.loop.pass_time(30 * SECOND)
    site.loop.turn(0.05)
    assert (resolver.known, site.asked) == ({}, ["web.example"])
    del site.answers["web.example"]
    resolver.follow(frozenset([WEB]), 30 * SECOND)
    assert resolver.known == {WEB: ("10.0.0.7",)}


def test_the_c_library_finds_addresses_of_the_family_and_raises_what_is_expected() -> None:
    assert look_up(("10.0.0.7", 4)) == ["10.0.0.7"]
    assert look_up(("FD00:0::7", 6)) == ["fd00::7"]
    with pytest.raises(OSError, match=r"no address that a server can have: 127\.0\.0\.1$"):
        look_up(("127.0.0.1", 4))
    with pytest.raises((OSError, UnicodeError)):
        look_up(("a" * 64 + ".invalid", 4))
