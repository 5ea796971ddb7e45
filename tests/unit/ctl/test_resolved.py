"""A configuration with its defaults, and where each value was written."""

from __future__ import annotations

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.ctl.resolved import _plain, to_document, to_text

TEXT = """vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    advert_int 2
    virtual_ipaddress { 192.0.2.100/24 }
}
virtual_server 192.0.2.100 80 {
    lb_kind NAT
    lb_algo sh
    protocol TCP
    real_server 10.0.0.1 80 { TCP_CHECK { } }
}
"""


def test_each_value_says_where_it_was_written() -> None:
    result = compile_text(TEXT, "t.conf", CompileOptions(config_id="n"))
    assert result.configuration is not None
    rows = to_text(result.configuration, result.root).splitlines()
    assert "    advert_int 2                              # t.conf:4" in rows
    assert "    priority 100                              # default" in rows
    assert "    lb_algo sh                                # t.conf:9" in rows
    assert "        192.0.2.100/24 dev eth0" in rows


def test_programs_get_the_whole_model() -> None:
    result = compile_text(TEXT, "t.conf", CompileOptions(config_id="n"))
    assert result.configuration is not None
    document = to_document(result.configuration)
    assert document["vrrp"]["instances"][0]["advertisement_interval_cs"] == 200
    assert document["checker"]["servers"][0]["checks"][0]["kind"] == "TcpCheck"


def test_what_may_be_a_key_is_not_shown() -> None:
    assert _plain(b"-----BEGIN") == "(10 bytes, hidden)"
