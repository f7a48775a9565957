"""``docs/security.md`` names a test for every risk, and every test that it names exists."""

import ast
import re

from tests.conftest import ROOT

ROW = re.compile(r"^\| (?P<risk>[RT]\d+) \| .+ \| (?P<shown>.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([\w/]+)::(test_\w+)`")
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")


def test_every_risk_of_the_assessment_is_there_and_ours_are_numbered() -> None:
    risks = [match["risk"] for match in ROW.finditer(PAGE)]
    ours = len(risks) - 17
    assert risks == [*(f"R{number}" for number in range(1, 18)), *(f"T{number}" for number in range(1, ours + 1))]
    assert f"T1 to T{ours} are our own" in PAGE


def test_every_risk_has_tests_or_a_reason() -> None:
    lacking = [match["risk"] for match in ROW.finditer(PAGE) if not shown(match["shown"])]
    assert lacking == []


def shown(column: str) -> bool:
    return bool(NAMED.search(column)) or column.startswith("No test: ")


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 30
    lacking = [f"{module}::{test}" for module, test in named if test not in functions(module)]
    assert lacking == []


def functions(module: str) -> set[str]:
    file = ROOT / f"tests/{module}.py"
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
