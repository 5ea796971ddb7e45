"""What one program of the parent leaves to the next."""

from __future__ import annotations

import json
import os

import pytest

from pyhad.parent import baton
from pyhad.parent.baton import Baton, BatonError, LeftBox, LeftChild


def a_baton(lock: int, pulse: int) -> Baton:
    return Baton(
        version="1.2",
        lock=lock,
        generation=7,
        pulse=pulse,
        pulse_layout="1 =QQ",
        environment={"NOTIFY_SOCKET": "/run/notify"},
        boxes={"vrrp": LeftBox(fd=pulse, slots=8, payload_bytes=64)},
        children=(LeftChild(name="vrrp", pid=77, lifeline=lock, started_ns=5, restarts=1),),
    )


def test_what_was_written_is_taken_once_and_stays_open_only_until_then() -> None:
    lock, pulse = os.pipe()
    written = a_baton(lock, pulse)
    environment = {"PATH": "/bin", baton.VARIABLE: str(baton.write(written))}
    assert os.get_inheritable(lock)
    assert os.get_inheritable(pulse)
    assert baton.take(environment) == written
    assert not os.get_inheritable(lock)
    assert not os.get_inheritable(pulse)
    assert environment == {"PATH": "/bin", "NOTIFY_SOCKET": "/run/notify"}
    assert baton.take(environment) is None
    os.close(lock)
    os.close(pulse)


def test_what_a_newer_version_adds_is_left_out_and_what_an_older_one_lacks_is_empty() -> None:
    text = json.dumps(
        {
            "news": 1, "format": baton.FORMAT, "version": "9",
            "lock": 3, "generation": 1, "pulse": 4, "pulse_layout": "",
            "children": [{"name": "vrrp", "pid": 7, "lifeline": 5, "started_ns": 1, "restarts": 0, "mood": "good"}],
        }
    )  # fmt: skip
    found = baton.read(text)
    assert found.children == (LeftChild(name="vrrp", pid=7, lifeline=5, started_ns=1, restarts=0),)
    assert found.icmp == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"format": 99}', "format 99"),
        ('{"format": 1}', "makes no sense"),
        ("[]", "makes no sense"),
        ("{", "makes no sense"),
        ('{"format": 1, "version": "", "lock": "x", "generation": 1, "pulse": 1, "pulse_layout": ""}', "no sense"),
    ],
)
def test_what_cannot_be_taken_is_told(text: str, word: str) -> None:
    with pytest.raises(BatonError, match=word):
        baton.read(text)


def test_a_number_that_is_no_descriptor_is_told() -> None:
    with pytest.raises(BatonError, match="cannot be read"):
        baton.take({baton.VARIABLE: "9999"})
