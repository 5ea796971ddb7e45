"""What the file says about the daemon itself, in the documents of parent and control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.codec import encode
from pyhad.common.config.model.process import DumpPlaces, InstanceWords
from pyhad.common.config.model.tracking import Program

Compile = Callable[..., Any]


def settings(compiled: Compile, words: str, outside: str = "") -> Any:
    return compiled(f"global_defs {{\n{words}\n}}\n{outside}").result.configuration.parent.settings


@pytest.mark.behaviour("SIG-13", "QRK-10")
def test_dump_files_are_named_one_by_one(compiled: Compile) -> None:
    words = "state_dump_file a.data\n stats_dump_file /b/\n json_dump_file /c/d.json\n data_use_instance"
    wanted = DumpPlaces(state="a.data", stats="/b/", json="/c/d.json", by_instance=True)
    assert settings(compiled, words).dumps == wanted
    assert settings(compiled, "").dumps == DumpPlaces()


@pytest.mark.parametrize(
    ("words", "mask"),
    [("umask 022", 0o022), ("umask 177", 0o177), ("umask IXUSR|IRWXG|IRWXO", 0o177), ("umask IWGRP | IWOTH", 0o022)],
)
def test_a_umask_is_octal_or_names_of_bits(compiled: Compile, words: str, mask: int) -> None:
    assert settings(compiled, words).umask == mask
    assert settings(compiled, "").umask is None


@pytest.mark.behaviour("PROC-5")
def test_scripts_around_the_daemon_have_a_user_and_a_time(compiled: Compile) -> None:
    found = settings(compiled, 'startup_script "/bin/a b" nobody\n startup_script_timeout 3\n shutdown_script /bin/c')
    assert found.startup.program.argv == ("/bin/a", "b")
    assert found.startup.program.uid > 0
    assert found.startup.timeout_ns == 3_000_000_000
    assert found.shutdown.program == Program(argv=("/bin/c",))
    assert found.shutdown.timeout_ns == 10_000_000_000


def test_a_script_of_nobody_who_exists_is_said_once(compiled: Compile) -> None:
    found = compiled("global_defs {\n script_user nosuchuser\n startup_script /bin/a nosuch\n}")
    assert [text for text in found.warnings if "startup_script" in text] == [
        "startup_script: there is no user or group 'nosuch': what was to run as that does not run"
    ]
    assert len([text for text in found.warnings if "script_user" in text]) == 1


@pytest.mark.behaviour("PROC-4")
def test_process_names_are_keepalived_s_or_as_written(compiled: Compile) -> None:
    assert settings(compiled, "process_names").process_names == {
        "vrrp": "keepalived_vrrp",
        "checker": "keepalived_lvs",
    }
    found = settings(compiled, "process_names\n process_name p\n vrrp_process_name v\n lvs_process_name c")
    assert found.process_names == {"parent": "p", "vrrp": "v", "checker": "c"}
    assert settings(compiled, "").process_names == {}


@pytest.mark.behaviour("REL-4", "REL-5", "REL-6")
def test_files_of_a_reload(compiled: Compile) -> None:
    found = settings(compiled, "reload_check_config /l\n reload_file /f\n reload_time_file /t\n reload_repeat")
    assert (found.reload_log, found.reload_file, found.reload_time_file, found.reload_repeat) == (
        "/l",
        "/f",
        "/t",
        True,
    )
    bare = settings(compiled, "reload_check_config\n reload_file")
    assert (bare.reload_log, bare.reload_file, bare.reload_time_file, bare.reload_repeat) == ("", "", "", False)
    assert settings(compiled, "").reload_file is None


def test_namespaces(compiled: Compile) -> None:
    found = settings(compiled, "", "net_namespace one\nnet_namespace_ipvs two\n")
    assert (found.namespace, found.ipvs_namespace) == ("one", "two")
    assert settings(compiled, "", "net_namespace_ipvs\n").ipvs_namespace == ""
    assert settings(compiled, "").ipvs_namespace is None


def test_what_dumps_tell_beyond_the_model(instance: Compile) -> None:
    def words(text: str) -> InstanceWords:
        (found,) = instance(text).result.configuration.control.words
        assert isinstance(found, InstanceWords)
        return found

    assert words("") == InstanceWords(name="VI_1")
    assert words("strict_mode\n version 3").strict
    assert not words("strict_mode\n version 3").accept
    assert words("promote_secondaries").promote_secondaries
    assert words("smtp_alert").smtp_alert


def test_the_control_process_gets_no_secret(instance: Compile) -> None:
    found = instance("authentication {\n auth_type PASS\n auth_pass hush\n}").result.configuration
    assert b"hush" in found.vrrp.instances[0].authentication_data
    assert found.control.vrrp.instances[0].authentication_data == b"********"


def test_metrics_have_a_port_of_their_own(compiled: Compile) -> None:
    control = compiled("global_defs {\n pyhad_metrics 127.0.0.1\n}").result.configuration.control
    assert (control.metrics_address, control.metrics_port) == ("127.0.0.1", 9650)
    control = compiled("global_defs {\n pyhad_metrics ::1 81\n}").result.configuration.control
    assert (control.metrics_address, control.metrics_port) == ("::1", 81)
    control = compiled("").result.configuration
    assert control is None or control.control.metrics_address == ""


def test_nothing_that_is_secret_reaches_the_control_process(compiled: Compile) -> None:
    result = compiled("""
    global_defs {
        smtp_server 192.0.2.9
        notification_email { a@b.example }
        pyhad_smtp_security starttls
        pyhad_smtp_login me hush
    }
    vrrp_instance A {
        interface eth0
        virtual_router_id 1
        version 3
        smtp_alert
        virtual_ipaddress { 192.0.2.1 }
        auth_hmac { key 7 swordfishswordfishswordfishswordfish }
    }""")
    assert result.errors == []
    found = result.result.configuration
    for word in (b"hush", b"swordfish"):
        assert word in encode(found.vrrp)
        assert word not in encode(found.control)
        assert word not in encode(found.parent)
