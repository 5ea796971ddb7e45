"""The addresses of this machine, as the kernel names them."""

from __future__ import annotations

from pyhad.checker_proc.local_addresses import LocalAddresses, addresses
from pyhad.common.loop import Loop


def test_the_loopback_s_address_is_here_and_a_documentation_address_is_not() -> None:
    assert "127.0.0.1" in addresses()
    local = LocalAddresses(Loop(), lambda: None)
    local.follow(frozenset({"127.0.0.1", "192.0.2.99"}))
    assert not local.lacks("127.0.0.1")
    assert local.lacks("192.0.2.99")
    assert not local.lacks("")
    local.follow(frozenset())
    assert local.here == frozenset()
