"""What a mail says of a virtual router or a group that took another state, in keepalived's words (MAIL-5, MAIL-6)."""

from __future__ import annotations

from pyhad.vrrp_proc.core.notices import Told

_SUBJECT = {
    Told.MASTER: "Entering MASTER state",
    Told.BACKUP: "Entering BACKUP state",
    Told.FAULT: "Entering FAULT state",
    Told.STOP: "Stopping",
    Told.DELETED: "Deleted",
}
_INSTANCE = {
    Told.MASTER: "VRRP Instance is now owning VRRP VIPs",
    Told.BACKUP: "VRRP Instance is no longer owning VRRP VIPs",
    Told.FAULT: "VRRP Instance is no longer owning VRRP VIPs",
    Told.STOP: "VRRP Instance stopping",
    Told.DELETED: "VRRP Deleted at reload",
}
_GROUP = {
    Told.MASTER: "All VRRP group instances are now in MASTER state",
    Told.BACKUP: "All VRRP group instances are now in BACKUP state",
    Told.FAULT: "All VRRP group instances are now in FAULT state",
    Told.STOP: "All VRRP group instances are now stopping",
    Told.DELETED: "VRRP Deleted at reload",
}


def mail_of(router_id: str, kind: str, name: str, state: Told) -> tuple[str, str]:
    """Subject and body; `kind` is INSTANCE or GROUP."""
    is_group = kind == "GROUP"
    what = "Group" if is_group else "Instance"
    return f"[{router_id}] VRRP {what} {name} - {_SUBJECT[state]}", (_GROUP if is_group else _INSTANCE)[state]
