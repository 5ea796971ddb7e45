"""Which line a frame belongs to, while interfaces are made anew."""

from __future__ import annotations

import collections
import dataclasses
import socket

import pytest

from pyhad.common.loop import Loop
from pyhad.vrrp_proc.wire.sockets_vmac import Line, VmacSockets

_SO_GET_FILTER = 26


class Deaf(VmacSockets):
    """Its sockets hear nothing."""

    opened = 0

    def _open(self, lines: list[Line], name: str) -> socket.socket:
        self.opened += 1
        return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def line(name: str, index: int) -> Line:
    nothing = frozenset[int]()
    return Line(
        name=name, index=index, groups=frozenset(), vrids=nothing, sealed=nothing,
        repeats=lambda packet: True, take=lambda packet: None,
    )  # fmt: skip


@pytest.fixture
def sockets() -> Deaf:
    return Deaf(4, Loop(), collections.Counter())


def test_an_interface_that_is_made_anew_leaves_nothing_behind(sockets: Deaf) -> None:
    for index in range(3, 13):
        fresh = line("vrrp.51", index)
        sockets.add(fresh)
    assert sockets._by_index == {12: fresh}
    sockets.remove(fresh)
    assert sockets._by_index == {}


def test_many_that_come_in_one_round_share_from_the_first_on_and_close_nothing(sockets: Deaf) -> None:
    sockets.expect(5)
    lines = [line(f"vrrp.{index}", index) for index in range(3, 8)]
    for one in lines:
        sockets.add(one)
    assert sockets.opened == 1
    for one in lines:
        sockets.remove(one)


def test_a_shared_socket_that_is_opened_again_gets_the_filter_of_all_its_lines(sockets: Deaf) -> None:
    sockets.expect(10)
    lines = [dataclasses.replace(line(f"vrrp.{index}", index), vrids=frozenset({index})) for index in range(3, 13)]
    for _ in range(2):
        for one in lines:
            sockets.add(one)
        sockets.settle()
        assert sockets._shared is not None
        assert sockets._shared.getsockopt(socket.SOL_SOCKET, _SO_GET_FILTER, 1024), "it hears the first line only"
        for one in lines:
            sockets.remove(one)


def test_few_have_a_socket_each(sockets: Deaf) -> None:
    sockets.expect(4)
    lines = [line(f"vrrp.{index}", index) for index in range(3, 7)]
    for one in lines:
        sockets.add(one)
    assert sockets.opened == 4
    for one in lines:
        sockets.remove(one)


def test_another_interface_that_has_its_number_stays(sockets: Deaf) -> None:
    first = line("vrrp.51", 3)
    renamed = dataclasses.replace(first, name="vrrp.52")
    sockets.add(first)
    sockets.add(renamed)
    anew = line("vrrp.51", 4)
    sockets.add(anew)
    assert sockets._by_index == {3: renamed, 4: anew}
    sockets.remove(renamed)
    sockets.remove(anew)
