"""Two nodes: what does not fit between their files."""

from __future__ import annotations

import pytest

from pyhad.common.config.compile import CompileOptions, CompileResult, compile_text
from pyhad.ctl.lint_cluster import forecast, lint_cluster

NODE = """vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    virtual_ipaddress { 192.0.2.100/24 }
}
virtual_server 192.0.2.100 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 10.0.0.1 80 { TCP_CHECK { } }
}
"""
OTHER = NODE.replace("150", "100")


def compiled(text: str, name: str) -> CompileResult:
    return compile_text(text, name, CompileOptions(config_id=name))


def found(first: str, second: str) -> list[str]:
    results = [compiled(first, "a.conf"), compiled(second, "b.conf")]
    return [f"{one.at.file}:{one.at.line}: {one.message}" for one in lint_cluster(results)]


def test_two_nodes_that_fit_are_quiet() -> None:
    assert found(NODE, OTHER) == []


@pytest.mark.parametrize(
    ("second", "begins"),
    [
        (NODE, "b.conf:4: priority 150 is also that of a.conf:4"),
        (OTHER.replace("_int 1", "_int 2"), "b.conf:5: advert_int of 'VI_1' differs from a.conf:5: 2 here, 1"),
        (OTHER.replace("advert", "version 3\nadvert"), "b.conf:5: version of 'VI_1' differs from a.conf:1: 3 here"),
        (OTHER.replace("2.100/24", "2.101/24"), "b.conf:6: virtual addresses of 'VI_1' differs"),
        (OTHER.replace("r_id 51", "r_id 52"), "b.conf:3: 'VI_1' has virtual_router_id 52 here and 51 at a.conf"),
        (OTHER.replace("10.0.0.1", "10.0.0.2"), "b.conf:8: service 192.0.2.100:80/tcp has other real servers"),
        (OTHER.replace("100 80 {", "100 81 {"), "b.conf:8: service 192.0.2.100:81/tcp is not in a.conf"),
        (OTHER.replace("interface", "nopreempt\ninterface"), "a.conf:4: 'VI_1' has the highest priority and preempts"),
        ("vrrp_instance X {\ninterface eth0\nvirtual_router_id 9\nvirtual_ipaddress { 192.0.2.7/24 }\n}\n",
         "a.conf:3: only a.conf has virtual_router_id 51"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_found(second: str, begins: str) -> None:
    assert any(text.startswith(begins) for text in found(NODE, second)), found(NODE, second)


def test_two_masters_are_named() -> None:
    wanted = "state MASTER\n    interface"
    texts = found(NODE.replace("interface", wanted), OTHER.replace("interface", wanted))
    assert texts == ["b.conf:2: state MASTER stands here and at a.conf:2"]


def test_different_passwords_are_named_and_not_shown() -> None:
    block = "authentication {{\nauth_type PASS\nauth_pass {}\n}}\n    interface"
    texts = found(
        NODE.replace("interface", block.format("oneone1")), OTHER.replace("interface", block.format("twotwo2"))
    )
    assert texts[0].startswith("b.conf:2: authentication of 'VI_1' differs from a.conf:2: they drop each other's adv")
    assert not any("oneone1" in text or "twotwo2" in text for text in texts)


def test_unicast_on_one_node_only_is_named() -> None:
    texts = found(NODE, OTHER.replace("interface", "unicast_peer { 192.0.2.1 }\n    interface"))
    assert "b.conf:2: 'VI_1' is unicast on one node and multicast at a.conf:1" in texts


def test_the_forecast_names_master_and_next() -> None:
    results = [compiled(OTHER, "a.conf"), compiled(NODE, "b.conf")]
    assert forecast(results) == "VRID 51 IPv4 'VI_1': b.conf (150), then a.conf (100)\n"
