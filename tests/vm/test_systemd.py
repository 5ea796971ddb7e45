"""The shipped unit under a real systemd: start, reload, upgrade, a hang, a stop, a wrong configuration."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.net import wait_until
from tests.vm.service_manager import ServiceManager

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CONFIG = """
vrrp_instance a {
    interface sd0
    virtual_router_id 7
    priority 100
    virtual_ipaddress {
        10.99.0.100/24
    }
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    ip = ("ip", "link")
    subprocess.run((*ip, "add", "sd0", "type", "dummy"), check=True)
    subprocess.run((*ip, "set", "sd0", "multicast", "on", "up"), check=True)
    subprocess.run(("ip", "address", "add", "10.99.0.1/24", "dev", "sd0"), check=True)
    yield tmp_path_factory.mktemp("systemd")
    subprocess.run((*ip, "del", "sd0"), check=True)


@pytest.fixture(scope="module")
def manager(folder: Path) -> Iterator[ServiceManager]:
    config = folder / "keepalived.conf"
    config.write_text(CONFIG)
    subprocess.run(("systemd-sysusers", ROOT / "conf/pyhad.sysusers"), check=True)
    manager = ServiceManager(folder)
    manager.install(ROOT / "conf/pyhad.service")
    manager.write(
        "pyhad.service.d/test.conf",
        f"[Service]\nEnvironment=DAEMON_ARGS='-f {config}'\nExecStart=\n"
        f"ExecStart={BIN}/pyhad --dont-fork --log-console $DAEMON_ARGS\n"
        f"StandardOutput=append:{folder}/daemon.log\nStandardError=inherit\n",
    )
    try:
        with manager:
            yield manager
    finally:
        print("\n".join((folder / "daemon.log").read_text().splitlines()[-80:]))


def holds_address() -> bool:
    done = subprocess.run(("ip", "-o", "address", "show", "sd0"), capture_output=True, check=True)
    return b"10.99.0.100/24" in done.stdout


def main_pid(manager: ServiceManager) -> str:
    return manager.value("pyhad", "MainPID")


def state(manager: ServiceManager) -> tuple[str, str, str]:
    """Active state, result and number of restarts by themselves."""
    names = ("ActiveState", "Result", "NRestarts")
    return (manager.value("pyhad", names[0]), manager.value("pyhad", names[1]), manager.value("pyhad", names[2]))


def test_start_reload_and_upgrade_keep_one_process_and_its_address(manager: ServiceManager, folder: Path) -> None:
    manager.systemctl("start", "pyhad")
    assert state(manager) == ("active", "success", "0")
    assert manager.value("pyhad", "StatusText") == "serving"
    wait_until(holds_address, 30, "the address is held", every_s=0.3)
    first = manager.value("pyhad", "MainPID")
    manager.systemctl("reload", "pyhad")
    manager.run(str(BIN / "pyhadctl"), "upgrade")
    assert (manager.value("pyhad", "MainPID"), holds_address()) == (first, True)
    assert state(manager) == ("active", "success", "0")
    # One CPU: whatever computes in the daemon lets the adverts go out.
    assert "frozen" not in (folder / "daemon.log").read_text()


def test_a_parent_that_hangs_is_killed_by_the_watchdog_and_started_again(manager: ServiceManager) -> None:
    hung = manager.value("pyhad", "MainPID")
    manager.run("kill", "-STOP", hung)
    wait_until(lambda: state(manager)[2] == "1", 40, "systemd starts it again", every_s=0.5)
    wait_until(lambda: state(manager)[0] == "active", 30, "it serves again", every_s=0.5)
    assert manager.value("pyhad", "MainPID") != hung
    wait_until(holds_address, 30, "the address is held again", every_s=0.3)


def test_a_stop_removes_the_address_and_leaves_no_process(manager: ServiceManager) -> None:
    manager.systemctl("stop", "pyhad")
    assert state(manager)[:2] == ("inactive", "success")
    assert not holds_address()
    assert "pyhad" not in manager.run("ps", "-e", "-o", "args=")


def test_a_wrong_configuration_fails_once_and_says_where(manager: ServiceManager, folder: Path) -> None:
    (folder / "keepalived.conf").write_text("vrrp_instance a {\n    priorty 100\n}\n")
    manager.systemctl("start", "pyhad", check=False)
    wait_until(lambda: manager.value("pyhad", "ActiveState") == "failed", 20, "systemd gives up", every_s=0.3)
    assert state(manager)[1:] == ("exit-code", "0")
    assert manager.value("pyhad", "ExecMainStatus") == "2"
    assert "keepalived.conf:2:5" in (folder / "daemon.log").read_text()
