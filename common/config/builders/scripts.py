"""Commands with their users, `vrrp_script`, `track_file` and the FIFOs to the model. Runs nothing, opens no file."""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.accounts import DEFAULT_USER, Account, find_account
from pyhad.common.config.commands import is_readability_test, split_command
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model.tracking import Fifo, Program, TrackFile, TrackScript
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.errors import ConfigError

SECOND_NS = 1_000_000_000
_SHELL = "/bin/bash"
"""For `</dev/tcp/HOST/PORT`, which only this shell knows."""


class ScriptBuilder:
    """What the global part says about scripts, and commands built by it (SEC-1)."""

    def __init__(self, root: Statement, complaints: Complaints) -> None:
        self._complaints = complaints
        self.settings = Statement(root.keyword, root.line)
        for found in root.every("global_defs"):
            self.settings.add(found.children)
        self.security = self.settings.has("enable_script_security")
        self.keep_links = self.settings.has("use_symlink_paths")
        self._supplementary = self.settings.has("set_supplementary_groups")
        self._lacks_default = False
        self._account = self._default_account()

    def program_of(self, owner: Statement, name: str, account: Account | None = None) -> Program | None:
        """The command of keyword `name` in block `owner`, as `account` unless the line names a user.

        None without one that can be run.
        """
        found = owner.last(name)
        if found is None:
            return None
        try:
            command = split_command(found.line.raw)
        except ConfigError as problem:
            at = replace(found.at, column=found.at.column + max(problem.column, 1) - 1)
            self._complaints.error(f"{name}: {problem.message}", at, hint=problem.hint, trouble=Trouble.QUOTE)
            return None
        account = account or self._account
        if command.user:
            account = self._named(command.user, command.group, found)
        elif account is None and self._lacks_default:
            self._complaints.warning(
                f"{name} does not run: enable_script_security wants a script_user, or a user {DEFAULT_USER}",
                found.at,
                hint="root is one too: script_user root",
                trouble=Trouble.SECURITY,
            )
        if account is None:
            return None
        text = " ".join(command.argv)
        argv = (_SHELL, "-c", text) if is_readability_test(text) else tuple(command.argv)
        return Program(argv=argv, uid=account.uid, gid=account.gid, groups=account.groups)

    def scripts(self, root: Statement) -> dict[str, tuple[TrackScript, int, bool]]:
        """Each `vrrp_script` with its weight and sense."""
        built: dict[str, tuple[TrackScript, int, bool]] = {}
        for block in root.every("vrrp_script"):
            name = block.text()
            if name in built:
                self._complaints.warning(f"vrrp_script '{name}' is defined twice: the first counts", block.at)
                continue
            as_user = block.last("user")
            account = None
            if as_user is not None:
                account = self._named(as_user.text(), as_user.text(1) if len(as_user.values) > 1 else "", as_user)
                if account is None:
                    continue
            program = self.program_of(block, "script", account)
            if program is None:
                if not block.given("script"):
                    self._complaints.warning(f"vrrp_script '{name}' is ignored: it has no script", block.at)
                continue
            interval_ns = block.number_of("interval", SECOND_NS)
            script = TrackScript(
                name=name,
                program=program,
                interval_ns=interval_ns,
                timeout_ns=block.number_of("timeout", interval_ns),
                rise=block.number_of("rise", 1),
                fall=block.number_of("fall", 1),
                init_fail=block.has("init_fail"),
            )
            built[name] = (script, *_weight_of(block, 0))
        return built

    def files(self, root: Statement) -> dict[str, tuple[TrackFile, int, bool]]:
        """Each `track_file`, in either spelling, with its weight and sense."""
        built: dict[str, tuple[TrackFile, int, bool]] = {}
        for block in (*root.every("track_file"), *root.every("vrrp_track_file")):
            name, path = block.text(), path_of(block)
            if name in built or not path:
                why = "it has no file" if not path else "the first of that name counts"
                if not block.given("file") or path:
                    self._complaints.warning(f"{block.name} '{name}' is ignored: {why}", block.at)
                continue
            built[name] = (track_file_of(block), *_weight_of(block, 1))
        return built

    def account_of(self, statement: Statement | None) -> Account | None:
        """Of a `user` line, else the default one; None when there is no such user."""
        if statement is None:
            return self._account
        return self._named(statement.text(), statement.text(1) if len(statement.values) > 1 else "", statement)

    def fifos(self, own: str) -> tuple[Fifo, ...]:
        """`notify_fifo` and `own`, one half's; of two of the same path the specific one is ignored (NTF-26)."""
        found: dict[str, Fifo] = {}
        for name in ("notify_fifo", own):
            given = list(self.settings.every(name))
            if not given:
                continue
            statement, *others = given
            for other in others if name == own else ():
                self._complaints.warning(f"{name} is ignored: it is given already", other.at)
            path = statement.text()
            if path in found:
                self._complaints.warning(f"{name} is ignored: notify_fifo has the same path", statement.at)
                continue
            script = self.program_of(self.settings, f"{name}_script")
            account = Account(uid=script.uid, gid=script.gid) if script else self._account or Account()
            if len(statement.values) > 1:
                group = statement.text(2) if len(statement.values) > 2 else ""
                account = self._named(statement.text(1), group, statement) or account
            found[path] = Fifo(path=path, uid=account.uid, gid=account.gid, script=script)
        return tuple(found.values())

    def _default_account(self) -> Account | None:
        """SEC-1. Other than in keepalived `script_user` counts wherever it stands (QRK-15)."""
        named = self.settings.last("script_user")
        if named is not None:
            return self._named(named.text(), named.text(1) if len(named.values) > 1 else "", named)
        found = find_account(DEFAULT_USER, supplementary=self._supplementary)
        self._lacks_default = found is None and self.security
        return None if self._lacks_default else found or Account()

    def _named(self, user: str, group: str, at: Statement) -> Account | None:
        account = find_account(user, group, supplementary=self._supplementary)
        if account is None:
            who = f"{user} {group}".strip()
            self._complaints.warning(
                f"{at.name}: there is no user or group '{who}': what was to run as that does not run",
                at.at,
                trouble=Trouble.SECURITY,
            )
        return account


def track_file_of(block: Statement) -> TrackFile:
    """One `track_file` that names its file."""
    init = block.last("init_file")
    values = init.options.get("VALUE", (0,)) if init else ()
    initial = values[0] if values else None
    return TrackFile(
        name=block.text(),
        path=path_of(block),
        initial=initial if isinstance(initial, int) else None,
        overwrite=init is not None and "overwrite" in init.options,
    )


def _weight_of(block: Statement, default: int) -> tuple[int, bool]:
    found = block.last("weight")
    if found is None:
        return default, False
    return found.number(), "reverse" in found.options


def path_of(block: Statement) -> str:
    """The `file` of a `track_file`: the first one, as in keepalived; empty where there is none."""
    found = block.first("file")
    return found.text() if found is not None else ""
