"""Fixtures of the lab: every test gets hosts of its own and a folder for logs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.net import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """An empty lab, taken apart at the end of the test."""
    with Lab() as made:
        yield made
