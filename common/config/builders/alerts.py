"""Mail, and whom checks tell, to the model: MAIL-1, MAIL-2, NTF-21 names. Sends nothing, resolves no name."""

from __future__ import annotations

from pyhad.common.config.builders.scripts import ScriptBuilder
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import Listener, Protocol, RealServer
from pyhad.common.config.model.alerts import MailSecurity, MailSettings, ToldServer, ToldService
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass, field

SECOND_NS = 1_000_000_000


@dataclass(slots=True, kw_only=True)
class AlertBuilder:
    """What the global part says about mail, and the told side of services built by it."""

    scripts: ScriptBuilder
    complaints: Complaints
    group_uses: dict[str, int] = field(default_factory=dict)
    """How often each group was used so far: its number in names."""

    def mail(self) -> MailSettings | None:
        """None where no mail can be sent: without a server, or nobody to write to."""
        one = self.scripts.settings
        server = one.last("smtp_server")
        recipients = tuple(
            str(value)
            for block in one.every("notification_email")
            for entry in block.children
            for value in entry.values
        )
        if server is None or not recipients:
            return None
        login = one.last("pyhad_smtp_login")
        security = MailSecurity(one.text_of("pyhad_smtp_security", "none"))
        if login is not None and security is MailSecurity.NONE:
            self.complaints.error(
                "pyhad_smtp_login: the password would travel in clear",
                login.at,
                hint="add: pyhad_smtp_security starttls",
                trouble=Trouble.INVALID_VALUE,
            )
        return MailSettings(
            host=server.text(),
            port=server.number(1) if len(server.values) > 1 else 25,
            recipients=tuple(dict.fromkeys(recipients)),
            sender=one.text_of("notification_email_from"),
            helo=one.text_of("smtp_helo_name"),
            timeout_ns=one.number_of("smtp_connect_timeout", 30 * SECOND_NS),
            security=security,
            user=login.text() if login is not None else "",
            password=login.text(1) if login is not None else "",
        )

    def mails_of(self, statement: Statement, half: str, *, default: bool) -> bool:
        """`smtp_alert` of a block, else `smtp_alert_HALF`, else the global one, else `default` (MAIL-2)."""
        for owner, name in (
            (statement, "smtp_alert"), (self.scripts.settings, f"smtp_alert_{half}"),
            (self.scripts.settings, "smtp_alert"),
        ):  # fmt: skip
            if owner.last(name) is not None:
                return owner.has(name)
        return default

    def server(self, statement: Statement, server: RealServer, protocol: Protocol) -> ToldServer:
        """One real server."""
        return ToldServer(
            server=server.id,
            name=f"[{server.address or server.name}]:{protocol}:{server.port}",
            up=self.scripts.program_of(statement, "notify_up"),
            down=self.scripts.program_of(statement, "notify_down"),
            mails=self.mails_of(statement, "checker", default=True),
        )

    def service(
        self, block: Statement, identity: str, listeners: tuple[Listener, ...], servers: tuple[ToldServer, ...]
    ) -> ToldService:
        """One virtual server."""
        return ToldService(
            service=identity,
            name=self._name(block, listeners[0]),
            servers=servers,
            up=self.scripts.program_of(block, "quorum_up"),
            down=self.scripts.program_of(block, "quorum_down"),
            mails=self.mails_of(block, "checker", default=False),
            alpha=block.has("alpha"),
            omega=block.has("omega"),
        )

    def _name(self, block: Statement, listener: Listener) -> str:
        """NTF-21."""
        if block.text() == "group":
            group = block.text(1)
            use = self.group_uses.setdefault(group, 0)
            self.group_uses[group] += 1
            return f"[{group}]:{use}"
        if listener.fwmark:
            return f"FWM {listener.fwmark}"
        return f"[{listener.address}]:{listener.protocol}:{listener.port}"
