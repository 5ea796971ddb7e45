"""Which servers stay in the table although their checks failed: `pyhad_panic_threshold`. Pure.

Where most servers seem to fail at once, it is rather the network or the check that fails, and the few that are left
would break under the load of all. So the last PERCENT of a service are not taken out: those that failed last stay.
"""

from __future__ import annotations

from collections.abc import Iterable


def kept_in(down: Iterable[tuple[str, int]], up: int, able: int, threshold_percent: int) -> frozenset[str]:
    """Of the servers that are `down` (id and since when, in configuration order) those that stay.

    `able`: how many could get connections were they up; so many of them as the threshold says are to be in the table,
    rounded up.
    """
    missing = -(-able * threshold_percent // 100) - up
    if missing <= 0:
        return frozenset()
    latest_first = sorted(down, key=lambda server: -server[1])
    return frozenset(server for server, _ in latest_first[:missing])
