"""Somebody says that we live while a long call runs, and nobody does afterwards."""

from __future__ import annotations

import threading

import pytest

from pyhad.ipvs_proc.breathing import breathing


def test_it_breathes_during_the_block_and_not_after_it() -> None:
    breath = threading.Event()
    threads = threading.active_count()
    with breathing(breath.set):
        assert breath.wait(40)
    assert threading.active_count() == threads


def test_an_error_in_the_block_ends_it_too() -> None:
    threads = threading.active_count()
    with pytest.raises(ValueError, match="broken"), breathing(lambda: None):
        raise ValueError("broken")
    assert threading.active_count() == threads
