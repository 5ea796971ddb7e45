"""Names of users and groups to numbers, looked up while compiling: never in a process that serves."""

from __future__ import annotations

import grp
import os
import pwd

from pyhad.common.records import dataclass

DEFAULT_USER = "keepalived_script"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """As whom a script runs."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    """Supplementary ones."""


def find_account(user: str, group: str = "", *, supplementary: bool = False) -> Account | None:
    """None when there is no such user or group. Numbers are taken as they are."""
    try:
        entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
        gid = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid if group else entry.pw_gid
    except (KeyError, OverflowError):
        return None
    groups = tuple(sorted(os.getgrouplist(entry.pw_name, gid))) if supplementary else ()
    return Account(uid=entry.pw_uid, gid=gid, groups=groups)
