"""Weights of operators in the black box."""

from __future__ import annotations

from typing import Any

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.model import SCHEMA, DataPlane, IpvsDocument
from pyhad.ipvs_proc.ordered_weights import OrderedWeights, split


def test_a_weight_outlives_its_process_and_a_time_without_its_server(make: Any) -> None:
    box = BlackBox(8, 64)
    box.put(b"x" * 16, b"something else")
    first = OrderedWeights(box, split(box.load())[0])
    assert first.set("web", "10.1.0.1:80", 0)
    assert first.set("web", "10.1.0.2:80", 5)
    ours, others = split(box.load())
    assert others == {b"x" * 16: b"something else"}
    successor = OrderedWeights(box, ours)
    service = make.virtual(make.server(1), make.server(3))
    empty = IpvsDocument(schema=SCHEMA, generation=1, data_plane=DataPlane.AUTO, services=())
    assert successor.of(empty) == {}
    document = IpvsDocument(schema=SCHEMA, generation=1, data_plane=DataPlane.AUTO, services=(service,))
    assert successor.of(document) == {("web", "10.1.0.1:80"): 0}
    assert successor.set("web", "10.1.0.1:80", None)
    assert successor.of(document) == {}
    assert split(box.load())[0].keys() == {key for key in ours if ours[key] == 5}


def test_a_full_box_is_said() -> None:
    box = BlackBox(1, 64)
    weights = OrderedWeights(box, {})
    assert weights.set("web", "10.1.0.1:80", 0)
    assert not weights.set("web", "10.1.0.2:80", 0)
