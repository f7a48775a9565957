"""The items of the checklist: those that ``docs/conformance.md`` lists, and those whose mark a test carries."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "conformance.md"
ITEMS = (*(f"C-{number:03}" for number in range(1, 141)), *(f"L-{number:02}" for number in range(1, 34)))
"""Every item of the checklist: 140 of the specification, 33 where it is silent."""

NUMBER = r"[CL]-\d+"
ROW = re.compile(rf"^- (?P<items>{NUMBER}(?:(?:, | to ){NUMBER})*): ", re.MULTILINE)


def listed(section: str) -> list[str]:
    """The items with which the lines of a section begin, "C-003 to C-005" as three."""
    return [item for match in ROW.finditer(section) for part in match["items"].split(", ") for item in _range(part)]


def _range(part: str) -> tuple[str, ...]:
    first, _, last = part.partition(" to ")
    return ITEMS[ITEMS.index(first) : ITEMS.index(last or first) + 1]


def marked() -> set[str]:
    """The items whose mark a test carries."""
    return {item for path in (ROOT / "tests").rglob("test_*.py") for item in _marks(path)}


def _marks(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.conformance":
                    yield from (str(ast.literal_eval(argument)) for argument in call.args)
