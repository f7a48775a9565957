"""A hospital may change what a card allows, with a reason and an end; nothing critical is lowered or turned off."""

import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from service.cdshooks.messages import EXTENSION
from service.engine.editions import EVERYBODY, Editions
from service.engine.finding import Finding, Indicator, Threshold
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.policy import Change, allowed, read_policy, under
from service.files import FaultyLibrary
from service.guidance.registry import RULES
from tests.conftest import FIXTURES, TODAY

CARD = "pain-score"
RECENT = ('threshold = "recent"',)
NEWLINE = "\n"
BOUNDS = (Threshold(Fraction(14), "d"), Threshold(Fraction(60), "d"))


@pytest.fixture(scope="module")
def bounded(library: Library) -> Library:
    """The library with bounds for one number of one card."""
    card = replace(library.cards[CARD], bounds={"recent": BOUNDS})
    return replace(library, cards={**library.cards, CARD: card})


def entry(*lines: str, card: str = CARD, since: str = "2026-01-01", until: str = "2027-01-01") -> str:
    common = (
        f'card = "{card}"',
        'reason = "our clinic does"',
        'by = "Dr Example"',
        f"from = {since}",
        f"until = {until}",
    )
    return "\n".join(('hospital = "St Example"', "[[change]]", *common, *lines))


def both(one: str, other: str) -> str:
    """Two entries in one file."""
    return f"{one}\n{other.partition(NEWLINE)[2]}"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def change(**what: object) -> Change:
    whole = {"hospital": "h", "card": CARD, "reason": "r", "by": "b", "since": TODAY, "until": TODAY, **what}
    return Change(**whole)  # type: ignore[arg-type]


REFUSED = {
    "no such card": (entry("off = true", card="pain"), "there is no such card"),
    "critical off": (entry("off = true", card="amitriptyline-with-maoi"), "it stays as it is"),
    "what was not checked off": (entry("off = true", card="not-checked"), "it stays as it is"),
    "critical lowered": (entry('indicator = "info"', card="amitriptyline-and-the-heart"), "it stays as it is"),
    "no bounds": (entry('threshold = "lowest"', "value = 1"), "'lowest' has no bounds"),
    "outside the bounds": (entry('threshold = "recent"', 'value = "61 d"'), "must be from 14 d to 60 d, not 61 d"),
    "another unit": (entry('threshold = "recent"', 'value = "20 mg"'), "must be from 14 d to 60 d"),
    "a number without its value": (entry('threshold = "recent"'), "'threshold' needs 'value'"),
    "two changes in one": (entry("off = true", 'indicator = "info"'), "a change is one of off = true"),
    "nothing changed": (entry(), "a change is one of off = true"),
    "no end": (entry("off = true").replace("until = 2027-01-01\n", ""), "'until' is a required property"),
    "no reason": (entry("off = true").replace("our clinic does", " "), "does not match"),
    "an end that is no date": (entry("off = true", until='"soon"'), "must be dates"),
    "an end before its start": (entry("off = true", until="2025-01-01"), "until lies before from"),
    "a word that nobody knows": (entry("off = true", "on = true"), "'on' was unexpected"),
    "off and shown at once": (both(entry("off = true"), entry('indicator = "info"')), "keep one"),
    "a number twice": (
        both(
            entry(*RECENT, 'value = "20 d"'), entry(*RECENT, 'value = "40 d"', since="2027-01-01", until="2028-01-01")
        ),
        "recent is 20 d and recent is 40 d on the same days",
    ),
    "no TOML": ("hospital =", "not valid TOML"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_a_policy_may_not_say_is_refused_with_the_reason(
    bounded: Library, tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(FaultyLibrary) as caught:
        read_policy(written(tmp_path, text), bounded)
    assert reason in str(caught.value)


def test_changes_of_different_things_or_one_after_the_other_go_together(bounded: Library, tmp_path: Path) -> None:
    later = entry('indicator = "info"', since="2027-01-02", until="2028-01-01")
    for one, other in (
        (entry("off = true"), later),
        (entry('indicator = "info"'), entry(*RECENT, 'value = "20 d"')),
        (entry("off = true"), entry("off = true", card="tolperisone-food")),
    ):
        assert len(read_policy(written(tmp_path, both(one, other)), bounded)) == 2


def test_a_missing_file_is_refused(bounded: Library, tmp_path: Path) -> None:
    with pytest.raises(FaultyLibrary):
        read_policy(tmp_path / "none.toml", bounded)


def test_a_policy_is_read_with_its_reason_name_and_days(bounded: Library, tmp_path: Path) -> None:
    (one,) = read_policy(written(tmp_path, entry('threshold = "recent"', 'value = "35 d"')), bounded)
    assert (one.hospital, one.card, one.reason, one.by) == ("St Example", CARD, "our clinic does", "Dr Example")
    assert (one.since, one.until, str(one)) == (date(2026, 1, 1), date(2027, 1, 1), "recent is 35 d")
    assert [one.in_force(one.until + timedelta(days=days)) for days in (0, 1)] == [True, False]
    assert not one.in_force(one.since - timedelta(days=1))


def test_a_number_is_changed_for_its_rule_and_its_words_and_the_version_names_the_policy(bounded: Library) -> None:
    chosen = Threshold(Fraction(35), "d")
    changed = under(bounded, [change(threshold="recent", value=chosen)])
    assert changed.thresholds[CARD]["recent"] == chosen
    assert changed.thresholds[CARD]["lowest"] == bounded.thresholds[CARD]["lowest"]
    assert changed.version.startswith(f"{bounded.version}.policy-")
    assert under(bounded, [change()]).version != changed.version
    assert under(bounded, []) is bounded


def test_a_finding_is_dropped_or_as_urgent_as_the_policy_says_but_critical_stays() -> None:
    lower, off = change(indicator=Indicator.INFO), change()
    warning, critical = Finding(CARD, Indicator.WARNING), Finding(CARD, Indicator.CRITICAL)
    assert allowed(warning, [lower]) == Finding(CARD, Indicator.INFO)
    assert allowed(warning, [off]) is None
    for policy in ([lower], [off]):
        assert allowed(critical, policy) == critical
    other = Finding("other-options", Indicator.INFO)
    assert allowed(other, [lower, off]) == other


def test_each_client_has_the_policy_of_its_hospital_while_it_lasts(library: Library) -> None:
    guideline = Guideline(library, RULES)
    ward, house = change(indicator=Indicator.WARNING), change()
    editions = Editions(guideline, policies={"ward": (ward,), EVERYBODY: (house,)})
    assert editions.of("ward", TODAY)[0].policy == (ward,)
    assert editions.of("anybody", TODAY)[0].policy == (house,)
    assert editions.of("ward", TODAY + timedelta(days=1))[0].library.version == library.version
    assert editions.of("ward", TODAY)[1] is editions.of("ward", TODAY)[1], "an edition is made once"


def test_whatever_any_fixture_shows_as_critical_may_not_be_turned_off(library: Library) -> None:
    answers = (json.loads(path.read_text(encoding="utf-8")) for path in FIXTURES.rglob("*.expected.json"))
    cards = [card for answer in answers for card in answer["body"].get("cards", ())]
    critical = {card["extension"][EXTENSION]["card"] for card in cards if card["indicator"] == "critical"}
    assert len(critical) > 3
    assert critical <= library.plan.always
