"""What operators ordered, in a file of the run directory: it outlives this process and the whole daemon, not a reboot.

A file, not the black box: an order stands until it is undone, also over a stop and a new start. Written as a whole and
renamed into place. Decides nothing about orders.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from pyhad.ipvs_proc.core.orders import Order, Pair
from pyhad.ipvs_proc.core.trust import MAX_TIME_NS, MAX_WEIGHT

NAME = "bus/orders"
"""Below the run directory, in the folder that belongs to the processes without rights."""
_VERSION = 1
_MAX_BYTES = 4 * 1024 * 1024


class OrderFile:
    """At `path`. Times are monotonic inside and of the wall clock in the file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def load(self) -> dict[Pair, Order]:
        """All orders; none when there is no file. Raises `ValueError` for what is not such a file, and `OSError`."""
        try:
            with open(self._path, "rb") as file:
                content = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return {}
        document = json.loads(content)
        if not isinstance(document, dict) or document.get("version") != _VERSION:
            raise ValueError("not an order file of this version")
        offset_ns = time.monotonic_ns() - time.time_ns()
        return dict(_order(row, offset_ns) for row in document["orders"])

    def save(self, orders: Mapping[Pair, Order]) -> None:
        """In place of what was there. Raises `OSError`."""
        offset_ns = time.time_ns() - time.monotonic_ns()
        rows = [
            [service, server, order.weight, _moved(order.deadline_ns, offset_ns), _moved(order.until_ns, offset_ns),
             order.is_out]
            for (service, server), order in orders.items()
        ]  # fmt: skip
        new = f"{self._path}.new"
        with open(new, "w", encoding="utf-8") as file:
            json.dump({"version": _VERSION, "orders": rows}, file)
        os.replace(new, self._path)


def _moved(at_ns: int, offset_ns: int) -> int:
    return max(1, at_ns + offset_ns) if at_ns else 0


def _order(row: Any, offset_ns: int) -> tuple[Pair, Order]:
    service, server, weight, deadline_ns, until_ns, is_out = row
    texts, numbers = (service, server), (weight, deadline_ns, until_ns)
    if not (all(type(each) is str for each in texts) and all(type(each) is int and each >= 0 for each in numbers)):
        raise ValueError(f"not an order: {row!r}"[:200])
    if type(is_out) is not bool or weight > MAX_WEIGHT or max(deadline_ns, until_ns) > 2 * MAX_TIME_NS:
        raise ValueError(f"not an order: {row!r}"[:200])
    order = Order(
        weight=weight,
        deadline_ns=_moved(deadline_ns, offset_ns),
        until_ns=_moved(until_ns, offset_ns),
        is_out=is_out,
    )
    return (service, server), order
