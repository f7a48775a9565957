"""A measurement is read in one unit for its kind; panels give their components, questions their answers."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from service.facts import Measurement
from service.fhir.observations import observed
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.samples import SNOMED

LOINC = "http://loinc.org"
DAY = date(2026, 11, 20)
PAIN, QTC, EGFR, WEIGHT = "72514-3", "76635-2", "98979-8", "29463-7"
PANEL, STANDING = "85354-9", "8460-8"
CYP2D6, PREGNANCY = "79715-9", "82810-3"


def code(loinc: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": loinc}]}


def observation(loinc: str, **members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": code(loinc),
        "effectiveDateTime": DAY.isoformat(),
        **members,
    }


def quantity(value: Any, unit: str, **members: Any) -> dict[str, Any]:
    return {"value": value, "code": unit, **members}


def read(terminology: Terminology, *resources: Resource) -> list[Measurement]:
    return list(observed(resources, terminology).measurements)


@pytest.mark.parametrize(
    ("loinc", "given", "value", "unit"),
    [
        (QTC, quantity(480, "ms"), "480", "ms"),
        (QTC, quantity(Decimal("0.48"), "s"), "480", "ms"),
        (QTC, {"value": 480, "unit": "msec"}, "480", "ms"),
        (QTC, {"value": 480, "unit": "milliseconds"}, "480", "ms"),
        (QTC, {"value": 480, "unit": "ms", "code": "258673006"}, "480", "ms"),
        *(
            (EGFR, quantity(20, unit), "20", "mL/min")
            for unit in ("ml/min", "mL/min/1.73m²", "mL/min/1.73m*2", "mL/min/1.73_m2", "ml/min/1.73 m^2")
        ),
        (STANDING, {"value": 95, "unit": "mm Hg"}, "95", "mm[Hg]"),
        (EGFR, quantity(45, "mL/min/{1.73_m2}"), "45", "mL/min"),
        (STANDING, quantity(95, "mm[Hg]"), "95", "mm[Hg]"),
        (STANDING, {"value": 95, "unit": "mmHg"}, "95", "mm[Hg]"),
        (PAIN, quantity(7, "{score}"), "7", "{score}"),
        (PAIN, quantity(0, "1"), "0", "{score}"),
        (PAIN, {"value": 7}, "7", "{score}"),
        (WEIGHT, quantity(70500, "g"), "70.5", "kg"),
    ],
)
def test_a_value_is_read_in_the_unit_of_its_kind(
    loinc: str, given: dict[str, Any], value: str, unit: str, terminology: Terminology
) -> None:
    (found,) = read(terminology, observation(loinc, valueQuantity=given))
    assert (found.value, found.unit, found.taken) == (Fraction(value), unit, DAY)


def test_a_whole_number_is_a_score(terminology: Terminology) -> None:
    (found,) = read(terminology, observation(PAIN, valueInteger=7))
    assert (found.kind, found.value, found.unit) == ("pain-nrs-0-10", Fraction(7), "{score}")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"valueQuantity": quantity(480, "furlong")},
        {"valueQuantity": quantity("4 80", "ms")},
        {"valueQuantity": quantity(480, "ms"), "status": "preliminary"},
        {"valueQuantity": quantity(480, "ms"), "status": "entered-in-error"},
        {"valueQuantity": quantity(480, "ms"), "effectiveDateTime": None},
        {"valueQuantity": quantity(480, "ms"), "code": code("1-8")},
        {"valueInteger": True},
    ],
    ids=str,
)
def test_what_is_no_certain_value_is_passed_over(members: dict[str, Any], terminology: Terminology) -> None:
    assert read(terminology, observation(QTC, **members)) == []


def test_a_panel_gives_each_component_that_is_known(terminology: Terminology) -> None:
    parts = [
        {"code": code(STANDING), "valueQuantity": quantity(95, "mm[Hg]")},
        {"code": code("8480-6"), "valueQuantity": quantity(120, "mm[Hg]")},
        {"code": code("1-8"), "valueQuantity": quantity(1, "mm[Hg]")},
        {"code": code("8480-6"), "dataAbsentReason": {"text": "not done"}},
        "no component",
    ]
    found = read(terminology, observation(PANEL, component=parts))
    assert {(m.kind, m.value) for m in found} == {
        ("systolic-bp-standing", Fraction(95)),
        ("systolic-bp", Fraction(120)),
    }
    assert {m.taken for m in found} == {DAY}
    assert read(terminology, observation(PANEL, component=parts, status="cancelled")) == []


@pytest.mark.parametrize(
    ("members", "answer", "types"),
    [
        (
            {"valueCodeableConcept": {"text": "Poor metabolizer", "coding": [{"code": "x"}]}},
            "Poor metabolizer",
            {"poor"},
        ),
        ({"valueCodeableConcept": {"coding": [{"code": "LA9657-3", "display": "Poor"}]}}, "Poor", {"poor"}),
        ({"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA9657-3"}]}}, "LA9657-3", {"poor"}),
        ({"valueCodeableConcept": {"text": "s. Befund", "coding": [{"code": "LA9657-3"}]}}, "s. Befund", {"poor"}),
        ({"valueCodeableConcept": {"text": "normal", "coding": [{"code": "LA9657-3"}]}}, "normal", set()),
        ({"valueString": "langsamer Metabolisierer"}, "langsamer Metabolisierer", {"poor"}),
        ({"valueString": "*4/*4"}, "*4/*4", set()),
    ],
)
def test_an_answer_is_read_by_its_code_and_in_words(
    members: dict[str, Any], answer: str, types: set[str], terminology: Terminology
) -> None:
    (found,) = read(terminology, observation(CYP2D6, **members))
    assert (found.kind, found.value, found.answer) == ("cyp2d6-phenotype", None, answer)
    assert found.sets == types


def test_a_coded_answer_belongs_to_the_sets_of_its_code(terminology: Terminology) -> None:
    pregnant = {"coding": [{"system": SNOMED, "code": "77386006"}]}
    (found,) = read(terminology, observation(PREGNANCY, valueCodeableConcept=pregnant))
    assert found.sets == {"pregnancy"}


@pytest.mark.parametrize(
    ("said", "sets"),
    [
        ("schwanger", {"pregnancy"}),
        ("enceinte", {"pregnancy"}),
        ("беременна", {"pregnancy"}),
        ("nicht schwanger", set()),
    ],
)
def test_an_answer_in_words_belongs_to_the_sets_that_they_name(
    terminology: Terminology, said: str, sets: set[str]
) -> None:
    (coded,) = read(terminology, observation(PREGNANCY, valueCodeableConcept={"text": said}))
    (written,) = read(terminology, observation(PREGNANCY, valueString=said))
    assert coded.sets == written.sets == sets


@pytest.mark.parametrize("comparator", ["<", "<=", ">=", ">"])
def test_a_bound_is_a_value_that_is_not_exact(comparator: str, terminology: Terminology) -> None:
    (found,) = read(terminology, observation(EGFR, valueQuantity=quantity(15, "mL/min", comparator=comparator)))
    assert (found.value, found.comparator, found.exact) == (Fraction(15), comparator, False)


def test_a_ucum_code_that_is_not_understood_is_believed_over_its_words(terminology: Terminology) -> None:
    given = {"value": 20, "unit": "mL/min", "code": "mg/dL", "system": "http://unitsofmeasure.org"}
    assert read(terminology, observation(EGFR, valueQuantity=given)) == []


def in_words(name: str, **members: Any) -> Resource:
    return {**observation("x", **members), "code": {"text": name}}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "potassium",
            "Kalium im Serum; S-Kalium; K; fS-K; Potassium [Moles/volume] in Blood; Draslík; калий; Potas; kálium",
        ),
        ("magnesium", "Magnesium; Mg; S-Mg; hořčík; магний; Magnez w surowicy; magnézium"),
        ("serum-creatinine", "Kreatinin; Creatinine, serum; креатинин; kreatynina"),
        ("egfr-formula-unspecified", "eGFR (CKD-EPI); GFR nach MDRD; СКФ; Creatinine-based eGFR"),
        (
            "qtc-method-unspecified",
            "QTc; QTc-Zeit (Bazett); QT korrigiert, frequenzkorrigierte QT; corrected QT interval; QTcF",
        ),
        ("qt-uncorrected", "QT; QT-Zeit; QT interval; Q-T interval"),
        ("creatinine-clearance-cockcroft-gault", "ClCr; Clairance (Cockcroft); CrCl (Cockcroft-Gault)"),
    ],
)
def test_a_measurement_whose_code_is_not_known_is_told_by_its_words(
    terminology: Terminology, kind: str, names: str
) -> None:
    for name in names.split("; "):
        assert terminology.words.measured((name,)) == {kind}, name
        local = in_words(name)
        local["code"]["coding"] = [{"system": "urn:lab", "code": "17"}]
        local |= {"valueQuantity": {"value": Decimal("2.9"), "unit": "mmol/L"}}
        assert [m.kind for m in read(terminology, local)] == (
            [kind] if kind in ("potassium", "magnesium", "serum-creatinine") else []
        )


@pytest.mark.parametrize("name", ["CYP2D6", "CYP2D6-Genotyp", "CYP2D6 metabolizer status", "CYP2D6 (Phänotyp)"])
def test_a_metaboliser_type_is_told_by_its_words(terminology: Terminology, name: str) -> None:
    assert terminology.words.measured((name,)) == {"cyp2d6-phenotype"}
    [found] = read(terminology, in_words(name) | {"valueString": "poor metabolizer"})
    assert (found.kind, found.answer) == ("cyp2d6-phenotype", "poor metabolizer")


@pytest.mark.parametrize(
    "name",
    [
        "Kalium im Urin",
        "Potassium [Moles/volume] in Urine",
        "Albumin/Kreatinin-Quotient",
        "Creatine kinase",
        "Sodium/Potassium ratio",
        "Natrium",
        "Magnesium im Urin",
        "Long QT syndrome risk",
        "QT-Dispersion",
        "мочи калий",
        "MG-Antikörper",
    ],
)
def test_words_of_other_tests_are_not_taken_for_one(terminology: Terminology, name: str) -> None:
    assert terminology.words.measured((name,)) == frozenset()


@pytest.mark.parametrize("written", ["2,9 mmol/l", "2.9 mmol/L", " 2.9mmol/l"])
def test_a_quantity_written_as_words_is_read(terminology: Terminology, written: str) -> None:
    for member in ("valueString", "valueQuantity"):
        (found,) = read(terminology, observation("2823-3", **{member: written}))
        assert (found.value, found.unit) == (Fraction(2900), "umol/L")


@pytest.mark.parametrize(
    ("members", "reason", "found"),
    [
        ({"effectiveDateTime": "20.11.2026"}, "measurement-undated", "2.9 mmol/L"),
        ({"effectiveDateTime": None}, "measurement-undated", "2.9 mmol/L"),
        ({"status": "preliminary"}, "measurement-not-final", "2.9 mmol/L"),
        ({"valueQuantity": None, "valueString": "haemolysed"}, "measurement-in-words", "haemolysed"),
        ({"valueQuantity": "haemolysed"}, "measurement-in-words", "haemolysed"),
        ({"valueQuantity": {"value": "2.9 or so", "unit": "mmol/L"}}, "measurement-in-words", "2.9 or so mmol/L"),
        ({"valueQuantity": {"value": Decimal("2.9"), "unit": "drops"}}, "measurement-unit", "drops"),
        ({"valueQuantity": None, "valueInteger": 3}, "measurement-unit", ""),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_reason(
    terminology: Terminology, members: dict[str, Any], reason: str, found: str
) -> None:
    given = {"valueQuantity": {"value": Decimal("2.9"), "unit": "mmol/L"}, **members}
    resource = observation("2823-3", **given)
    cleaned = {key: value for key, value in resource.items() if value is not None}
    assert read(terminology, cleaned) == [] or reason == "measurement-in-words"
    (unread,) = observed([cleaned, cleaned], terminology).unread
    assert (unread.reason, unread.found) == (reason, found)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_what_was_withdrawn_is_not_missed(terminology: Terminology, status: str) -> None:
    resource = observation("2823-3", status=status, valueQuantity=quantity(3, "drops"))
    assert observed([resource], terminology).unread == ()


def test_a_qt_that_nobody_corrected_is_named_unless_a_corrected_one_is_as_new(terminology: Terminology) -> None:
    bare = observation("8634-8", valueQuantity={"value": 530, "unit": "ms"})
    corrected = observation(QTC, valueQuantity={"value": 440, "unit": "ms"})
    (unread,) = observed([bare, {**corrected, "effectiveDateTime": "2026-11-19"}], terminology).unread
    assert (unread.reason, unread.found) == ("qt-uncorrected", "530 ms")
    assert observed([bare, corrected], terminology).unread == ()


@pytest.mark.parametrize("unit", ["mval/l", "mval/L", "mEq/L", "MEQ/L"])
def test_milliequivalents_under_their_older_name_and_in_capitals(terminology: Terminology, unit: str) -> None:
    (found,) = read(terminology, observation("2823-3", valueQuantity={"value": Decimal("2.9"), "unit": unit}))
    assert (found.value, found.unit) == (Fraction("2.9"), "meq/L")


def test_a_clearance_of_creatinine_is_known_by_its_words_in_many_languages(terminology: Terminology) -> None:
    names = (
        "Clairance créatinine; Clairance de la créatinine; Kreatinin-Clearance; Kreatininclearance; CrCl;"
        " Creatinine clearance; Klirens kreatyniny; aclaramiento de creatinina; клиренс креатинина;"
        " Clearance della creatinina; depuração da creatinina; kreatininclearance; creatinineklaring"
    )
    for name in names.split("; "):
        [found] = read(terminology, in_words(name) | {"valueQuantity": {"value": 25, "unit": "мл/мин"}})
        assert (found.kind, found.value, found.unit) == (
            "creatinine-clearance-cockcroft-gault",
            Fraction(25),
            "mL/min",
        ), name


def test_an_answer_in_words_is_yes_no_or_named_as_not_read(terminology: Terminology) -> None:
    answers = {
        "pregnancy": "positiv; Positive.; ja; yes; oui; да; LA15173-0; schwanger; Pregnant; enceinte; SÍ; dodatni",
        "": "negativ; nein; not pregnant; nicht schwanger; LA26683-5; нет; non; não; hayır",
        "unknown": "unbekannt; unknown; LA4489-6; not asked",
        "not read": "?; possible; see letter; erst im März",
    }
    for name in ("Schwangerschaftstest", "pregnancy status", "Test de grossesse", "Grossesse"):
        for meaning, written in answers.items():
            for answer in written.split("; "):
                heard = observed([in_words(name) | {"valueString": answer}], terminology)
                sets = [measurement.sets for measurement in heard.measurements]
                assert sets == {"pregnancy": [{"pregnancy"}], "": [frozenset()]}.get(meaning, []), answer
                assert [gap.found for gap in heard.unread] == [answer] * (meaning == "not read"), answer


def test_a_blood_pressure_in_words_is_both_of_its_values(terminology: Terminology) -> None:
    standing = (
        "Blutdruck im Stehen; Blood pressure standing; tension artérielle debout; давление стоя; bloeddruk staand"
    )
    lying = "Blutdruck im Liegen; supine BP; pressione in clinostatismo; ciśnienie leżąc"
    for names, posture in ((standing, "standing"), (lying, "supine")):
        for name in names.split("; "):
            found = read(terminology, in_words(name) | {"valueString": "110/70 mmHg"})
            assert [(m.kind, m.value, m.unit) for m in found] == [
                (f"systolic-bp-{posture}", Fraction(110), "mm[Hg]"),
                (f"diastolic-bp-{posture}", Fraction(70), "mm[Hg]"),
            ], name
    not_read = observed([in_words("Blutdruck im Stehen") | {"valueString": "normal"}], terminology)
    assert [(gap.reason, gap.found) for gap in not_read.unread] == [("measurement-in-words", "normal")]


def test_a_pain_score_is_known_by_the_name_of_its_scale(terminology: Terminology) -> None:
    for name, kind in (
        ("Schmerz (NRS)", "pain-nrs-0-10"),
        ("Pain numeric rating scale", "pain-nrs-0-10"),
        ("EVA douleur", "pain-vas-score"),
        ("Pain score", "pain-severity-reported-generic-scale-unknown"),
    ):
        [found] = read(terminology, in_words(name) | {"valueInteger": 6})
        assert (found.kind, found.value) == (kind, Fraction(6))
    assert terminology.words.measured(("pain goal",)) == frozenset()


def test_a_known_measurement_without_a_value_is_named_unless_nothing_was_measured(terminology: Terminology) -> None:
    for members, named in (
        ({}, True),
        ({"dataAbsentReason": {"coding": [{"code": "masked"}]}}, True),
        ({"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}, False),
        ({"dataAbsentReason": {"text": "not done"}}, False),
        ({"hasMember": [{"reference": "Observation/1"}]}, False),
        ({"component": [{"code": {"text": "remark"}}]}, False),
    ):
        found = observed([observation(QTC, **members)], terminology)
        assert [gap.reason for gap in found.unread] == ["measurement-in-words"] * named, members
    assert not observed([observation(PREGNANCY), observation(PANEL)], terminology).unread


def test_observations_that_do_not_say_what_was_observed_are_counted(terminology: Terminology) -> None:
    value = {"valueQuantity": quantity(20, "mL/min")}
    own = [{"coding": [{"system": "urn:own", "code": "X1"}]}, {"text": " "}, {}, None]
    other = [code("1-8"), {"text": "Haematocrit"}, {"coding": [{"system": "urn:own", "code": "X1", "display": "Hb"}]}]
    found = observed([observation(QTC, **value, code=each) for each in (*own, *other)], terminology)
    (gap,) = found.unread
    assert (gap.reason, gap.element, gap.found) == ("entries-unreadable", "observations", "4")


def test_a_component_in_words_is_what_its_words_and_those_of_its_panel_say(terminology: Terminology) -> None:
    for panel, parts, kinds in (
        ("Blood pressure", ("Systolic", "Diastolic"), ("systolic-bp", "diastolic-bp")),
        ("Blutdruck im Stehen", ("systolisch", "diastolisch"), ("systolic-bp-standing", "diastolic-bp-standing")),
        ("BP lying", ("Systolic", "Diastolic"), ("systolic-bp-supine", "diastolic-bp-supine")),
        ("Pulmonary artery pressure", ("Systolic pulmonary artery pressure", "mean"), ()),
    ):
        component = [{"code": {"text": part}, "valueQuantity": quantity(90, "mm[Hg]")} for part in parts]
        found = read(terminology, observation(PANEL, code={"text": panel}, component=component))
        assert tuple(sorted(m.kind for m in found)) == tuple(sorted(kinds)), panel


def test_a_measurement_within_the_words_of_another_observation_is_named(terminology: Terminology) -> None:
    for said, named in (("Sinus rhythm, QTc 520 ms", True), ("Sinus rhythm", False), ("QTc not prolonged", False)):
        found = observed([observation("8601-7", valueString=said)], terminology)
        assert all(m.value is None for m in found.measurements)
        assert [gap.found for gap in found.unread] == [said] * named


def test_a_day_that_has_begun_elsewhere_is_today_and_a_later_one_is_named(terminology: Terminology) -> None:
    value = {"valueQuantity": quantity(510, "ms")}
    for day, reasons in (("2026-11-21T01:30:00+13:00", []), ("2026-12-20", ["measurement-undated"])):
        found = observed([observation(QTC, **value, effectiveDateTime=day)], terminology, today=DAY)
        assert [gap.reason for gap in found.unread] == reasons
        assert [m.taken for m in found.measurements] == [DAY] * (not reasons)


def test_a_day_of_delivery_to_come_is_a_pregnancy(terminology: Terminology) -> None:
    named = {"coding": [{"system": LOINC, "code": "11778-8", "display": "Delivery date Estimated"}]}
    for due, pregnant in (("2027-03-01", True), ("2026-11-20", True), ("2025-03-01", False)):
        found = observed([observation("", code=named, valueDateTime=due)], terminology, today=DAY)
        assert [m.sets for m in found.measurements] == [{"pregnancy"}] * pregnant
        assert not found.unread


def test_a_gestational_age_is_read_in_days_or_named(terminology: Terminology) -> None:
    coded: list[dict[str, Any]] = [{"coding": [{"system": LOINC, "code": code}]} for code in ("18185-9", "11884-4")]
    given: list[tuple[dict[str, Any], int]] = [
        ({"valueQuantity": quantity(12, "wk")}, 84),
        ({"valueQuantity": quantity(182, "d")}, 182),
        ({"valueQuantity": {"value": 20, "unit": "SSW"}}, 140),
        ({"valueString": "12+3"}, 87),
    ]
    named: list[dict[str, Any]] = [{"valueInteger": 20}, {"valueString": "zwölfte Woche"}, {}]
    for named_by in (*coded, {"text": "Schwangerschaftswoche"}, {"text": "Edad gestacional"}):
        for value, days in given:
            found = observed([observation("", code=named_by, **value)], terminology, today=DAY)
            assert [(m.kind, m.value, m.unit) for m in found.measurements] == [("gestational-age", Fraction(days), "d")]
            assert not found.unread
        for value in (*named, {"valueQuantity": quantity(3, "mo")}):
            found = observed([observation("", code=named_by, **value)], terminology, today=DAY)
            assert [gap.element for gap in found.unread] == ["gestational age"], value
    for other in ({"text": "Gestational age at birth"}, {"text": "Gestationsalter bei Geburt"}):
        found = observed([observation("", code=other, valueQuantity=quantity(32, "wk"))], terminology, today=DAY)
        assert (found.measurements, found.unread) == ((), ())


def test_a_value_of_hcg_that_is_no_answer_is_named(terminology: Terminology) -> None:
    given = observation("", code={"text": "beta-HCG"}, valueQuantity={"value": 12000, "unit": "IU/L"})
    assert [gap.reason for gap in observed([given], terminology, today=DAY).unread] == ["measurement-unit"]


def test_a_pain_score_is_read_as_records_write_it(terminology: Terminology) -> None:
    for said in ("7/10", "7", "NRS 7/10", "NRS: 7", "7 von 10", "7 out of 10"):
        (found,) = read(terminology, in_words("Schmerz (NRS)", valueString=said))
        assert (found.kind, found.value, found.unit) == ("pain-nrs-0-10", Fraction(7), "{score}"), said
    coded = {"coding": [{"system": LOINC, "code": "LA6115-5", "display": "7"}]}
    (found,) = read(terminology, observation(PAIN, valueCodeableConcept=coded))
    assert found.value == 7


def test_a_body_weight_is_told_by_its_words_and_that_of_another_thing_is_none(terminology: Terminology) -> None:
    given = quantity(60, "kg")
    for name in ("Körpergewicht", "Weight", "Body weight (measured)", "Poids", "масса тела"):
        (found,) = read(terminology, in_words(name, valueQuantity=given))
        assert (found.kind, found.value) == ("body-weight", Fraction(60)), name
    for name in ("Geburtsgewicht", "Birth weight", "Ideal body weight", "Estimated fetal weight", "Weight loss", "BMI"):
        assert read(terminology, in_words(name, valueQuantity=given)) == [], name


def test_a_value_that_nobody_has_is_named_and_not_used(terminology: Terminology) -> None:
    for value, odd in ((5200, True), (52, True), (520, False), (200, False)):
        found = observed([observation(QTC, valueQuantity=quantity(value, "ms"))], terminology)
        assert [gap.reason for gap in found.unread] == ["measurement-implausible"] * odd, value
        assert len(found.measurements) == (not odd), value


def test_an_answer_that_is_only_suspected_is_named(terminology: Terminology) -> None:
    for said in ("possible pregnancy", "Schwangerschaft möglich"):
        (gap,) = observed([observation(PREGNANCY, valueString=said)], terminology).unread
        assert (gap.reason, gap.found) == ("measurement-in-words", said)
