"""The results as a picture: one row a fault, one bar a pair, on a logarithmic scale. SVG by hand; knows no runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from bench.failover.results import Cell

COLOURS = {
    "keepalived/keepalived": "#b0413e",
    "pyhad/pyhad": "#2a6f97",
    "pyhad/keepalived": "#61a5c2",
    "keepalived/pyhad": "#e09f7d",
}
LEFT, WIDTH, BAR, GAP, TOP = 190, 560, 9, 12, 54
LOWEST_MS, HIGHEST_MS = 1.0, 10_000.0


def draw(cells: Sequence[Cell], setting: str, order: Sequence[str]) -> str:
    """An SVG document of one setting: the bar is the median gap, the line beyond it the worst."""
    chosen = [cell for cell in cells if cell.setting == setting]
    faults = [fault for fault in order if any(cell.fault == fault for cell in chosen)]
    pairs = [pair for pair in COLOURS if any(cell.pair == pair for cell in chosen)]
    height = TOP + len(faults) * (len(pairs) * BAR + GAP) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<text x="8" y="18" font-size="14">Longest time without an answer, {escape(setting)} adverts (ms)</text>',
        *_legend(pairs),
        *_scale(height),
    ]
    y = TOP
    for fault in faults:
        middle = y + len(pairs) * BAR / 2 + 4
        parts.append(f'<text x="{LEFT - 8}" y="{middle:.0f}" text-anchor="end">{escape(fault)}</text>')
        for pair in pairs:
            found = [cell for cell in chosen if (cell.fault, cell.pair) == (fault, pair)]
            parts += _bar(found[0], y) if found else []
            y += BAR
        y += GAP
    return "\n".join([*parts, "</svg>", ""])


def _bar(cell: Cell, y: int) -> list[str]:
    end, worst = _x(cell.gap_ms), _x(cell.worst_gap_ms)
    colour, middle = COLOURS[cell.pair], y + BAR / 2
    return [
        f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR - 1}" fill="{colour}"/>',
        f'<line x1="{end:.1f}" x2="{worst:.1f}" y1="{middle}" y2="{middle}" stroke="{colour}"/>',
        f'<text x="{worst + 4:.1f}" y="{y + BAR - 1}" font-size="9">{cell.gap_ms:.0f}</text>',
    ]


def _legend(pairs: list[str]) -> list[str]:
    parts = []
    for number, pair in enumerate(pairs):
        x = LEFT + number * 150
        parts.append(f'<rect x="{x}" y="28" width="10" height="10" fill="{COLOURS[pair]}"/>')
        parts.append(f'<text x="{x + 14}" y="37">{escape(pair)}</text>')
    return parts


def _scale(height: int) -> list[str]:
    parts = []
    for value in (1, 10, 100, 1000, 10_000):
        x = _x(value)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height - 18}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 4}" text-anchor="middle" fill="#666">{value}</text>')
    return parts


def _x(value_ms: float) -> float:
    bounded = min(max(value_ms, LOWEST_MS), HIGHEST_MS)
    return LEFT + WIDTH * math.log10(bounded / LOWEST_MS) / math.log10(HIGHEST_MS / LOWEST_MS)
