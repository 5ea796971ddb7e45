"""The command line of `pyhad`: keepalived's (CLI-1 to CLI-36) and --run-dir, as one table. Performs nothing."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace

from pyhad.common.channels import DEFAULT_RUN_DIR
from pyhad.common.log import SYSLOG_DAEMON
from pyhad.common.records import dataclass, field
from pyhad.parent.words import Argument, Given, LeftOver, Spelling, Wrong, read_words

DEFAULT_CONFIG = "/etc/keepalived/keepalived.conf"
DEFAULT_UMASK = 0o077
UPGRADE = signal.SIGRTMIN + 4
SYSLOG_USER = 1
SYSLOG_LOCAL0 = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    config: str = DEFAULT_CONFIG
    run_dir: str = DEFAULT_RUN_DIR
    pid_file: str = ""
    """Empty: below the run directory."""
    vrrp_pid_file: str = ""
    checkers_pid_file: str = ""
    foreground: bool = False
    no_checker: bool = False
    no_vrrp: bool = False
    all_children: bool = False
    log_console: bool = False
    log_detail: int = 0
    log_syslog: bool = True
    log_facility: int = SYSLOG_DAEMON
    log_file: str | None = None
    """Empty: the default name, below the run directory; None: no log file."""
    umask: int | None = None
    """None: what the configuration says, else `DEFAULT_UMASK`."""
    release_foreign_vips: bool = False
    keep_vips_at_exit: bool = False
    keep_ipvs_at_exit: bool = False
    respawn: bool = True
    ignore_sigint: bool = False
    namespace: str = ""
    config_id: str = ""
    check_includes: bool = False
    config_test: bool = False
    config_test_log: str = ""
    json: bool = False
    """Empty: standard error."""
    dump_conf: bool = False
    log_addresses: bool = False
    core_files: bool = False
    upgrade_check: int = 0
    """Not 0: say whether this program can take over from a running one that hands over in this format."""
    without_effect: tuple[str, ...] = ()
    """Options that were given and do nothing here, as `--name`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """The outcome of reading it: `exit_code` is None when the daemon (or the test) is to run."""

    options: Options
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class _Option:
    names: str
    """`-x --long`, either or both."""
    help: str
    argument: Argument = Argument.NONE
    metavar: str = ""
    sets: dict[str, object] = field(default_factory=dict)
    """Fields of Options and their new value; VALUE stands for the argument."""
    special: str = ""
    """Name of the method of _Reader that handles it."""


_VALUE = object()
_NEEDED, _OPTIONAL = Argument.NEEDED, Argument.OPTIONAL


def _flag(names: str, help_text: str, **sets: object) -> _Option:
    return _Option(names, help_text, sets=sets)


def _text(names: str, metavar: str, help_text: str, field_name: str) -> _Option:
    return _Option(names, help_text, _NEEDED, metavar, {field_name: _VALUE})


def _idle(names: str, help_text: str, argument: Argument = Argument.NONE, metavar: str = "") -> _Option:
    return _Option(names, f"{help_text} (accepted, no effect)", argument, metavar, special="no_effect")


_TABLE = (
    _text("-f --use-file", "FILE", f"configuration to read, a name or a pattern [{DEFAULT_CONFIG}]", "config"),
    _text("--run-dir", "DIR", f"where this daemon keeps its sockets and PID files [{DEFAULT_RUN_DIR}]", "run_dir"),
    _flag("-n --dont-fork", "stay in the foreground", foreground=True),
    _Option("-t --config-test", "check the configuration and exit", _OPTIONAL, "LOG", special="config_test"),
    _flag("--json", "with --config-test: the findings as JSON, on standard output", json=True),
    _flag("-P --vrrp", "run VRRP only, no health checks", no_checker=True),
    _flag("-C --check", "run health checks only, no VRRP", no_vrrp=True),
    _flag("-B --no_bfd", "do not run BFD"),
    _flag("--all", "run every process, even with nothing configured for it", all_children=True),
    _flag("-l --log-console", "log to standard error", log_console=True),
    _Option("-D --log-detail", "log more; twice for even more", special="detail"),
    _Option("-S --log-facility", "syslog facility: 0-7, local0-local7, user, daemon", _NEEDED, "NAME",
            special="facility"),
    _Option("-g --log-file", "log to a file, by default pyhad.log in the run directory", _OPTIONAL, "FILE",
            special="log_file"),
    _flag("--flush-log-file", "write each line at once (always done)"),
    _flag("-G --no-syslog", "log nothing to syslog", log_syslog=False),
    _Option("-u --umask", "umask for files that are created", _NEEDED, "MASK", special="umask"),
    _flag("-X --release-vips", "on leaving MASTER remove the VIPs whoever set them", release_foreign_vips=True),
    _flag("-V --dont-release-vrrp", "at the end leave VIPs and say nothing to the peers", keep_vips_at_exit=True),
    _flag("-I --dont-release-ipvs", "at the end leave the load balancing table", keep_ipvs_at_exit=True),
    _flag("-R --dont-respawn", "end when a child dies instead of starting it again", respawn=False),
    _text("-p --pid", "FILE", "PID file of the parent", "pid_file"),
    _text("-r --vrrp_pid", "FILE", "PID file of the VRRP process", "vrrp_pid_file"),
    _text("-c --checkers_pid", "FILE", "PID file of the checker process", "checkers_pid_file"),
    _idle("-b --bfd_pid", "PID file of the BFD process", _NEEDED, "FILE"),
    _text("-s --namespace", "NAME", "run in this network namespace", "namespace"),
    _text("-i --config-id", "ID", "which `@ID` lines of the configuration count [the node's name]", "config_id"),
    _flag("-e --all-config", "a missing included file is an error", check_includes=True),
    _flag("--ignore-sigint", "SIGINT does not end the daemon", ignore_sigint=True),
    _Option("--upgrade-check", "see whether this program can take over from a running one (its own use)", _NEEDED, "N",
            special="upgrade_check"),
    _Option("--signum", "print the number of the signal for STOP, RELOAD, UPGRADE, DATA, STATS, STATS_CLEAR, JSON",
            _NEEDED, "WORD", special="signum"),
    _flag("-d --dump-conf", "log the configuration at start and reload", dump_conf=True),
    _flag("-a --address-monitoring", "log every change of an address", log_addresses=True),
    _idle("-x --snmp", "SNMP"),
    _idle("-A --snmp-agent-socket", "socket of the SNMP master agent", _NEEDED, "SOCKET"),
    _flag("-m --core-dump", "let processes that crash leave core files", core_files=True),
    _idle("-M --core-dump-pattern", "pattern of core files", _OPTIONAL, "PATTERN"),
    _idle("--config-fd", "for keepalived's own use", _NEEDED, "N"),
    _idle("--perf", "profiling", _OPTIONAL, "WHEN"),
    _idle("--debug", "debugging of keepalived", _OPTIONAL, "LETTERS"),
    _idle("--no-mem-check", "memory checks of keepalived"),
    _idle("-L --mem-check-log", "memory checks of keepalived"),
    _idle("--openssl-mem-check", "memory checks of keepalived"),
    _Option("-T --genhash", "digest of a web page; the first word, with options of its own", special="genhash"),
    _Option("-v --version", "print the version", special="version"),
    _Option("-h --help", "print this text", special="help"),
)  # fmt: skip

GENHASH = ("-T", "--genhash")

SIGNALS = {
    "STOP": signal.SIGTERM,
    "RELOAD": signal.SIGHUP,
    "UPGRADE": UPGRADE,
    "DATA": signal.SIGUSR1,
    "STATS": signal.SIGUSR2,
    "STATS_CLEAR": signal.SIGRTMAX - 1,
    "JSON": signal.SIGRTMIN + 2,
}


def read_command_line(words: Sequence[str], *, version: str, node_name: str) -> CommandLine:
    """The meaning of `words` (without the program's name). `node_name` gives the default of --config-id."""
    return _Reader(version, node_name).read(words)


def help_text() -> str:
    """The list of options, from the table."""
    lines = ["Usage: pyhad [OPTION...]", ""]
    for option in _TABLE:
        short, long = _names(option)
        text = ", ".join(name for name in (f"-{short}" if short else "  ", f"--{long}") if name).replace("  , ", "    ")
        if option.argument is _NEEDED:
            text += f"={option.metavar}"
        elif option.argument is _OPTIONAL:
            text += f"[={option.metavar}]"
        lines.append(f"  {text:<34} {option.help}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Described:
    """One option as a manual page wants it. `argument` is empty, `NAME` or `[NAME]`."""

    short: str
    long: str
    argument: str
    help: str


def described() -> list[Described]:
    """Every option, in the order of the table."""
    found = []
    for option in _TABLE:
        short, long = _names(option)
        argument = {_NEEDED: option.metavar, _OPTIONAL: f"[{option.metavar}]"}.get(option.argument, "")
        found.append(Described(short, long, argument, option.help))
    return found


def _names(option: _Option) -> tuple[str, str]:
    words = option.names.split()
    short = next((word[1:] for word in words if not word.startswith("--")), "")
    return short, next(word[2:] for word in words if word.startswith("--"))


class _Reader:
    """One reading of a command line."""

    def __init__(self, version: str, node_name: str) -> None:
        self._version_text = version
        self._options = Options(config_id=node_name.split(".")[0])
        self._stderr: list[str] = []
        self._stdout: list[str] = []
        self._left_over: list[str] = []
        self._is_wrong = False
        self._exit_code: int | None = None

    def read(self, words: Sequence[str]) -> CommandLine:
        table = {_names(option)[1]: option for option in _TABLE}
        for item in read_words(words, [_spelling(option) for option in _TABLE]):
            match item:
                case LeftOver():
                    self._left_over.append(item.word)
                case Wrong():
                    self._wrong(item.message)
                case Given():
                    self._take(table[item.key], item.value)
            if self._exit_code is not None:
                return self._result(self._exit_code)
        if self._left_over:
            self._stdout.append(f"Unexpected argument(s): {' '.join(self._left_over)}")
        return self._result(1 if self._is_wrong else None)

    def _result(self, exit_code: int | None) -> CommandLine:
        return CommandLine(
            options=self._options,
            stdout="".join(f"{line}\n" for line in self._stdout),
            stderr="".join(f"{line}\n" for line in self._stderr),
            exit_code=exit_code,
        )

    def _wrong(self, message: str) -> None:
        self._is_wrong = True
        self._stderr.append(f"pyhad: {message}")

    def _take(self, option: _Option, value: str | None) -> None:
        if option.argument is _NEEDED and not value:
            self._wrong(f"option --{_names(option)[1]} needs an argument")  # CLI-34: also `--use-file=`
            return
        if option.special:
            getattr(self, f"_{option.special}")(option, value)
            return
        for name, setting in option.sets.items():
            self._set(**{name: value if setting is _VALUE else setting})

    def _set(self, **fields: object) -> None:
        self._options = replace(self._options, **fields)  # type: ignore[arg-type]  # names come from the table

    def _no_effect(self, option: _Option, _value: str | None) -> None:
        name = f"--{_names(option)[1]}"
        if name not in self._options.without_effect:
            self._set(without_effect=(*self._options.without_effect, name))

    def _config_test(self, _option: _Option, value: str | None) -> None:
        self._set(config_test=True, config_test_log=value or "", respawn=False, foreground=True, log_syslog=False)

    def _detail(self, _option: _Option, _value: str | None) -> None:
        self._set(log_detail=self._options.log_detail + 1)

    def _log_file(self, _option: _Option, value: str | None) -> None:
        self._set(log_file=value or "")

    def _facility(self, _option: _Option, value: str | None) -> None:
        assert value is not None
        digit = value.removeprefix("local")
        if len(digit) == 1 and digit in "01234567":
            self._set(log_facility=SYSLOG_LOCAL0 + int(digit))
        elif value in ("user", "daemon"):
            self._set(log_facility=SYSLOG_USER if value == "user" else SYSLOG_DAEMON)
        else:  # CLI-8: said, and the daemon starts all the same
            self._stderr.append(f"pyhad: unknown log facility {value}, using the one before")

    def _umask(self, _option: _Option, value: str | None) -> None:
        assert value is not None
        try:
            mask = _c_number(value)
        except ValueError:
            mask = -1
        if 0 <= mask <= 0o777:
            self._set(umask=mask)
        else:
            self._wrong(f"umask {value} is not a number from 0 to 0777")

    def _upgrade_check(self, _option: _Option, value: str | None) -> None:
        self._set(upgrade_check=int(value) if value and value.isdigit() else -1)

    def _signum(self, _option: _Option, value: str | None) -> None:
        number = SIGNALS.get(value or "")
        if number is None:
            self._stderr.append(f"pyhad: --signum knows {' '.join(SIGNALS)}, not {value}")
            self._exit_code = 1
        else:
            self._stdout.append(str(int(number)))
            self._exit_code = 0

    def _genhash(self, _option: _Option, _value: str | None) -> None:
        self._stderr.append("pyhad: --genhash must be the first word")
        self._exit_code = 1

    def _version(self, _option: _Option, _value: str | None) -> None:
        self._stderr.append(self._version_text)
        self._exit_code = 0

    def _help(self, _option: _Option, _value: str | None) -> None:
        self._stderr.append(help_text().rstrip("\n"))
        self._exit_code = 0


def _spelling(option: _Option) -> Spelling:
    short, long = _names(option)
    return Spelling(key=long, short=short, long=long, argument=option.argument)


def _c_number(text: str) -> int:
    """A number as C reads it: 022 octal, 0x12 hexadecimal, 18 decimal."""
    if len(text) > 1 and text.startswith("0") and text[1:].isdigit():
        return int(text, 8)
    return int(text, 0)
