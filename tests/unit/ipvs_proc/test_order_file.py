"""The file in which orders of operators outlive the daemon."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from pyhad.ipvs_proc.core.orders import Order
from pyhad.ipvs_proc.order_file import OrderFile

HOUR_NS = 3_600_000_000_000


def test_orders_come_back_as_they_were_with_their_times(tmp_path: Path) -> None:
    file = OrderFile(str(tmp_path / "orders"))
    assert file.load() == {}
    now_ns = time.monotonic_ns()
    orders = {
        ("10.0.0.1:80/tcp", "10.1.0.1:80"): Order(weight=0, is_out=True),
        ("10.0.0.1:80/tcp", "10.1.0.2:80"): Order(weight=9, until_ns=now_ns + HOUR_NS),
    }
    file.save(orders)
    found = file.load()
    assert found["10.0.0.1:80/tcp", "10.1.0.1:80"] == Order(weight=0, is_out=True)
    timed = found["10.0.0.1:80/tcp", "10.1.0.2:80"]
    assert timed.weight == 9
    assert abs(timed.until_ns - now_ns - HOUR_NS) < 1_000_000_000
    assert [entry.name for entry in tmp_path.iterdir()] == ["orders"]


@pytest.mark.parametrize(
    "row",
    [
        ["web", "s", -1, 0, 0, False],
        ["web", "s", 2147483648, 0, 0, False],
        ["web", 7, 0, 0, 0, False],
        ["web", "s", 0, 0, 0, 1],
        ["web", "s", True, 0, 0, False],
        ["web", "s", 0],
        ["web", "s", 0, 0, 1 << 64, False],
    ],
)
def test_what_is_no_order_is_refused(tmp_path: Path, row: list[object]) -> None:
    path = tmp_path / "orders"
    path.write_text(json.dumps({"version": 1, "orders": [row]}))
    with pytest.raises(ValueError):
        OrderFile(str(path)).load()


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    path.write_text('{"version": 2, "orders": []}')
    with pytest.raises(ValueError, match="version"):
        OrderFile(str(path)).load()
