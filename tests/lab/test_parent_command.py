"""The command from its words to an exit status, where no daemon is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
GOOD = """\
virtual_server 192.0.2.100 80 {
    protocol TCP
    lb_algo rr
    lb_kind NAT
    delay_loop 5
    real_server 192.0.2.1 80 {
        TCP_CHECK {
        }
    }
}
"""
pytestmark = pytest.mark.lab


def pyhad(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from pyhad.parent.main import main; sys.exit(main())", *words]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=60)


@pytest.mark.behaviour("CLI-31")
def test_the_version_names_python_and_kernel() -> None:
    done = pyhad("-v")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("pyhad 0.")
    assert os.uname().release in done.stderr


@pytest.mark.behaviour("CLI-27")
def test_a_good_configuration_passes_the_test_in_silence(tmp_path: Path) -> None:
    config = tmp_path / "keepalived.conf"
    config.write_text(GOOD)
    done = pyhad("-t", "-f", str(config))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.behaviour("CLI-27")
def test_a_broken_configuration_is_shown_with_its_place(tmp_path: Path) -> None:
    config = tmp_path / "keepalived.conf"
    config.write_text(GOOD.replace("delay_loop 5", "delay_loop often"))
    done = pyhad("-t", "-f", str(config))
    assert done.returncode == 5
    assert f"{config}:5:" in done.stderr
    assert "delay_loop often" in done.stderr


def test_programs_get_the_findings_of_a_test_as_json(tmp_path: Path) -> None:
    config = tmp_path / "keepalived.conf"
    config.write_text(GOOD.replace("delay_loop 5", "delay_loop often"))
    done = pyhad("-t", "--json", "-f", str(config))
    assert (done.returncode, done.stderr) == (5, "")
    [found] = json.loads(done.stdout)
    assert (found["severity"], found["file"], found["line"], found["column"]) == ("error", str(config), 5, 16)
    config.write_text(GOOD)
    assert pyhad("-t", "--json", "-f", str(config)).stdout == "[]\n"


@pytest.mark.behaviour("PROC-20")
def test_a_daemon_without_configuration_ends_with_6(tmp_path: Path) -> None:
    done = pyhad("-n", "-G", "-f", str(tmp_path / "none"), "--run-dir", str(tmp_path / "run"))
    assert done.returncode == 6
    assert "no such file" in done.stderr


@pytest.mark.behaviour("PROC-20")
def test_a_run_directory_that_cannot_be_made_ends_with_4(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = tmp_path / "keepalived.conf"
    config.write_text(GOOD)
    done = pyhad("-n", "-G", "-f", str(config), "--run-dir", str(tmp_path / "file" / "run"))
    assert done.returncode == 4
    assert done.stderr == f"pyhad: {tmp_path}/file/run: Not a directory\n"


def test_a_run_directory_with_too_long_a_name_is_said(tmp_path: Path) -> None:
    config = tmp_path / "keepalived.conf"
    config.write_text(GOOD)
    done = pyhad("-n", "-G", "-f", str(config), "--run-dir", str(tmp_path / ("x" * 100)))
    assert done.returncode == 4
    assert "AF_UNIX path too long" in done.stderr


@pytest.mark.behaviour("PROC-20")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a right up")
def test_without_the_rights_it_says_which_and_ends_with_4(tmp_path: Path) -> None:
    program = "import sys; from pyhad.parent.main import main; sys.exit(main())"
    words = ["-n", "-l", "-G", "--run-dir", str(tmp_path / "run")]
    done = subprocess.run(
        ["setpriv", "--bounding-set=-net_admin", sys.executable, "-c", program, *words],
        cwd=REPO, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr == (
        "pyhad: needs the rights of root (CAP_NET_ADMIN and CAP_NET_RAW at least); -t does without\n"
    )
    assert not (tmp_path / "run").exists()
