"""The table of sockets covers the catalogue of messages."""

from __future__ import annotations

import typing

from pyhad.common import messages as m
from pyhad.common.channels import CHANNELS


def test_every_message_of_the_catalogue_travels_on_one_channel_and_in_one_direction() -> None:
    """But those of levels and edges, which verdicts, quorums and BFD sessions share, and the word of who is at work."""
    ways = [kind for channel in CHANNELS for kinds in (channel.to_hub, channel.to_link) for kind in kinds]
    shared = [*[m.Beat.__name__, m.SnapshotWanted.__name__] * 2, m.AtWork.__name__]
    names = [kind.__name__ for kind in typing.get_args(m.Message)]
    assert sorted(kind.__name__ for kind in ways) == sorted([*names, *shared])


def test_names_and_paths_are_unique() -> None:
    assert len({channel.name for channel in CHANNELS}) == len(CHANNELS)
    assert len({channel.path for channel in CHANNELS}) == len(CHANNELS)


def test_no_socket_is_open_to_everybody() -> None:
    assert [channel.mode & 0o007 for channel in CHANNELS] == [0, 0, 0, 0, 0]


def test_only_the_socket_of_operators_lies_outside_the_closed_folder() -> None:
    assert [channel.name for channel in CHANNELS if not channel.path.startswith("bus/")] == ["operator"]
    assert [channel.name for channel in CHANNELS if not channel.links] == ["operator"]
