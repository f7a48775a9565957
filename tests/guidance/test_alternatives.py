"""R19: strong opioids in fibromyalgia; R21 to R23: other drugs than amitriptyline, at the edges of every number."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from service.chart import Chart
from service.engine.concerns import concerns_of
from service.engine.finding import Finding, Indicator, Thresholds
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import EGFR_COMPUTED, Allergies, Condition, Measurement, MedicationOrder, Patient, Role, Unread
from service.fhir.edit import ClientOrders
from service.guidance.alternatives import (
    MAOI,
    OPIOID_ACCEPTED,
    duloxetine_checks,
    opioid_in_fibromyalgia,
    other_options,
)
from service.guidance.ids import CLEARANCE, FILTRATION
from service.guidance.replacing import kidney_function
from tests.guidance.charts import AMITRIPTYLINE, TOLPERISONE, born, chart, current, days_ago, dose, draft, drug, past

INFO, WARNING = Indicator.INFO, Indicator.WARNING
OLD = born(date(1950, 5, 9))


def conditions(*sets: str, active: bool = True) -> tuple[Condition, ...]:
    return tuple(Condition(frozenset({set_}), set_, active) for set_ in sets)


def of(name: str, *classes: str, role: Role = Role.CURRENT) -> MedicationOrder:
    return MedicationOrder(f"MedicationRequest/{name}", name, drug(name), role, "active", classes=frozenset(classes))


def drafted(name: str, *classes: str) -> MedicationOrder:
    return replace(of(name, *classes, role=Role.DRAFT), focus=True)


OXYCODONE = drafted("oxycodone", "opioid-strong")
MORPHINE = of("morphine", "opioid-strong")
TAKEN = current(AMITRIPTYLINE)


def sick(given: Chart, *sets: str) -> Chart:
    return replace(given, conditions=conditions(*sets))


def opened(given: Chart) -> Chart:
    return replace(given, hook="patient-view", ordering=False)


def words(finding: Finding, library: Library) -> str:
    """The card as it is written; a name that is not known to its template would raise."""
    card = Renderer.of(library).card(finding, ClientOrders({}), lambda: "id")
    assert len(card.summary) < 140
    return f"{card.summary}\n{card.detail}"


FIRES = {
    "drafted, amitriptyline taken": (sick(chart(OXYCODONE, TAKEN), "fibromyalgia"), False),
    "drafted, tolperisone taken": (sick(chart(OXYCODONE, current(TOLPERISONE)), "fibromyalgia"), False),
    "drafted with amitriptyline": (sick(chart(OXYCODONE, draft(AMITRIPTYLINE)), "fibromyalgia"), False),
    "not selected, with amitriptyline selected": (
        sick(chart(replace(OXYCODONE, focus=False), draft(AMITRIPTYLINE)), "fibromyalgia"),
        False,
    ),
    "for fibromyalgia by its reason": (
        chart(replace(OXYCODONE, reason_given=True, reasons=frozenset({"fibromyalgia"})), TAKEN),
        False,
    ),
    "renewed": (sick(chart(replace(OXYCODONE, continues_earlier=True), TAKEN), "fibromyalgia"), True),
    "on the list already": (
        sick(chart(OXYCODONE, of("oxycodone", "opioid-strong"), TAKEN), "fibromyalgia"),
        True,
    ),
    "another one on the list": (sick(chart(OXYCODONE, MORPHINE, TAKEN), "fibromyalgia"), False),
    "refilled": (replace(sick(chart(OXYCODONE, TAKEN), "fibromyalgia"), refill=True), True),
    "taken, chart opened": (opened(sick(chart(MORPHINE, TAKEN), "fibromyalgia")), True),
}


@pytest.mark.parametrize(("given", "continued"), FIRES.values(), ids=FIRES)
def test_a_strong_opioid_in_fibromyalgia_is_a_warning(given: Chart, continued: bool) -> None:
    finding = opioid_in_fibromyalgia(given, {})
    assert finding is not None
    assert (finding.indicator, finding.state == "starts") == (WARNING, not continued)
    assert finding.facts["opioid"] is finding.orders[0]


SILENT = {
    "no fibromyalgia": sick(chart(OXYCODONE, TAKEN), "chronic-pain"),
    "fibromyalgia that is over": replace(chart(OXYCODONE, TAKEN), conditions=conditions("fibromyalgia", active=False)),
    "neither drug": sick(chart(OXYCODONE), "fibromyalgia"),
    "neither drug, chart opened": opened(sick(chart(MORPHINE), "fibromyalgia")),
    "amitriptyline taken before": sick(chart(OXYCODONE, past(AMITRIPTYLINE)), "fibromyalgia"),
    "tramadol": sick(chart(drafted("tramadol", "opioid-weak"), TAKEN), "fibromyalgia"),
    "codeine": sick(chart(drafted("codeine", "opioid-weak"), TAKEN), "fibromyalgia"),
    "stopped": sick(chart(replace(OXYCODONE, stops=True), TAKEN), "fibromyalgia"),
    "none selected": sick(chart(replace(OXYCODONE, focus=False), TAKEN), "fibromyalgia"),
    "taken, amitriptyline ordered": sick(chart(draft(AMITRIPTYLINE), MORPHINE), "fibromyalgia"),
    **{f"with {set_}": sick(chart(OXYCODONE, TAKEN), "fibromyalgia", set_) for set_ in OPIOID_ACCEPTED},
    **{
        f"for {set_}": sick(
            chart(replace(OXYCODONE, reason_given=True, reasons=frozenset({set_})), TAKEN), "fibromyalgia"
        )
        for set_ in OPIOID_ACCEPTED
    },
}


@pytest.mark.parametrize("given", SILENT.values(), ids=SILENT)
def test_opioids_that_are_no_matter_of_r19_raise_nothing(given: Chart) -> None:
    assert opioid_in_fibromyalgia(given, {}) is None


@pytest.mark.parametrize(
    ("code", "set_"), [("C50.9", "cancer"), ("C80", "cancer"), ("D05.1", ""), ("Z51.5", "palliative-care"), ("Z51", "")]
)
@pytest.mark.parametrize("system", ["http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm"])
def test_cancer_and_palliative_care_are_told_by_icd_10(library: Library, system: str, code: str, set_: str) -> None:
    terminology = library.terminology
    prefixes = {
        s.id for s in terminology.concept_sets.values() if any((system, code[:n]) in s.prefixes for n in (1, 5))
    }
    assert prefixes & {"cancer", "palliative-care"} == ({set_} if set_ else set())


# R21, R22, R23


@pytest.fixture
def numbers(library: Library) -> Thresholds:
    return library.thresholds["other-options"]


def found(given: Chart, numbers: Thresholds) -> Finding:
    finding = other_options(given, numbers)
    assert finding is not None
    return finding


def options(given: Chart, numbers: Thresholds) -> list[str]:
    finding = other_options(given, numbers)
    return finding.facts["options"] if finding is not None else []


def checks(given: Chart, numbers: Thresholds) -> dict[str, bool | None]:
    """The conditions of duloxetine."""
    return duloxetine_checks(given, kidney_function(given, numbers["kidney_age"].to("d")), numbers)


START = draft(AMITRIPTYLINE, dose("10"))
NERVE = sick(chart(START), "neuropathic-pain", "urinary-retention")
ALL = ["duloxetine", "gabapentin", "pregabalin"]


def gfr(value: str, days: int = 10, kind: str = "egfr-ckd-epi-2021", unit: str = "mL/min") -> Measurement:
    return Measurement(kind, days_ago(days), Fraction(value), unit)


REASONS = {
    "dry mouth in the past, at 76": replace(
        sick(chart(START, patient=OLD), "neuropathic-pain"),
        allergies=Allergies(frozenset({"amitriptyline"}), intolerances=frozenset({"amitriptyline"})),
    ),
    "another anticholinergic": sick(chart(START, of("oxybutynin", "anticholinergic-strong")), "neuropathic-pain"),
    "allergy": replace(sick(chart(START), "neuropathic-pain"), allergies=Allergies(frozenset({"amitriptyline"}))),
}


def test_a_condition_against_amitriptyline_opens_the_options(numbers: Thresholds) -> None:
    against = concerns_of(numbers)["condition"].conditions
    assert len(against) == 16
    for set_ in sorted(against):
        left = ALL[1:] if set_ == "angle-closure-glaucoma" else ALL
        assert options(sick(chart(START), "neuropathic-pain", set_), numbers) == left, set_


@pytest.mark.parametrize("given", REASONS.values(), ids=REASONS)
def test_a_reason_against_amitriptyline_opens_the_options(numbers: Thresholds, given: Chart) -> None:
    finding = found(given, numbers)
    assert (finding.indicator, finding.facts["options"], finding.rules) == (INFO, ALL, ("R22", "R23"))


def test_a_stop_because_of_a_dry_mouth_names_the_options_and_offers_no_order(numbers: Thresholds) -> None:
    stop = replace(START, stops=True, status="stopped", reasons=frozenset({"stopped-because-not-tolerated"}))
    given = sick(chart(stop, replace(current("amitriptyline"), authored=START.authored)), "neuropathic-pain")
    finding = found(given, numbers)
    assert (finding.facts["options"], finding.facts["intolerance"], finding.offers) == (ALL, True, ())
    assert "taper-first" in finding.withheld
    unexplained = replace(given, orders=(replace(stop, reasons=frozenset()), *given.orders[1:]))
    assert other_options(unexplained, numbers) is None


NO_OPTIONS = {
    "no reason": sick(chart(START), "neuropathic-pain"),
    "age alone": sick(chart(START, patient=OLD), "neuropathic-pain"),
    "amitriptyline is anticholinergic itself": sick(
        chart(replace(START, classes=frozenset({"anticholinergic-strong"}))), "neuropathic-pain"
    ),
    "not for pain": sick(chart(START), "major-depressive-disorder", "urinary-retention"),
    "for depression in spite of pain": sick(
        chart(replace(START, reason_given=True, reasons=frozenset({"major-depressive-disorder"}))),
        "neuropathic-pain",
        "urinary-retention",
    ),
    "chart opened": opened(sick(chart(TAKEN), "neuropathic-pain", "urinary-retention")),
    "trigeminal neuralgia alone": sick(chart(START), "trigeminal-neuralgia", "urinary-retention"),
    "64 and 364 days": sick(chart(START, patient=born(date(1961, 11, 24))), "neuropathic-pain"),
    "perhaps under 18": sick(
        chart(START, patient=born(date(2008, 1, 1), date(2008, 12, 31))), "neuropathic-pain", "urinary-retention"
    ),
    "tolperisone": sick(chart(draft(TOLPERISONE)), "neuropathic-pain", "urinary-retention"),
    "nothing left": sick(chart(START, of("sertraline", "ssri")), "fibromyalgia", "urinary-retention"),
}


@pytest.mark.parametrize("given", NO_OPTIONS.values(), ids=NO_OPTIONS)
def test_without_reason_pain_or_option_nothing_is_said(numbers: Thresholds, given: Chart) -> None:
    assert other_options(given, numbers) is None


def test_age_18_and_65_and_unknown(numbers: Thresholds) -> None:
    for patient, adult in ((born(date(2008, 11, 23)), True), (Patient(), None)):
        given = sick(chart(START, patient=patient), "neuropathic-pain", "urinary-retention")
        assert options(given, numbers) == ALL
        assert checks(given, numbers)["adult"] is adult


KIND_OF_PAIN = {
    "neuropathic pain": (("neuropathic-pain",), "eu", ALL),
    "diabetic neuropathy": (("diabetic-neuropathy",), "eu", ALL),
    "after shingles": (("postherpetic-neuralgia",), "eu", ALL),
    "fibromyalgia": (("fibromyalgia",), "eu", ["duloxetine"]),
    "fibromyalgia in the US": (("fibromyalgia",), "us", ["duloxetine", "pregabalin"]),
    "fibromyalgia and nerve pain": (("fibromyalgia", "neuropathic-pain"), "eu", ["duloxetine"]),
    "chronic pain": (("chronic-pain",), "us", ["duloxetine"]),
    "back pain": (("musculoskeletal-disorder",), "eu", ["duloxetine"]),
    "trigeminal and back pain": (("trigeminal-neuralgia", "musculoskeletal-disorder"), "eu", ["duloxetine"]),
}


@pytest.mark.parametrize(("pain", "jurisdiction", "expected"), KIND_OF_PAIN.values(), ids=KIND_OF_PAIN)
def test_the_kind_of_pain_decides_the_options(
    numbers: Thresholds, pain: tuple[str, ...], jurisdiction: str, expected: list[str]
) -> None:
    given = replace(sick(chart(START), *pain, "urinary-retention"), jurisdiction=jurisdiction)
    finding = found(given, numbers)
    assert finding.facts["options"] == expected
    assert ("R23" in finding.rules) is ("pregabalin" in expected)


@pytest.mark.parametrize("role", [Role.DRAFT, Role.CURRENT])
def test_who_takes_a_gabapentinoid_is_not_told_of_another(numbers: Thresholds, role: Role) -> None:
    taken = of("gabapentin", "gabapentinoid", role=role)
    assert options(replace(NERVE, orders=(START, taken)), numbers) == ["duloxetine"]


AGAINST_DULOXETINE = {
    "eGFR below 30": replace(NERVE, measurements=(gfr("29.9"),)),
    "liver disease": sick(chart(START), "neuropathic-pain", "urinary-retention", "hepatic-impairment"),
    "liver failure": sick(chart(START), "neuropathic-pain", "urinary-retention", "hepatic-failure"),
    "angle closure": sick(chart(START), "neuropathic-pain", "angle-closure-glaucoma"),
    "an SSRI": replace(NERVE, orders=(START, of("sertraline", "ssri"))),
    "an SNRI drafted": replace(NERVE, orders=(START, of("venlafaxine", "snri", role=Role.DRAFT))),
    "an MAOI until 14 days ago": replace(
        NERVE, orders=(START, replace(past("phenelzine", taken=days_ago(14)), classes=frozenset({"maoi-irreversible"})))
    ),
    **{f"a drug of {class_}": replace(NERVE, orders=(START, of("one", class_))) for class_ in MAOI},
}


@pytest.mark.parametrize("given", AGAINST_DULOXETINE.values(), ids=AGAINST_DULOXETINE)
def test_what_is_recorded_against_duloxetine_takes_it_from_the_options(numbers: Thresholds, given: Chart) -> None:
    assert options(given, numbers) == ["gabapentin", "pregabalin"]
    assert list(checks(given, numbers).values()).count(False) == 1


def maoi(taken: int | None = None, authored: int | None = None) -> MedicationOrder:
    order = past("phenelzine", taken=days_ago(taken) if taken else None)
    order = replace(order, authored=days_ago(authored) if authored else None)
    return replace(order, classes=frozenset({"maoi-irreversible"}))


def test_an_allergy_takes_an_option_away(numbers: Thresholds, library: Library) -> None:
    to_gabapentin = found(replace(NERVE, allergies=Allergies(frozenset({"gabapentin"}))), numbers)
    assert to_gabapentin.facts["options"] == ["duloxetine"]
    assert "gabapentin" not in words(to_gabapentin, library).lower()
    to_duloxetine = found(replace(NERVE, allergies=Allergies(frozenset({"duloxetine"}))), numbers)
    assert to_duloxetine.facts["options"] == ["gabapentin", "pregabalin"]
    assert "duloxetine" not in words(to_duloxetine, library).lower()


UNKNOWN = {
    "allergies not given": (replace(NERVE, unread=(Unread("not-provided", element="allergies"),)), "allergy"),
    "kidney": (NERVE, "kidney"),
    "kidney, value too old": (replace(NERVE, measurements=(gfr("80", 366),)), "kidney"),
    "problem list not given": (replace(NERVE, conditions_known=False), "liver"),
    "glaucoma of unknown kind": (
        sick(chart(START), "neuropathic-pain", "urinary-retention", "glaucoma-unspecified"),
        "angle",
    ),
    "medication list not given": (replace(NERVE, history_known=False), "antidepressant"),
    "an MAOI with an open end": (replace(NERVE, orders=(START, maoi(authored=100))), "maoi"),
}


@pytest.mark.parametrize(("given", "check"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_takes_no_option_away(numbers: Thresholds, given: Chart, check: str) -> None:
    assert checks(given, numbers)[check] is None
    assert "duloxetine" in options(given, numbers)


def test_all_conditions_of_duloxetine_can_hold(numbers: Thresholds) -> None:
    given = replace(NERVE, orders=(START, maoi(taken=15)), measurements=(gfr("30"),))
    assert set(checks(given, numbers).values()) == {True}


@pytest.mark.parametrize(
    ("value", "band", "gabapentin", "pregabalin"),
    [
        ("59.9", "moderate", (400, 1400), (75, 300)),
        ("30", "moderate", (400, 1400), (75, 300)),
        ("29.9", "severe", (200, 700), (25, 150)),
        ("15.1", "severe", (200, 700), (25, 150)),
        ("15", "failure", (100, 300), (25, 75)),
        ("5", "failure", (100, 300), (25, 75)),
    ],
)
def test_kidney_dosing_is_that_of_the_labels(
    numbers: Thresholds, value: str, band: str, gabapentin: tuple[int, int], pregabalin: tuple[int, int]
) -> None:
    facts = found(replace(NERVE, measurements=(gfr(value),)), numbers).facts
    assert facts["band"] == band
    assert tuple(t.value for t in facts["gabapentin_range"]) == gabapentin
    assert tuple(t.value for t in facts["pregabalin_range"]) == pregabalin


def test_without_a_kidney_value_or_with_a_good_one_no_range_is_given(numbers: Thresholds) -> None:
    for band, given in (("unknown", NERVE), ("normal", replace(NERVE, measurements=(gfr("60"),)))):
        facts = found(given, numbers).facts
        assert facts["band"] == band
        assert not facts.keys() & {"gabapentin_range", "pregabalin_range"}


@pytest.mark.parametrize(
    ("measured", "value"),
    [
        ((gfr("80", 10), gfr("40", 200, CLEARANCE[0])), 40),
        ((gfr("80", 10), gfr("40", 366, CLEARANCE[0])), 80),
        ((gfr("80", 365),), 80),
        ((gfr("80", 366),), None),
        ((gfr("80", -1),), None),
        ((gfr("80", unit="{score}"),), None),
        ((gfr("80", 20), gfr("50", 10, FILTRATION[3])), 50),
    ],
)
def test_clearance_comes_before_filtration_and_the_latest_value_counts(
    numbers: Thresholds, measured: tuple[Measurement, ...], value: int | None
) -> None:
    kidney = kidney_function(replace(NERVE, measurements=measured), numbers["kidney_age"].to("d"))
    assert (kidney.value if kidney is not None else None) == value


def test_every_set_and_class_is_known_to_the_terminology(library: Library) -> None:
    terminology = library.terminology
    measured = {*CLEARANCE, *FILTRATION} - {EGFR_COMPUTED}
    assert measured | {*OPIOID_ACCEPTED} <= terminology.concept_sets.keys()
    drugs = ("phenelzine", "moclobemide", "selegiline", "linezolid", "tedizolid")
    assert set(MAOI) <= terminology.classes(drugs)


@pytest.mark.parametrize("given", [*KIND_OF_PAIN, *AGAINST_DULOXETINE, *UNKNOWN, *REASONS])
def test_the_card_can_be_written_whatever_is_known(numbers: Thresholds, library: Library, given: str) -> None:
    charts = {
        **{name: sick(chart(START), *pain, "urinary-retention") for name, (pain, _, _) in KIND_OF_PAIN.items()},
        **AGAINST_DULOXETINE,
        **{name: one for name, (one, _) in UNKNOWN.items()},
        **REASONS,
    }
    for jurisdiction in ("eu", "us"):
        finding = found(replace(charts[given], jurisdiction=jurisdiction), numbers)
        text = words(finding, library)
        for name in ("Duloxetine", "Gabapentin", "Pregabalin"):
            assert (f"- {name}:" in text) is (name.lower() in finding.facts["options"])
        assert ("never beside amitriptyline" in text) is ("duloxetine" in finding.facts["options"])


@pytest.mark.parametrize("value", ["90", "45", "20", "10"])
def test_a_kidney_value_is_shown_with_its_range(numbers: Thresholds, library: Library, value: str) -> None:
    text = words(found(replace(NERVE, measurements=(gfr(value),)), numbers), library)
    assert ("by kidney function" in text) is (value != "90")
    assert ("300 mg on day 1" in text) is (value == "90")


def test_who_takes_amitriptyline_is_to_taper_it(numbers: Thresholds, library: Library) -> None:
    given = replace(NERVE, orders=(START, TAKEN))
    finding = found(given, numbers)
    assert finding.state == "switch"
    assert "taper it" in words(finding, library)


@pytest.mark.parametrize("given", [given for given, _ in FIRES.values()], ids=FIRES)
def test_the_card_never_asks_to_stop_an_opioid_at_once(library: Library, given: Chart) -> None:
    finding = opioid_in_fibromyalgia(given, {})
    assert finding is not None
    text = words(finding, library)
    assert ("abruptly" in text) is (finding.state != "starts")
    assert ("Do not start" in text) is (finding.state == "starts")


AMERICAN = {
    "diabetic nerve pain": (
        ("diabetic-neuropathy",),
        ("60 mg a day from the start", "50 mg three times a day, at most 300 mg"),
    ),
    "several": (("postherpetic-neuralgia", "diabetic-neuropathy"), ("60 mg a day from the start", "at most 300 mg")),
    "after shingles": (("postherpetic-neuralgia",), ("30 to 60 mg", "150 mg a day in all, at most 600 mg")),
    "fibromyalgia": (("fibromyalgia",), ("30 to 60 mg", "150 mg a day in all, at most 450 mg")),
    "another nerve pain": (("neuropathic-pain",), ("30 to 60 mg", "start with 150 mg a day in all\n")),
}


@pytest.mark.parametrize(("pain", "said"), AMERICAN.values(), ids=AMERICAN)
def test_in_the_us_the_doses_are_those_of_the_pain(
    numbers: Thresholds, library: Library, pain: tuple[str, ...], said: tuple[str, ...]
) -> None:
    given = sick(chart(START), *pain, "urinary-retention")
    text = words(found(replace(given, jurisdiction="us"), numbers), library)
    assert [part for part in said if part not in text] == []
    elsewhere = words(found(given, numbers), library)
    assert "from the start" not in elsewhere
    assert "at most" not in elsewhere
