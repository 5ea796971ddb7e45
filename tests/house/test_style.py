"""The rules of the house that a machine can see."""

from __future__ import annotations

import ast
import re
from pathlib import Path

MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 40
# Pure tables: long because the language they describe is.
TABLES = re.compile(r"common/config/keywords/\w+\.py$")


def _ours(root: Path, files: list[Path]) -> list[Path]:
    return [path for path in files if path.relative_to(root).parts[0] not in ("tests", "bench", "tools")]


def test_no_file_is_longer_than_400_lines(root: Path, python_files: list[Path]) -> None:
    long = [
        f"{path.relative_to(root)} {lines}"
        for path in _ours(root, python_files)
        if (lines := path.read_text().count("\n")) > MOST_FILE_LINES and not TABLES.search(str(path))
    ]
    assert long == []


def test_no_function_is_longer_than_40_lines(root: Path, python_files: list[Path]) -> None:
    long = []
    for path in _ours(root, python_files):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    long.append(f"{path.relative_to(root)}:{node.lineno} {node.name} {lines}")
    assert long == []


def test_no_file_is_a_drawer(root: Path, python_files: list[Path]) -> None:
    drawers = {"utils.py", "util.py", "misc.py", "helpers.py", "common.py", "manager.py"}
    assert [str(path.relative_to(root)) for path in python_files if path.name in drawers] == []


def test_tests_below_the_lab_neither_mock_nor_sleep(root: Path, python_files: list[Path]) -> None:
    found = []
    for path in python_files:
        parts = path.relative_to(root).parts
        if parts[0] == "tests" and parts[1] in ("unit", "sim"):
            text = path.read_text()
            if re.search(r"\b(MagicMock|mock\.patch|monkeypatch|unittest\.mock)\b|\btime\.sleep\(", text):
                found.append(str(path.relative_to(root)))
    assert found == []


def test_a_room_catches_everything_at_most_once(root: Path, rooms: tuple[str, ...]) -> None:
    broad: dict[str, list[str]] = {}
    for room in rooms:
        for path in (root / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ExceptHandler) and (
                    node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")
                ):
                    broad.setdefault(room, []).append(f"{path.relative_to(root)}:{node.lineno}")
    assert {room: places for room, places in broad.items() if len(places) > 1} == {}


def test_every_module_says_what_it_holds(root: Path, python_files: list[Path]) -> None:
    silent = [
        str(path.relative_to(root))
        for path in python_files
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []


def test_every_core_module_has_a_test_of_its_own(root: Path, rooms: tuple[str, ...]) -> None:
    """A module of pure declarations (no function, no method) needs none."""
    missing = []
    for room in rooms:
        for path in (root / room / "core").rglob("*.py"):
            functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
            twin = root / "tests/unit" / path.relative_to(root).with_name(f"test_{path.name}")
            if functions and not twin.is_file():
                missing.append(str(path.relative_to(root)))
    assert missing == []
