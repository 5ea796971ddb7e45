"""The words of the table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import Listener, Protocol
from pyhad.ipvs_proc.core.table import listener_name, prefix_len, service_of


@pytest.mark.parametrize(
    ("granularity", "family", "length"),
    [("", 4, 32), ("", 6, 128), ("255.255.255.0", 4, 24), ("64", 6, 64), ("255.255.255.255", 4, 32)],
)
def test_a_granularity_is_a_length(granularity: str, family: int, length: int) -> None:
    assert prefix_len(granularity, family) == length


@pytest.mark.behaviour("LVS-11")
def test_persistence_settings_count_only_with_a_timeout(make: Any) -> None:
    config = replace(make.virtual(), persistence_granularity="255.255.0.0", persistence_engine="sip")
    service = service_of(config, make.listener)
    assert (service.persistence_prefix_len, service.persistence_engine) == (0, "")
    service = service_of(replace(config, persistence_timeout_s=60), make.listener)
    assert (service.persistence_prefix_len, service.persistence_engine) == (16, "sip")


def test_scheduler_flags_become_the_kernels_bits(make: Any) -> None:
    config = replace(make.virtual(scheduler="sh"), flags=("sh-port", "sh-fallback", "ops"))
    assert service_of(config, make.listener).flags == 0x1C


def test_listeners_are_named_as_everywhere() -> None:
    assert listener_name(Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=80)) == "10.0.0.1:80/tcp"
    assert listener_name(Listener(protocol=Protocol.UDP, family=6, address="fd00::1", port=53)) == "[fd00::1]:53/udp"
    assert listener_name(Listener(protocol=Protocol.NONE, family=6, fwmark=9)) == "fwmark:9/inet6"
