"""`pyhadctl status` names the peers that are heard and how their adverts differ from our configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.net import Lab, wait_until
from tests.lab.test_standby import ctl
from tests.lab.test_vrrp_interop import Segment

pytestmark = pytest.mark.lab
CONFIG = """
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    priority {}
    advert_int {}
    virtual_ipaddress {{
        10.0.0.100
        {}
    }}
}}
"""


@pytest.mark.behaviour("PKT-28", "PKT-35")
def test_a_peer_with_another_interval_and_more_addresses_is_shown(lab: Lab, tmp_path: Path) -> None:
    segment = Segment(lab, tmp_path)
    (tmp_path / "a.conf").write_text(CONFIG.format(100, 1, ""))
    (tmp_path / "b.conf").write_text(CONFIG.format("255\n    state MASTER", 2, "10.0.0.101"))
    segment.launch("a", "pyhad")
    command = ["keepalived", "-n", "-l", "-D", "-P", "-f", str(tmp_path / "b.conf"), "-p", str(tmp_path / "b.pid"),
               "-r", str(tmp_path / "b.vrrp.pid")]  # fmt: skip
    lab.start("b", *command, log=tmp_path / "b.log")

    def peers() -> list[dict[str, object]]:
        _, text = ctl(segment, "-j", "status", "vrrp")
        found: list[dict[str, object]] = json.loads(text)["vrrp"]["routers"][0]["peers"]
        return found

    wait_until(peers, 15, "the peer is heard", every_s=0.3)
    [peer] = peers()
    assert (peer["address"], peer["priority"], peer["advert_interval_s"]) == ("10.0.0.2", 255, 2.0)
    assert peer["refused"] == "advert_interval_err"
    assert peer["differences"] == [
        "10.0.0.2 sends advert_int 2, ours ('VI_1') is 1: we drop it, both may be master",
        "10.0.0.2 serves 10.0.0.101, which we do not have in 'VI_1'",
    ]
    _, text = ctl(segment, "status", "vrrp")
    assert "! VI_1: 10.0.0.2 sends advert_int 2, ours ('VI_1') is 1: we drop it, both may be master" in text
    print(text)
