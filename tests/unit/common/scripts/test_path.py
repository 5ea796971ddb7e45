"""Which programs may run as root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.scripts.path import Unfit, find, require_safe, require_safe_links

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.behaviour("SEC-4")
def test_a_bare_name_is_looked_up_and_a_link_resolved() -> None:
    assert find("true", keep_links=True) in ("/usr/bin/true", "/bin/true")
    assert find("/bin/true", keep_links=False) == os.path.realpath("/bin/true")


@pytest.mark.behaviour("SEC-5")
def test_links_are_kept_on_request(tmp_path: Path, program: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(program)
    assert find(str(link), keep_links=True) == str(link)
    assert find(str(link), keep_links=False) == str(program)


@pytest.mark.behaviour("SEC-4")
@pytest.mark.parametrize(
    ("name", "why"),
    [("no-such-program", "not found in PATH"), ("./x", "not an absolute path"), ("/etc", "not a file"),
     ("/etc/passwd", "not executable"), ("/no/such", "No such file")],
)  # fmt: skip
def test_what_cannot_run(name: str, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        find(name, keep_links=False)


@needs_root
@pytest.mark.behaviour("SEC-3")
def test_each_component_must_be_roots_alone(tmp_path: Path, program: Path) -> None:
    require_safe(str(program))
    program.chmod(0o757)
    with pytest.raises(Unfit, match="program can be written by others"):
        require_safe(str(program))
    program.chmod(0o755)
    tmp_path.chmod(0o777)
    with pytest.raises(Unfit, match="can be written by others"):
        require_safe(str(program))
    tmp_path.chmod(0o1777)
    require_safe(str(program))
    os.chown(program, 65534, 0)
    with pytest.raises(Unfit, match="belongs to user 65534"):
        require_safe(str(program))


@needs_root
@pytest.mark.behaviour("SEC-3")
def test_a_link_in_a_folder_of_others_is_judged_by_where_it_leads(tmp_path: Path, program: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(program)
    require_safe(str(link))


@needs_root
@pytest.mark.behaviour("SEC-3", "SEC-5")
def test_a_path_that_is_run_by_its_links_is_as_safe_as_each_of_them(tmp_path: Path, program: Path) -> None:
    """Else whoever owns the folder of a link could turn it between the look and the start."""
    folder = tmp_path / "folder"
    folder.mkdir()
    second, link = folder / "second", tmp_path / "link"
    second.symlink_to(program)
    link.symlink_to("folder/../folder/second")
    require_safe_links(str(link))
    folder.chmod(0o777)
    require_safe(str(link))
    with pytest.raises(Unfit, match="folder can be written by others"):
        require_safe_links(str(link))
    folder.chmod(0o755)
    os.chown(second, 65534, 0, follow_symlinks=False)
    with pytest.raises(Unfit, match="second is a link of user 65534"):
        require_safe_links(str(link))
    second.unlink()
    second.symlink_to(link)
    with pytest.raises(Unfit, match="too many"):
        require_safe_links(str(link))
    program.chmod(0o757)
    with pytest.raises(Unfit, match="program can be written by others"):
        require_safe_links(str(program))
