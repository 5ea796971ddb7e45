"""What operators may order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyhad.common.config.model import SCHEMA, DataPlane, IpvsDocument
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.messages import WeightWanted
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.events import Configured, Event
from pyhad.ipvs_proc.operators import Operators


@pytest.mark.parametrize(
    ("weight", "deadline_ns", "for_ns", "problem"),
    [
        (0, 0, 0, ""),
        (5, 0, 60_000_000_000, ""),
        (2147483648, 0, 0, "a weight is at most 2147483647"),
        (0, 1 << 63, 0, "no clock comes so far"),
        (5, 0, 1 << 63, "no clock comes so far"),
        (5, 0, -1, "no clock comes so far"),
    ],
)
def test_an_order_that_no_status_could_tell_is_refused(
    make: Any, tmp_path: Path, weight: int, deadline_ns: int, for_ns: int, problem: str
) -> None:
    balancer, events = Balancer(), list[Event]()
    services = (make.virtual(make.server(1)),)
    document = IpvsDocument(schema=SCHEMA, generation=1, data_plane=DataPlane.AUTO, services=services)
    balancer.handle(Configured(document=document, actual={}), 0)
    logger = ProcessLog("test", LogSettings(syslog=False)).logger
    operators = Operators(Loop(), logger, str(tmp_path / "orders"), events.append)
    wanted = WeightWanted(
        ticket=1, service="web", server="10.1.0.1:80", weight=weight, deadline_ns=deadline_ns, for_ns=for_ns
    )
    assert (operators.order(wanted, balancer), len(events)) == (problem, 0 if problem else 1)
