"""Whether a program may be run, looked at when it is about to be (SEC-3 to SEC-5). Runs nothing.

Every component of the path is opened from the one before, without following links, and must belong to root and be
writable by root alone. Where that holds nobody else can change what the path leads to between this look and the start,
so the path itself can be run; scripts see their own name as `$0`. What is run by its links is walked link by link.
"""

from __future__ import annotations

import os
import shutil
import stat

_LINKS_MAX = 40
_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Unfit(Exception):
    """The program cannot or must not be run; the text says why. `insecure`: only its permissions speak against it."""

    def __init__(self, why: str, *, insecure: bool = False) -> None:
        super().__init__(why)
        self.insecure = insecure


def find(name: str, *, keep_links: bool) -> str:
    """The file behind `argv[0]`: looked up in PATH when bare, links resolved unless `keep_links`. Raises Unfit."""
    path: str | None = name
    if "/" not in name:
        path = shutil.which(name, path=os.environ.get("PATH", _SEARCH))
    if path is None or not os.path.isabs(path):
        raise Unfit("not found in PATH" if "/" not in name else "not an absolute path")
    real = os.path.realpath(path)
    try:
        found = os.stat(real)
    except OSError as error:
        raise Unfit(os.strerror(error.errno or 0)) from None
    if not stat.S_ISREG(found.st_mode):
        raise Unfit("not a file")
    if not found.st_mode & 0o111:
        raise Unfit("not executable")
    return path if keep_links else real


def require_safe(path: str) -> None:
    """SEC-3 for a program that runs as root. Raises Unfit with `insecure` and the component that is at fault."""
    real = os.path.realpath(path)
    held = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    walked = ""
    try:
        _require_roots_own(os.fstat(held), "/")
        for component in real.strip("/").split("/"):
            walked += f"/{component}"
            following = os.open(component, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=held)
            os.close(held)
            held = following
            _require_roots_own(os.fstat(held), walked)
    except OSError as error:
        raise Unfit(f"{walked}: {os.strerror(error.errno or 0)}", insecure=True) from None
    finally:
        os.close(held)


def require_safe_links(path: str) -> None:
    """SEC-3 for a program that is run by its links (SEC-5): each link and its folder count too. Raises as above."""
    todo, at, links = path.split("/"), "/", 0
    try:
        _require_roots_own(os.lstat(at), at)
        while todo:
            component = todo.pop(0)
            if component in ("", "."):
                continue
            walked = os.path.dirname(at) if component == ".." else os.path.join(at, component)
            found = os.lstat(walked)
            if not stat.S_ISLNK(found.st_mode):
                _require_roots_own(found, walked)
                at = walked
                continue
            links += 1
            if found.st_uid != 0 or links > _LINKS_MAX:
                raise Unfit(f"{walked} is a link of user {found.st_uid}, or one of too many", insecure=True)
            target = os.readlink(walked)
            todo = target.split("/") + todo
            at = "/" if target.startswith("/") else at
    except OSError as error:
        raise Unfit(f"{at}: {os.strerror(error.errno or 0)}", insecure=True) from None


def _require_roots_own(found: os.stat_result, path: str) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise Unfit(f"{path} became a link while it was looked at", insecure=True)
    if found.st_uid != 0:
        raise Unfit(f"{path} belongs to user {found.st_uid}", insecure=True)
    sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    others_write = found.st_mode & (stat.S_IWOTH | (stat.S_IWGRP if found.st_gid else 0))
    if others_write and not sticky:
        raise Unfit(f"{path} can be written by others than root", insecure=True)
