"""Every card is what CDS Hooks asks for, whatever the drug is called, and says nothing it has no words for."""

import ast
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import service
from service.cdshooks.messages import EXTENSION, Action, Suggestion
from service.chart import Chart
from service.cli.answers import find
from service.decide import Decision
from service.engine.evaluate import bounded, evaluate
from service.engine.finding import Finding
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.plan import FOLD
from service.engine.rendering import LOCAL
from service.engine.unchecked import rule_failed, service_failed, unchecked
from service.errors import ServiceError
from service.facts import Patient, Unread
from service.fhir.edit import ClientOrders
from service.fhir.recognise import NO_DRUG, UNKNOWN_SYSTEM, UNRESOLVED
from service.guidance.registry import RULES
from service.jsonio import encode
from tests.calls import Json, answered
from tests.conftest import FIXTURES
from tests.engine.test_unchecked import CHILD, disputed
from tests.engine.test_wording_escaping import HOSTILE
from tests.guidance.charts import AMITRIPTYLINE, TOLPERISONE, adult, chart, current, dose, draft

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def recorded() -> list[Path]:
    return sorted(find([FIXTURES / "requests"]))


@dataclass(frozen=True)
class Answers:
    """What every fixture is answered with, and the charts that were looked at for it."""

    cards: list[Json] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)


@pytest.fixture(scope="module")
def answers(decision: Decision) -> Answers:
    """Every fixture answered once, as a client gets it."""
    found = Answers()

    def looked_at(chart: Chart, *rest: Any) -> list[Finding]:
        found.charts.append(chart)
        return evaluate(chart, *rest)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.decide.evaluate", looked_at)
        for path in recorded():
            with suppress(ServiceError):
                found.cards.extend(answered(path.read_bytes(), decision))
    return found


@pytest.fixture(scope="module")
def given_cards(answers: Answers, decision: Decision) -> list[Json]:
    """The cards of every fixture, and those for faults of the service, as a client gets them."""
    faults = [rule_failed(card) for card in decision.library.cards] + [service_failed()]
    return answers.cards + [
        json.loads(encode(decision.renderer.card(fault, ClientOrders({}), decision.new_uuid))) for fault in faults
    ]


def test_every_card_file_is_among_the_cards_checked_here(given_cards: list[Json], library: Library) -> None:
    only_lines = {merge.card for merge in library.plan.merges if merge.or_nothing}
    assert {card["extension"][EXTENSION]["card"] for card in given_cards} == library.cards.keys() - only_lines


def test_every_card_has_what_the_protocol_requires(given_cards: list[Json]) -> None:
    for card in given_cards:
        assert 0 < len(card["summary"]) < 140
        assert card["indicator"] in ("info", "warning", "critical")
        assert card["source"]["label"]
        assert card["source"].get("url", "https://").startswith("https://")
        assert card["detail"]
        assert card["links"]
        assert all(link["type"] == "absolute" and link["label"] for link in card["links"])


def test_the_first_link_is_the_cards_own_page_and_the_others_are_its_sources(given_cards: list[Json]) -> None:
    for card in given_cards:
        own, *others = (link["url"] for link in card["links"])
        assert own == f"{LOCAL}/guidance/{card['extension'][EXTENSION]['card']}"
        assert all(url.startswith(("https://", f"{LOCAL}/guidance/")) for url in others)


def test_a_folded_card_links_the_page_of_every_card_that_it_names(given_cards: list[Json], library: Library) -> None:
    folded = [card for card in given_cards if card["extension"][EXTENSION]["card"] == FOLD]
    assert any(len(card["links"]) > len(library.cards[FOLD].links) + 2 for card in folded)
    for card in folded:
        pages = [link["url"].removeprefix(f"{LOCAL}/guidance/") for link in card["links"]]
        rules = card["extension"][EXTENSION]["rules"]
        linked = list(dict.fromkeys(library.cards[page].rule for page in pages))
        assert linked == rules[: len(linked)]


def test_every_card_and_every_suggestion_has_an_identifier_of_its_own(given_cards: list[Json]) -> None:
    holders = [*given_cards, *(s for card in given_cards for s in card.get("suggestions", ()))]
    assert len({holder["uuid"] for holder in holders}) == len(holders)


def test_warnings_can_be_overridden_for_a_coded_reason_and_information_needs_none(given_cards: list[Json]) -> None:
    for card in given_cards:
        if card["indicator"] == "info":
            assert "overrideReasons" not in card
        else:
            assert all(reason[member] for reason in card["overrideReasons"] for member in ("code", "system", "display"))


def test_every_card_says_where_it_comes_from(given_cards: list[Json], library: Library) -> None:
    for card in given_cards:
        origin = card["extension"][EXTENSION]
        file = library.cards[origin["card"]]
        assert (origin["rule"], origin["guidance"]) == (file.rule, library.version)
        assert set(file.statements) <= set(origin.get("statements", ()))
        assert origin.get("rules", [file.rule])[0] == file.rule
        assert "Not clinically reviewed" in card["detail"]


def test_a_suggestion_concerns_one_order_and_at_most_one_is_accepted(given_cards: list[Json]) -> None:
    with_suggestion = [card for card in given_cards if "suggestions" in card]
    assert with_suggestion
    for card in with_suggestion:
        assert card["selectionBehavior"] == "at-most-one"
        for suggestion in card["suggestions"]:
            assert suggestion["label"]
            # One action, or a new order in place of a draft: the draft goes first, never the one without the other.
            kinds = [action["type"] for action in suggestion["actions"]]
            assert kinds in (["update"], ["create"], ["delete"], ["delete", "create"])
            for action in suggestion["actions"]:
                fits_the_session(action, card)


def fits_the_session(action: Json, card: Json) -> None:
    """An action creates an order of this patient, or concerns an order of its card."""
    assert action["description"]
    if action["type"] == "create":
        assert "id" not in action["resource"], "the client gives a new order its id"
        assert action["resource"]["subject"]["reference"].startswith("Patient/")
        return
    resource = action.get("resource", {})
    changed = action.get("resourceId") or f"{resource['resourceType']}/{resource['id']}"
    assert changed in card["extension"][EXTENSION]["orders"]


def members(value: Any) -> Iterator[Any]:
    """Every value of a card, the client's own resources aside."""
    yield value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        if name != "resource":
            yield from members(child)


def test_nothing_on_a_card_is_null_or_empty(given_cards: list[Json]) -> None:
    for card in given_cards:
        assert all(value not in (None, "", [], {}) for value in members(card)), card["summary"]


def test_statements_and_orders_are_left_out_where_there_are_none(given_cards: list[Json]) -> None:
    origins = {card["extension"][EXTENSION]["card"]: card["extension"][EXTENSION] for card in given_cards}
    assert origins["service-failed"].keys() == {"card", "rule", "guidance"}
    assert "statements" not in origins["not-checked"]
    assert origins["tolperisone-with-amitriptyline"]["statements"]


def failed(card: str, error: Exception) -> None:
    raise AssertionError(card) from error


@pytest.fixture(scope="module")
def telling(answers: Answers, library: Library) -> list[Chart]:
    """Charts of the fixtures, as few as raise every card that any of them raises."""
    chosen, reached = [], set[str]()
    for seen in answers.charts:
        raised = {one.card for finding in unfolded(seen, library) for one in finding.all}
        if not raised <= reached:
            chosen.append(seen)
            reached |= raised
    return chosen


def unfolded(given: Chart, library: Library) -> list[Finding]:
    """Every finding for a chart, however many there are."""
    return evaluate(given, Guideline(library, RULES), failed)


def found(library: Library, label: str, telling: list[Chart]) -> list[Finding]:
    """A finding for every card and every reason, with drugs of this name."""

    def named(given: Chart) -> Chart:
        return replace(given, orders=tuple(replace(order, label=label) for order in given.orders))

    drafts = (draft(AMITRIPTYLINE, dose("50")), draft(TOLPERISONE, dose("500.5", 2)))
    charts = [
        *telling,
        chart(*drafts),
        chart(draft(TOLPERISONE, dose("900", 3)), current(AMITRIPTYLINE)),
        chart(*drafts, patient=CHILD),
        replace(chart(*drafts, patient=Patient()), history_known=False),
        chart(draft(TOLPERISONE, dose("300", 1)), disputed()),
        chart(*drafts, patient=replace(adult(), deceased=True)),
        replace(chart(current(AMITRIPTYLINE), current(TOLPERISONE)), ordering=False),
    ]
    charts = [named(given) for given in charts]
    order = replace(drafts[0], label=label, dose=None)
    gaps = [
        Unread(reason, about, "dosageInstruction[0].timing", label or "x", conflict=bool(label))
        for reason in library.cards["not-checked"].reasons
        for about in (order, None)
    ]
    findings = [finding for given in charts for finding in unfolded(given, library)]
    findings += [finding for gap in gaps for finding in bounded([unchecked((gap, gaps[0]))])]
    crowd = replace(findings[0], card=FOLD, facts={"folded": tuple(sorted(library.cards))}, proposal=None, unread=())
    return [*findings, crowd, *map(rule_failed, library.cards), service_failed()]


def structure(text: str) -> list[str]:
    """The kinds of everything in a Markdown text, runs of plain text aside."""
    tokens = [inline for token in PARSER.parse(text) for inline in (token, *(token.children or ()))]
    return [token.type for token in tokens if token.type not in ("text", "text_special")]


def test_the_findings_used_here_reach_every_rule(library: Library, telling: list[Chart]) -> None:
    assert {one.card for finding in found(library, "a", telling) for one in finding.all} == library.cards.keys()
    assert len(RULES) < len(library.cards)


def is_one_short_line(summary: str) -> bool:
    return 0 < len(summary) < 140 and summary == " ".join(summary.split()) and not set(summary) & set("<>")


@pytest.fixture(scope="module")
def harmless(decision: Decision, telling: list[Chart]) -> list[list[str]]:
    """What the details of all findings are made of when the drug has a plain name."""
    findings = found(decision.library, "a", telling)
    return [structure(decision.renderer.card(f, ClientOrders({}), decision.new_uuid).detail) for f in findings]


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=300) | HOSTILE.map(lambda label: label * 5) | HOSTILE)
def test_whatever_a_drug_is_called_the_summary_is_one_short_line_and_the_markup_of_the_detail_the_same(
    decision: Decision, telling: list[Chart], harmless: list[list[str]], label: str
) -> None:
    for finding, expected in zip(found(decision.library, f"a {label} z", telling), harmless, strict=True):
        card = decision.renderer.card(finding, ClientOrders({}), decision.new_uuid)
        assert is_one_short_line(card.summary), finding.card
        assert structure(card.detail) == expected, finding.card


@pytest.mark.parametrize("label", ["", " \n", "\u2028", "<script>" * 500])
def test_a_drug_of_no_name_or_of_nothing_but_markup_leaves_the_summary_one_short_line(
    decision: Decision, telling: list[Chart], label: str
) -> None:
    for finding in found(decision.library, label, telling):
        assert is_one_short_line(decision.renderer.card(finding, ClientOrders({}), decision.new_uuid).summary)


@cache
def nodes() -> list[ast.Call | ast.Constant]:
    """Every call and every constant that stands in our own code."""
    paths = Path(str(service.__file__)).parent.rglob("*.py")
    found = (node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return [node for node in found if isinstance(node, (ast.Call, ast.Constant))]


def given_by(*callables: str) -> set[str]:
    """The first argument of every call of these, where it is written out."""
    calls = (node for node in nodes() if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    first = (call.args[0] for call in calls if call.args and getattr(call.func, "id", "") in callables)
    return {arg.value for arg in first if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}


@settings(max_examples=100)
@given(text=HOSTILE)
def test_what_a_suggestion_would_have_done_is_said_as_text_whatever_it_holds(text: str, decision: Decision) -> None:
    removal = Action("delete", f"Removes {text} here.", resourceId=f"MedicationRequest/{text}")
    said = decision.renderer.by_hand([Suggestion(f"Remove {text} now", "u", [removal])])
    harmless = decision.renderer.by_hand([Suggestion("Remove a now", "u", [Action("delete", "Removes a here.")])])
    kinds = [token.type for token in PARSER.parse(said)]
    assert kinds == [token.type for token in PARSER.parse(harmless)]
    assert "html_inline" not in {child.type for token in PARSER.parse(said) for child in token.children or ()}


def test_every_reason_that_the_code_gives_has_its_words(library: Library) -> None:
    reasons = given_by("NotComputed", "Unread") | {NO_DRUG, UNRESOLVED, UNKNOWN_SYSTEM}
    assert len(reasons) > 10
    assert reasons <= library.cards["not-checked"].reasons.keys()
    refusals = given_by("CannotEdit")
    assert len(refusals) > 3
    assert refusals <= library.withheld.keys()


def test_every_reason_that_has_words_is_given_somewhere_in_the_code(library: Library) -> None:
    written = {node.value for node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert library.cards["not-checked"].reasons.keys() <= written
    assert library.withheld.keys() <= written
