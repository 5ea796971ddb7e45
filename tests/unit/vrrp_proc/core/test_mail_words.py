"""Mails about routers and groups are in keepalived's words."""

from __future__ import annotations

import pytest

from pyhad.vrrp_proc.core.mail_words import mail_of
from pyhad.vrrp_proc.core.notices import Told


@pytest.mark.behaviour("MAIL-5", "MAIL-6")
@pytest.mark.parametrize(
    ("kind", "state", "subject", "body"),
    [
        ("INSTANCE", Told.MASTER, "[R1] VRRP Instance V - Entering MASTER state",
         "VRRP Instance is now owning VRRP VIPs"),
        ("INSTANCE", Told.FAULT, "[R1] VRRP Instance V - Entering FAULT state",
         "VRRP Instance is no longer owning VRRP VIPs"),
        ("INSTANCE", Told.STOP, "[R1] VRRP Instance V - Stopping", "VRRP Instance stopping"),
        ("GROUP", Told.BACKUP, "[R1] VRRP Group V - Entering BACKUP state",
         "All VRRP group instances are now in BACKUP state"),
    ],
)  # fmt: skip
def test_each_state_has_its_subject_and_body(kind: str, state: Told, subject: str, body: str) -> None:
    assert mail_of("R1", kind, "V", state) == (subject, body)
