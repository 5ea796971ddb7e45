"""Said once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.effects import Remark
from pyhad.vrrp_proc.core.events import AdvertisementReceived
from pyhad.vrrp_proc.core.remarks import Remarks


def _advert(source: str = "10.0.0.1", interval_cs: int = 100, addresses_match: bool = True) -> AdvertisementReceived:
    return AdvertisementReceived(source=source, priority=100, interval_cs=interval_cs, addresses_match=addresses_match)


@pytest.mark.behaviour("PKT-37")
def test_once_per_sender_and_kind_until_forgotten() -> None:
    remarks = Remarks()
    first = remarks.once("odd", _advert(), warning=True, priority=3)
    assert first == [Remark(event="odd", fields={"source": "10.0.0.1", "priority": 3}, warning=True)]
    assert remarks.once("odd", _advert(), warning=True) == []
    assert len(remarks.once("odd", _advert("10.0.0.2"), warning=True)) == 1
    assert len(remarks.once("even", _advert(), warning=True)) == 1
    remarks.forget()
    assert len(remarks.once("odd", _advert(), warning=True)) == 1


def test_forged_senders_do_not_fill_the_memory_or_the_log() -> None:
    remarks = Remarks()
    made = [remarks.once("odd", _advert(f"10.0.0.{number}"), warning=True) for number in range(100)]
    assert sum(map(len, made)) == 16


@pytest.mark.behaviour("PKT-30", "PKT-35")
def test_differences_of_interval_and_of_addresses_are_told(make_config: Callable[..., VrrpInstance]) -> None:
    config = make_config(version=3)
    assert Remarks().on_differences(_advert(), config) == []
    told = Remarks().on_differences(_advert(interval_cs=50, addresses_match=False), config)
    assert [remark.event for remark in told if isinstance(remark, Remark)] == [
        "address_list_mismatch",
        "interval_mismatch",
    ]
