"""What each option of the command line means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyhad.parent.options import CommandLine, Options, help_text, read_command_line

DEFAULTS = Options(config_id="node1")


def read(line: str) -> CommandLine:
    return read_command_line(line.split(), version="pyhad 1", node_name="node1.example.org")


def test_without_options_everything_has_keepaliveds_defaults() -> None:
    command = read("")
    assert command == CommandLine(options=DEFAULTS)
    assert (command.options.config, command.options.log_facility) == ("/etc/keepalived/keepalived.conf", 3)


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        pytest.param("-f /x", {"config": "/x"}, marks=pytest.mark.behaviour("CLI-1")),
        pytest.param("-P", {"no_checker": True}, marks=pytest.mark.behaviour("CLI-2")),
        pytest.param("-C", {"no_vrrp": True}, marks=pytest.mark.behaviour("CLI-3")),
        pytest.param("-B", {}, marks=pytest.mark.behaviour("CLI-4")),
        pytest.param("--all", {"all_children": True}, marks=pytest.mark.behaviour("CLI-5")),
        pytest.param("-l", {"log_console": True}, marks=pytest.mark.behaviour("CLI-6")),
        pytest.param("-DD", {"log_detail": 2}, marks=pytest.mark.behaviour("CLI-7")),
        pytest.param("-S 7", {"log_facility": 23}, marks=pytest.mark.behaviour("CLI-8")),
        pytest.param("-S local0", {"log_facility": 16}, marks=pytest.mark.behaviour("CLI-8")),
        pytest.param("-S user", {"log_facility": 1}, marks=pytest.mark.behaviour("CLI-8")),
        pytest.param("-g", {"log_file": ""}, marks=pytest.mark.behaviour("CLI-9")),
        pytest.param("-g/var/x.log", {"log_file": "/var/x.log"}, marks=pytest.mark.behaviour("CLI-9")),
        pytest.param("--flush-log-file", {}, marks=pytest.mark.behaviour("CLI-10")),
        pytest.param("-G", {"log_syslog": False}, marks=pytest.mark.behaviour("CLI-11")),
        pytest.param("-u 022", {"umask": 18}, marks=pytest.mark.behaviour("CLI-12")),
        pytest.param("-u 0x12", {"umask": 18}, marks=pytest.mark.behaviour("CLI-12")),
        pytest.param("-u 18", {"umask": 18}, marks=pytest.mark.behaviour("CLI-12")),
        pytest.param("-X", {"release_foreign_vips": True}, marks=pytest.mark.behaviour("CLI-13")),
        pytest.param("-V", {"keep_vips_at_exit": True}, marks=pytest.mark.behaviour("CLI-14")),
        pytest.param("-I", {"keep_ipvs_at_exit": True}, marks=pytest.mark.behaviour("CLI-15")),
        pytest.param("-R", {"respawn": False}, marks=pytest.mark.behaviour("CLI-16")),
        pytest.param("-n", {"foreground": True}, marks=pytest.mark.behaviour("CLI-17")),
        pytest.param("-d", {"dump_conf": True}, marks=pytest.mark.behaviour("CLI-18")),
        pytest.param(
            "-p /a -r /b -c /c -b /d",
            {
                "pid_file": "/a",
                "vrrp_pid_file": "/b",
                "checkers_pid_file": "/c",
                "without_effect": ("--bfd_pid",),
            },
            marks=pytest.mark.behaviour("CLI-19"),
        ),
        pytest.param("-a", {"log_addresses": True}, marks=pytest.mark.behaviour("CLI-20")),
        pytest.param(
            "-x -A /s", {"without_effect": ("--snmp", "--snmp-agent-socket")}, marks=pytest.mark.behaviour("CLI-21")
        ),
        pytest.param("-s blue", {"namespace": "blue"}, marks=pytest.mark.behaviour("CLI-22")),
        pytest.param(
            "-m -Mcore",
            {"core_files": True, "without_effect": ("--core-dump-pattern",)},
            marks=pytest.mark.behaviour("CLI-23"),
        ),
        pytest.param("-e", {"check_includes": True}, marks=pytest.mark.behaviour("CLI-24")),
        pytest.param("-i other", {"config_id": "other"}, marks=pytest.mark.behaviour("CLI-25")),
        pytest.param("--ignore-sigint", {"ignore_sigint": True}, marks=pytest.mark.behaviour("CLI-29")),
        pytest.param("--config-fd 3", {"without_effect": ("--config-fd",)}, marks=pytest.mark.behaviour("CLI-30")),
        pytest.param(
            "--perf=run --debug --no-mem-check -LL --openssl-mem-check",
            {"without_effect": ("--perf", "--debug", "--no-mem-check", "--mem-check-log", "--openssl-mem-check")},
            marks=pytest.mark.behaviour("CLI-33"),
        ),
        ("--run-dir /run/a", {"run_dir": "/run/a"}),
        ("--json", {"json": True}),
        pytest.param(
            "-nlD", {"foreground": True, "log_console": True, "log_detail": 1}, marks=pytest.mark.behaviour("CLI-36")
        ),
    ],
)
def test_an_option_sets_exactly_its_own_fields(line: str, changes: dict[str, object]) -> None:
    assert read(line) == CommandLine(options=replace(DEFAULTS, **changes))  # type: ignore[arg-type]


@pytest.mark.behaviour("CLI-27")
@pytest.mark.parametrize(("line", "log"), [("-t", ""), ("-t/x", "/x"), ("--config-test=/x", "/x")])
def test_a_config_test_runs_in_the_foreground_without_syslog_or_respawn(line: str, log: str) -> None:
    options = read(line).options
    assert options == replace(
        DEFAULTS, config_test=True, config_test_log=log, foreground=True, log_syslog=False, respawn=False
    )


@pytest.mark.behaviour("CLI-26")
@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("STOP", "15"),
        ("RELOAD", "1"),
        ("UPGRADE", "38"),
        ("DATA", "10"),
        ("STATS", "12"),
        ("STATS_CLEAR", "63"),
        ("JSON", "36"),
    ],
)
def test_signum_prints_the_number_and_ends(word: str, number: str) -> None:
    command = read(f"--signum={word}")
    assert (command.stdout, command.stderr, command.exit_code) == (f"{number}\n", "", 0)


@pytest.mark.behaviour("CLI-26")
def test_signum_of_an_unknown_word_ends_with_1() -> None:
    command = read("--signum=TDUMP")
    assert command.exit_code == 1
    assert command.stderr == "pyhad: --signum knows STOP RELOAD UPGRADE DATA STATS STATS_CLEAR JSON, not TDUMP\n"


@pytest.mark.behaviour("CLI-28")
def test_genhash_is_the_first_word_or_nothing() -> None:
    command = read("-n -T -s 10.0.0.1")
    assert command.exit_code == 1
    assert "must be the first word" in command.stderr


@pytest.mark.behaviour("CLI-31")
def test_version_goes_to_stderr_and_ends_with_0() -> None:
    command = read("-v")
    assert (command.stdout, command.stderr, command.exit_code) == ("", "pyhad 1\n", 0)


@pytest.mark.behaviour("CLI-32")
def test_help_goes_to_stderr_and_ends_with_0() -> None:
    command = read("--help")
    assert (command.stdout, command.stderr, command.exit_code) == ("", help_text(), 0)
    assert "  -f, --use-file=FILE " in command.stderr
    assert "      --run-dir=DIR " in command.stderr


@pytest.mark.behaviour("CLI-34")
@pytest.mark.parametrize("line", ["-Z", "--bogus", "-f", "--use-file=", "-u 9x", "-u 01000"])
def test_a_wrong_option_ends_with_1_and_says_why(line: str) -> None:
    command = read(line)
    assert command.exit_code == 1
    assert command.stderr.startswith("pyhad: ")


@pytest.mark.behaviour("CLI-34")
def test_all_wrong_options_are_said() -> None:
    assert read("-Z -l --bogus").stderr == "pyhad: unknown option -Z\npyhad: unknown option --bogus\n"


@pytest.mark.behaviour("CLI-35")
def test_left_over_words_are_said_on_stdout_and_ignored() -> None:
    command = read("one -l two")
    assert (command.stdout, command.exit_code) == ("Unexpected argument(s): one two\n", None)
    assert command.options.log_console


@pytest.mark.behaviour("CLI-8")
def test_an_unknown_facility_is_said_and_the_daemon_starts_all_the_same() -> None:
    command = read("-S mail")
    assert command.exit_code is None
    assert command.stderr == "pyhad: unknown log facility mail, using the one before\n"
