"""The goals, and which of them were reached: one line per figure that has one."""

from __future__ import annotations

from dataclasses import dataclass

from bench.vrrp.cases import Figures
from bench.vrrp.layout import Shape

MANY = 1000
"""Routers from which on an advert sent may not cost more than keepalived's."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Of one figure. `ratio`: at most so many times keepalived's; `most`, `least`: of pyhad's own figure."""

    what: str
    figure: str
    ratio: float | None = None
    most: float | None = None
    least: float | None = None
    least_routers: int = 0
    least_addresses: int = 0

    def concerns(self, shape: Shape, figures: Figures) -> bool:
        """Whether it is set for this case."""
        is_enough = shape.routers >= self.least_routers and shape.routers * shape.addresses >= self.least_addresses
        return is_enough and self.figure in figures

    def line(self, row: str, theirs: float, ours: float) -> str:
        """What was found beside what was wanted."""
        if self.ratio is not None:
            found, goal = ours / theirs if theirs > 0 else float("inf"), f"<= {self.ratio:g} x"
            is_reached, shown = found <= self.ratio, f"{found:.2f} x"
        elif self.most is not None:
            is_reached, shown, goal = ours <= self.most, f"{ours:.1f}", f"<= {self.most:g}"
        else:
            assert self.least is not None
            is_reached, shown, goal = ours >= self.least, f"{ours:.1f}", f">= {self.least:g}"
        return f"{row:<52}{self.what:<32}{shown:>10}{goal:>10}  {'reached' if is_reached else 'MISSED'}"


GOALS = (
    Goal("CPU per advert sent", "cpu_per_sent_us", ratio=1.0, least_routers=MANY),
    Goal("lateness p99", "late_ms_p99", ratio=1.0),
    Goal("CPU per advert received", "cpu_per_received_us", ratio=1.5),
    Goal("timer to last of 600 VIPs, ms", "last_vip_ms", most=100, least_addresses=600),
    Goal("advert before its first VIP, ms", "advert_before_vip_ms", least=0),
)


def verdicts(row: str, shape: Shape, medians: dict[str, Figures]) -> list[str]:
    """A line for each goal that concerns this case."""
    theirs, ours = medians["keepalived"], medians["pyhad"]
    return [goal.line(row, theirs[goal.figure], ours[goal.figure]) for goal in GOALS if goal.concerns(shape, ours)]
