"""Which test shows which item of the checklist: read from the marks, written into ``docs/conformance.md``.

``python -m tests.conformance.items`` brings the table's last column up to date.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "conformance.md"
ITEMS = (*(f"C-{number:03}" for number in range(1, 141)), *(f"L-{number:02}" for number in range(1, 34)))
"""Every item of the checklist: 140 of the specification, 33 where it is silent."""

ROW = re.compile(
    r"^\| (?P<item>[CL]-\d+) \| (?P<level>[A-Za-z*]+) \| (?P<what>.+?) \| (?P<shown>.*?) \|$", re.MULTILINE
)


def marked() -> dict[str, list[str]]:
    """The tests that carry the mark of an item, as "module::test" below ``tests``."""
    found = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT / "tests").with_suffix("").as_posix()
        for test, item in _marks(path):
            found[item].append(f"{name}::{test}")
    return dict(found)


def _marks(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.conformance":
                    yield from ((node.name, str(ast.literal_eval(argument))) for argument in call.args)


def shown(tests: list[str]) -> str:
    """The last column of an item that tests show."""
    return "<br>".join(f"`{test}`" for test in tests)


def updated(page: str) -> str:
    """The page with the tests that there are; a reason why there is none is kept."""
    tests = marked()

    def row(match: re.Match[str]) -> str:
        item, level, what, kept = match.group("item", "level", "what", "shown")
        column = shown(tests[item]) if item in tests else kept
        return f"| {item} | {level} | {what} | {column} |"

    return ROW.sub(row, page)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
