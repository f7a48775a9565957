"""What a card shows of long lists is bounded, and nothing that is left out goes unsaid."""

from service.engine.evaluate import MOST_LETTERS, MOST_LISTED, bounded
from service.engine.finding import Finding, Indicator
from service.engine.unchecked import unchecked
from service.facts import Unread


def test_what_fits_stays_as_it_is() -> None:
    findings = [unchecked([Unread("not-provided", element="allergies")]), Finding("x", Indicator.INFO, facts={"n": 5})]
    assert bounded(findings) == findings


def test_long_lists_are_cut_and_the_cut_is_said() -> None:
    labels = [f"drug {n}" for n in range(MOST_LISTED + 7)]
    finding, said = bounded([Finding("x", Indicator.WARNING, facts={"labels": labels, "few": ("a", "b")})])
    assert finding.facts == {"labels": labels[:MOST_LISTED], "few": ("a", "b")}
    assert [(gap.reason, gap.found) for gap in said.unread] == [("more-than-listed", "7")]


def test_of_many_gaps_one_of_each_reason_stays() -> None:
    many = [Unread("no-drug", found=str(n)) for n in range(MOST_LISTED * 3)]
    (finding,) = bounded([unchecked([*many, Unread("not-provided", element="allergies")])])
    reasons = [gap.reason for gap in finding.unread]
    assert len(reasons) == MOST_LISTED + 1
    assert (reasons[-2:], set(reasons[:-2])) == (["not-provided", "more-than-listed"], {"no-drug"})


def test_long_words_of_a_request_are_cut() -> None:
    gap = Unread("unit-unknown", found="x" * 5000, element="y" * 5000)
    (finding,) = bounded([Finding("not-checked", Indicator.INFO, facts={"label": "z" * 5000}, unread=(gap,))])
    (read,) = finding.unread
    assert {len(read.found), len(read.element), len(finding.facts["label"])} == {MOST_LETTERS}
