"""The rooms are where a newcomer sees them, and have one name for every tool."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path


def test_every_room_is_a_relative_link_in_the_package(root: Path, rooms: tuple[str, ...]) -> None:
    links = {link.name: str(link.readlink()) for link in (root / "pyhad").iterdir() if link.is_symlink()}
    assert links == {room: f"../{room}" for room in rooms}


def test_every_folder_of_a_room_is_a_package(root: Path, rooms: tuple[str, ...]) -> None:
    missing = [
        str(folder.relative_to(root))
        for room in rooms
        for folder in [root / room, *(root / room).rglob("*")]
        if folder.is_dir() and folder.name != "__pycache__" and not (folder / "__init__.py").is_file()
    ]
    assert missing == []


def test_no_folder_has_a_name_that_tools_pass_over(root: Path, rooms: tuple[str, ...]) -> None:
    """pytest, ruff and git look into none of these, and say nothing."""
    passed_over = {"build", "dist", "venv", "node_modules"}
    found = [
        str(folder.relative_to(root))
        for top in (*rooms, "tests", "bench", "demo", "tools")
        for folder in (root / top).rglob("*")
        if folder.is_dir() and folder.name in passed_over
    ]
    assert found == []


def test_every_room_is_named_to_the_type_checkers_and_the_import_linter(root: Path, rooms: tuple[str, ...]) -> None:
    config = tomllib.loads((root / "pyproject.toml").read_text())
    assert set(config["tool"]["pyright"]["include"]) == {"pyhad/__init__.py", *(f"pyhad/{room}" for room in rooms)}
    assert config["tool"]["mypy"]["packages"] == ["pyhad", "demo"]
    independent = config["tool"]["importlinter"]["contracts"][0]["modules"]
    assert set(independent) == {f"pyhad.{room}" for room in rooms if room != "common"}
    banned = config["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert set(banned) == set(rooms)


def test_nobody_imports_a_room_by_its_bare_name(python_files: list[Path], rooms: tuple[str, ...]) -> None:
    bare = []
    for path in python_files:
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names = [node.module]
            bare += [f"{path.name}: {name}" for name in names if name.split(".")[0] in rooms]
    assert bare == []


def test_cores_import_nothing_that_touches_the_world(root: Path, rooms: tuple[str, ...]) -> None:
    forbidden = {"os", "time", "socket", "random", "logging", "subprocess", "select", "asyncio", "threading", "secrets"}
    found = []
    for room in rooms:
        for path in (root / room / "core").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name.split(".")[0] for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names = [node.module.split(".")[0]]
                found += [f"{path.relative_to(root)}: {name}" for name in names if name in forbidden]
    assert found == []


def test_zmq_and_msgpack_each_have_one_home(root: Path, python_files: list[Path]) -> None:
    homes: dict[str, set[str]] = {"zmq": set(), "msgpack": set()}
    for path in python_files:
        relative = str(path.relative_to(root))
        if relative.startswith(("tests/", "bench/")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                if name.split(".")[0] in homes:
                    homes[name.split(".")[0]].add(relative)
    assert homes == {"zmq": {"common/bus.py"}, "msgpack": {"common/codec.py"}}


def test_every_record_is_made_the_cheap_way(root: Path, python_files: list[Path], rooms: tuple[str, ...]) -> None:
    """The standard decorator costs a start a good quarter of its imports; see docs/decisions/0026."""
    standard = set()
    for path in python_files:
        relative = path.relative_to(root)
        for node in ast.walk(ast.parse(path.read_text())):
            is_named = isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
            if is_named and relative.parts[0] in rooms and any(alias.name == "dataclass" for alias in node.names):
                standard.add(str(relative))
    assert standard == {"common/records.py", "common/config/keyword.py"}
