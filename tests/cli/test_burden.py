"""``tolami burden`` counts what the same orders raise, with and without a policy."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from service.cli.burden import ANY, Burden
from service.cli.synthetic import population, shares_in
from service.decide import Decision
from service.files import FaultyLibrary
from tests.calls import answered
from tests.conftest import TODAY
from tests.engine.folder import changed, copied

Run = Callable[..., Result]
SIZE = 25


def counted(run: Run, *options: str) -> list[dict[str, Any]]:
    result = run("burden", "--size", SIZE, "--today", TODAY.isoformat(), "--format", "json", *options)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_the_same_seed_gives_the_same_orders_and_another_one_others() -> None:
    assert list(population(5, 1, TODAY)) == list(population(5, 1, TODAY))
    assert list(population(5, 1, TODAY)) != list(population(5, 2, TODAY))


def test_every_order_is_one_that_the_service_reads_whole(decision: Decision) -> None:
    for body in population(40, 3, TODAY):
        cards = answered(body, decision)
        assert all(card["extension"]["io.github.tolami"]["card"] != "service-failed" for card in cards)
        assert not any("notChecked" in card["extension"]["io.github.tolami"] for card in cards), body


def test_cards_are_counted_per_100_orders_with_an_interval(run: Run) -> None:
    rows = counted(run)
    assert rows[0]["card"] == ANY
    assert all(row["from"] <= row["per_100_orders"] <= row["to"] for row in rows)
    assert all(row["words"] > 0 for row in rows if row["per_100_orders"])
    assert any(row["merged"] for row in rows)


def test_a_policy_is_compared_with_none(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "ward.toml"
    text = 'hospital = "h"\n[[change]]\ncard = "tolperisone-indication"\noff = true\nreason = "r"\nby = "b"\n'
    policy.write_text(f"{text}from = 2026-01-01\nuntil = 2027-01-01\n", encoding="utf-8")
    rows = counted(run, "--policy", str(policy))
    shown = {name: [r["card"] for r in rows if r["policy"] == name] for name in ("none", "ward")}
    assert "tolperisone-indication" in shown["none"]
    assert "tolperisone-indication" not in shown["ward"]


def test_a_policy_that_cannot_be_used_is_told(run: Run, tmp_path: Path) -> None:
    result = run("burden", "--policy", tmp_path / "none.toml")
    assert result.exit_code == 1
    assert "cannot be used" in result.stderr


def test_a_population_that_cannot_be_used_is_told_with_its_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(tmp_path)
    for old, new, reason in (
        ("female: 0.6", "female: 6", "female: 6 is greater than the maximum of 1"),
        ("female: 6", "female: [6", "not valid YAML"),
    ):
        line = changed(folder, "population.yaml", old, new)
        with pytest.raises(FaultyLibrary, match=rf"population\.yaml:({line}|{line + 1}): {reason}"):
            shares_in(folder)
    monkeypatch.setattr("service.cli.synthetic.FOLDER", folder)
    result = run("burden", "--size", 5)
    assert result.exit_code == 1
    assert "The population cannot be used:\npopulation.yaml:" in result.stderr


@pytest.mark.parametrize("form", ["table", "csv"])
def test_it_is_shown_as_a_table_or_as_csv(run: Run, form: str) -> None:
    result = run("burden", "--size", 5, "--today", TODAY.isoformat(), "--format", form)
    assert result.exit_code == 0
    if form == "csv":
        assert next(csv.DictReader(io.StringIO(result.stdout)))["card"] == ANY
    else:
        headings, _, first = (re.split("[┃│]", line) for line in result.stdout.splitlines()[2:5])
        row = {heading.strip(): cell.strip() for heading, cell in zip(headings, first, strict=True)}
        assert re.fullmatch(r"[\d.]+ to [\d.]+", row["95 % interval"])
        assert row["merged"].isdecimal()


def test_an_answer_without_cards_counts_as_an_order_only() -> None:
    burden = Burden()
    burden.add([])
    assert (burden.orders, burden.rows("none")) == (1, [])
