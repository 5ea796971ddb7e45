"""Quorums are said as levels, then edges with rising numbers."""

from __future__ import annotations

from pyhad.common.config.model import Forwarding, Listener, Protocol, RealServer, VirtualServer
from pyhad.common.messages import Beat, QuorumChanged, QuorumSnapshot, QuorumState
from pyhad.ipvs_proc.core.virtual_service import VirtualService
from pyhad.ipvs_proc.quorums import Quorums

NAME = "10.0.0.1:80/tcp"


def test_levels_come_first_then_edges() -> None:
    service = VirtualService(
        VirtualServer(
            id=NAME, scheduler="rr", quorum=1,
            listeners=(Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=80),),
            servers=(RealServer(id="a", address="10.0.0.2", port=80, weight=3, forwarding=Forwarding.NAT),),
        )
    )  # fmt: skip
    said: list[QuorumSnapshot | QuorumChanged | Beat] = []
    quorums = Quorums(lambda: {NAME: service}, said.append, lambda: 77)
    quorums.beat()
    quorums.changed(NAME)
    quorums.flush()
    assert said == []
    up = QuorumState(service=NAME, up=True, weight_sum=3, quorum=1, hysteresis=0)
    quorums.say_all()
    assert said == [QuorumSnapshot(generation=77, sequence=0, states=(up,))]
    quorums.changed(NAME)
    quorums.changed(NAME)
    quorums.changed("gone")
    quorums.flush()
    quorums.beat()
    assert said[1:] == [QuorumChanged(generation=77, sequence=1, state=up), Beat(generation=77, sequence=1)]
    quorums.say_all()
    assert said[-1] == QuorumSnapshot(generation=78, sequence=0, states=(up,))
