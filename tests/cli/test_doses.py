"""``tolami dose`` shows how every order of a file is read, or says why there is nothing to read."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli.doses import OrderReading, readings
from service.cli.main import main
from service.cli.output import Refused
from service.engine.library import Library
from tests.conftest import FIXTURES, TODAY
from tests.dosing.dose_orders import (
    AMITRIPTYLINE,
    DAILY,
    Json,
    mg,
    order,
    per,
    quantity,
    strength,
    tablets,
    take,
    weight,
)

BEDTIME_25 = FIXTURES / "medications" / "amitriptyline-25-mg-at-bedtime.json"
WANTED = (
    "no orders. Expected a MedicationRequest, MedicationOrder or MedicationStatement, a Bundle of them, or a hook"
    " request."
)


def bundle(*resources: Json) -> Json:
    """A bundle of the resources."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that a test may fill."""
    return tmp_path / "orders.json"


def read(file: Path, value: Any, library: Library) -> list[OrderReading]:
    """The readings of a file with this JSON."""
    file.write_text(json.dumps(value), encoding="utf-8")
    return [reading for _, reading in readings(file, library, TODAY)]


def test_a_resource_is_read_with_drug_evidence_and_working(file: Path, library: Library) -> None:
    (reading,) = read(file, order(take(tablets(1), per(3, 1, "d"))), library)
    assert reading == OrderReading(
        reference="MedicationRequest/rx-1",
        status="active",
        label="amitriptyline hydrochloride 25 MG Oral Tablet",
        drug="amitriptyline",
        evidence="RxNorm 856834",
        dose="1 tablet × 25 mg (RxNorm 856834) × 3 a day = 75 mg/day",
        details=("largest single dose 25 mg", "most on a dosing day 75 mg"),
        computed=True,
    )


def test_why_there_is_no_dose_is_said_in_the_words_of_the_card(file: Path, library: Library) -> None:
    (reading,) = read(file, order(take(quantity(25), DAILY)), library)
    assert not reading.computed
    assert reading.details == ()
    assert reading.dose == "Dose of amitriptyline 25 mg: without a unit; mg is not assumed. Write the unit."


def test_the_steps_of_a_titration_are_shown_one_by_one(file: Path, library: Library) -> None:
    week = {"boundsDuration": {"value": 1, "unit": "week", "code": "wk"}}
    steps = order(take(mg(10), {**DAILY, **week}, sequence=1), take(mg(25), DAILY, sequence=2))
    (reading,) = read(file, steps, library)
    assert reading.dose == "10 mg/day for 7 days, then 25 mg/day"
    assert reading.details[2:] == ("step 1: 10 mg × 1 a day = 10 mg/day", "step 2: 25 mg × 1 a day = 25 mg/day")


def test_what_was_added_up_on_an_assumption_says_so(file: Path, library: Library) -> None:
    (reading,) = read(file, order(take(mg(10), DAILY), take(mg(25), DAILY)), library)
    assert reading.dose.endswith("; together 35 mg/day; if they follow each other: 10 mg/day, then 25 mg/day")
    assert reading.details[-1].startswith("added up: the order does not say")


def test_a_bundle_is_read_order_by_order_with_its_medications_and_weights(file: Path, library: Library) -> None:
    medication = {
        "resourceType": "Medication",
        "id": "med-1",
        "ingredient": [{"itemCodeableConcept": AMITRIPTYLINE, "strength": strength(mg(50))}],
    }
    pointing = {**order(take(tablets(1), DAILY)), "medicationReference": {"reference": "Medication/med-1"}}
    del pointing["medicationCodeableConcept"]
    weighed = order(take(quantity(0.5, "mg/kg", "mg/kg"), DAILY), drug=AMITRIPTYLINE)
    found = read(file, bundle(medication, pointing, weight(80, "2026-11-01"), weighed), library)
    assert [reading.dose for reading in found] == [
        "1 tablet × 50 mg (Medication) × 1 a day = 50 mg/day",
        "0.5 mg/kg × 80 kg × 1 a day = 40 mg/day",
    ]


def test_a_weight_counts_for_as_many_days_as_the_card_says(file: Path, library: Library) -> None:
    assert library.cards["not-checked"].thresholds["weight_age"].value == Fraction(90)
    weighed = order(take(quantity(0.5, "mg/kg", "mg/kg"), DAILY))
    old, recent = weight(80, "2026-08-24"), weight(80, "2026-08-25")
    assert not read(file, bundle(old, weighed), library)[0].computed
    assert read(file, bundle(recent, weighed), library)[0].computed


def test_orders_of_context_and_prefetch_of_a_hook_request_are_read(file: Path, library: Library) -> None:
    draft = {**order(take(mg(25), DAILY)), "id": "draft", "status": "draft"}
    statement = {
        "resourceType": "MedicationStatement",
        "id": "taken",
        "status": "active",
        "medicationCodeableConcept": {"text": "Mydocalm 150 mg"},
        "dosage": [take(tablets(1), per(3, 1, "d"))],
    }
    request = {
        "hook": "order-sign",
        "context": {"userId": "Practitioner/1", "draftOrders": bundle(draft)},
        "prefetch": {"patient": {"resourceType": "Patient"}, "statements": bundle(statement), "none": None},
    }
    found = read(file, request, library)
    assert [(one.reference, one.drug, one.evidence) for one in found] == [
        ("MedicationRequest/draft", "amitriptyline", "RxNorm 856834"),
        ("MedicationStatement/taken", "tolperisone", "text"),
    ]
    assert found[1].dose == "1 tablet × 150 mg (label text) × 3 a day = 450 mg/day"


def test_dstu2_orders_and_medication_prescribe_requests_are_read(library: Library) -> None:
    path = FIXTURES / "requests" / "medication-prescribe" / "amitriptyline-50-mg-dstu2.json"
    found = [reading for _, reading in readings(path, library, TODAY)]
    assert any(one.reference.startswith("MedicationOrder/") and one.computed for one in found)


@pytest.mark.parametrize(
    ("drug", "shown", "evidence"),
    [
        ({"text": "amoxicillin 500 mg"}, "", ""),
        ({}, "", "no-drug"),
        ({"coding": [{"code": "7", "system": "urn:example:list"}]}, "", "code-system-unknown"),
        (
            {"coding": [{"system": "http://www.whocc.no/atc", "code": "M02AX06"}]},
            "tolperisone (for the skin)",
            "ATC M02AX06",
        ),
        (
            {
                "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "704"}],
                "text": "nortriptyline",
            },
            "amitriptyline",
            "codes and words disagree",
        ),
    ],
)
def test_a_drug_that_is_not_one_of_the_two_is_said_to_be_so(
    drug: Json, shown: str, evidence: str, file: Path, library: Library
) -> None:
    (reading,) = read(file, order(take(mg(25), DAILY), drug=drug), library)
    assert (reading.drug, reading.evidence) == (shown, evidence)


def test_an_order_without_an_id_goes_by_its_type_and_without_a_name_by_that(file: Path, library: Library) -> None:
    (reading,) = read(file, {"resourceType": "MedicationRequest"}, library)
    assert (reading.reference, reading.label, reading.status) == ("MedicationRequest", "no drug named", "")
    assert not reading.computed


@pytest.mark.parametrize(
    "value",
    [
        [], "text", 7, None, {}, {"resourceType": "Patient"}, bundle(), bundle({"resourceType": "Medication"}),
        {"hook": "order-sign", "context": {"patientId": "1"}}, {"context": [], "prefetch": "none"},
        {"resourceType": 7},
    ],
)  # fmt: skip
def test_json_without_orders_says_what_was_wanted(value: Any, file: Path, library: Library) -> None:
    with pytest.raises(Refused) as stopped:
        read(file, value, library)
    assert str(stopped.value) == (f"{file}: not JSON" if value is None else f"{file}: {WANTED}")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_json_says_so(content: bytes, file: Path, library: Library) -> None:
    file.write_bytes(content)
    with pytest.raises(Refused, match=f"^{file}: not JSON$"):
        list(readings(file, library, TODAY))


def test_a_file_that_is_not_there_or_a_folder_says_so(tmp_path: Path, library: Library) -> None:
    with pytest.raises(Refused, match="No such file or directory"):
        list(readings(tmp_path / "none.json", library, TODAY))
    with pytest.raises(Refused, match="Is a directory"):
        list(readings(tmp_path, library, TODAY))


def run(*arguments: Any) -> Result:
    """The command on a wide terminal."""
    return CliRunner().invoke(main, ["dose", *map(str, arguments)], env={"COLUMNS": "200"})


def test_the_command_shows_label_drug_dose_and_details() -> None:
    result = run(BEDTIME_25)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].endswith("MedicationRequest/amitriptyline-25, draft")
    assert lines[1].startswith("  drug  amitriptyline (RxNorm 856834)")
    assert lines[2].startswith("  dose  ")
    assert "= 25 mg/day" in lines[2]
    assert lines[3].strip() == "largest single dose 25 mg"


def test_the_command_reads_several_files_and_stops_at_one_without_orders(file: Path) -> None:
    file.write_text("{}", encoding="utf-8")
    result = run(BEDTIME_25, file)
    assert result.exit_code == 2
    assert "25 mg/day" in result.output
    assert f"{file}: {WANTED}" in result.output


def test_the_command_reads_for_the_day_it_is_given(file: Path) -> None:
    weighed = order(take(quantity(0.5, "mg/kg", "mg/kg"), DAILY))
    file.write_text(json.dumps(bundle(weight(80, "2026-08-25"), weighed)), encoding="utf-8")
    assert "= 40 mg/day" in run(file, "--today", "2026-11-23").output
    assert "no weight of the last 90 days is known" in run(file, "--today", "2026-11-24").output


def test_the_command_wants_a_file() -> None:
    assert run().exit_code == 2


def test_standard_input_is_read_and_told_as_json() -> None:
    sent = json.dumps(bundle(order(take(mg(25), DAILY)), order(take(tablets(1)))))
    result = CliRunner().invoke(main, ["dose", "-", "--format", "json", "--today", "2026-11-28"], input=sent)
    computed, refused = json.loads(result.output)
    assert (computed["file"], computed["computed"], computed["dose"]) == (
        "standard input",
        True,
        "25 mg × 1 a day = 25 mg/day",
    )
    assert computed["details"] == ["largest single dose 25 mg", "most on a dosing day 25 mg"]
    assert refused["computed"] is False
    assert "Dose of " in refused["dose"]


def test_standard_input_that_is_no_json_is_refused() -> None:
    result = CliRunner().invoke(main, ["dose", "-"], input="25 mg")
    assert result.exit_code == 2
    assert result.output == "standard input: not JSON\n"


def test_one_of_several_orders_on_a_line_each_is_named_by_its_line(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(order(take(mg(dose), DAILY))) for dose in (25, 50))
    given = tmp_path / "orders.ndjson"
    given.write_text(lines, encoding="utf-8")
    for result, name in (
        (CliRunner().invoke(main, ["dose", "-", "--format", "json"], input=lines), "standard input"),
        (CliRunner().invoke(main, ["dose", str(given), "--format", "json"]), str(given)),
    ):
        assert [one["file"] for one in json.loads(result.output)] == [f"{name}:1", f"{name}:2"]
    result = CliRunner().invoke(main, ["dose", "-"], input=f"{lines}\n{{")
    assert (result.exit_code, "standard input:3: not JSON" in result.output) == (2, True)
