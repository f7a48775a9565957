"""The folder is loaded whole or not at all: every fault is told with file, line and reason."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from service.dosing.filtration import NUMBERS
from service.engine.library import Library
from service.engine.loading import FOLDER, load
from service.files import FaultyLibrary, Seen, schema
from service.trust.clients import Jurisdiction
from tests.engine.folder import changed, copied

PAIR = "pair/tolperisone-with-amitriptyline.md"
START = "amitriptyline/amitriptyline-start-dose.md"
CONDITIONS = "safety/amitriptyline-and-other-conditions.md"
FAILED = "unchecked/rule-failed.md"
OFFERS = "orders/offers.yaml"
DRUG = "terminology/drugs/zopiclone.json"
UNITS, MEASURED = "terminology/units.yaml", "terminology/measurement-units.yaml"
MASS_A_STONE = "name: mg/kg\n    kind: mass a stone"
NO_SIZE = "    kind: mass a kilogram\n"
PROVENANCE = 'checked-against",\n            "valueString": "WHO'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return copied(tmp_path, whole=True)


def faults(folder: Path) -> list[str]:
    with pytest.raises(FaultyLibrary) as caught:
        load(folder)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return [str(fault) for fault in caught.value.faults]


Case = tuple[str, str, str, str]
"""A file, what is replaced in it and by what, and the reason that is then told."""


def together(cases: Mapping[str, Case]) -> list[list[Case]]:
    """The cases in groups that break different files, to be found at once; those of the plainest card break copies."""
    groups: list[list[Case]] = []
    for number, (file, old, new, reason) in enumerate(cases.values()):
        copy = [text.replace("rule-failed", f"fault-{number}") if file == FAILED else text for text in (file, old, new)]
        case = (copy[0], copy[1], copy[2], reason)
        free = (group for group in groups if case[0] not in [other for other, *_ in group])
        if (group := next(free, None)) is not None:
            group.append(case)
        else:
            groups.append([case])
    return groups


def broken(folder: Path, group: list[Case]) -> list[int]:
    """Breaks the folder in all these ways, and says in which lines."""
    for file in [file for file, *_ in group if "/fault-" in file]:
        plain = (folder / FAILED).read_text(encoding="utf-8")
        (folder / file).write_text(plain.replace("id: rule-failed", f"id: {Path(file).stem}"), encoding="utf-8")
        changed(folder, "guideline.yaml", "\nranking:\n", f"\nranking:\n  - {Path(file).stem}\n")
    return [changed(folder, file, old, new) for file, old, new, _ in group]


AT_A_LINE = {
    "unknown section": (FAILED, "## detail", "## epilogue\n\n## detail", "section '## epilogue': not known"),
    "section of another case": (FAILED, "## detail", "## Summary\nAll fine.\n\n## detail", "'## Summary': not known"),
    "section that stands twice": (FAILED, "## line\n", "## detail\nAll fine.\n\n## line\n", "'## detail' stands twice"),
    "words in no section": (FAILED, "---\n## summary", "---\nAll fine.\n## summary", "before the first section"),
    **{
        what: (FAILED, "\nrule: R28", f"\nreasons: {{{rows}}}\nrule: R28", reason)
        for what, rows, reason in (
            (
                "conditions without urgency",
                "a: {short: x, conditions: [falls]}",
                "'conditions' needs 'urgency' beside it",
            ),
            ("row with HTML", "a: {short: <b>x</b>, urgency: info}", "a: HTML, which a client shows as it is"),
            ("row without words", "a: {short: x, urgency: info}, b: {urgency: info}", "b: no 'short', as other"),
            ("row without long words", "a: {short: x, long: x}, b: {short: x}", "b: no 'long', as other rows"),
            ("row without urgency", "a: {short: x, urgency: info}, b: {short: x}", "b: no 'urgency', as other"),
            ("place without law", 'a: {short: x, urgency: {usa: info, "": info}}', "'usa' is not one of"),
            (
                "place without a warning",
                "a: {short: x, conditions: [falls], urgency: info, warning_in: {usa: [falls]}}",
                "'usa' is not one of",
            ),
        )
    },
    "front matter not opened": (FAILED, "---\nid: rule-failed", "id: rule-failed", "front matter missing"),
    "bad YAML in a card": (FAILED, "rule: R28", "rule: [R28", "not valid YAML"),
    "id that is not the file's name": (FAILED, "id: rule-failed", "id: rule-broken", "id: must be the file's name"),
    "verdict that does not exist": (FAILED, "verdict: not in the article", "verdict: true", "verdict: True is not one"),
    "key that stands twice": (FAILED, "rule: R28\n", "rule: R28\nrule: R29\n", "not valid YAML: 'rule' stands twice"),
    "rule that is none": (FAILED, "rule: R28", "rule: R1000", "rule: 'R1000' does not match"),
    "threshold without a known unit": (
        START,
        "label_start: 25 mg",
        "label_start: 25 pounds",
        "thresholds.label_start: '25 pounds' does not match: A number, with a unit",
    ),
    "span of nothing": (START, "look_back: 90 d", "look_back: 0 d", "look_back: '0 d' does not match"),
    "urgency that does not exist": (
        CONDITIONS,
        'contraindicates it."\n    urgency: warning',
        'contraindicates it."\n    urgency: alarming',
        "urgency: 'alarming' is not one of",
    ),
    "card without any source": (FAILED, "sources: [service]", "sources: []", "sources: [] "),
    "source that is no name": (FAILED, "sources: [service]", "sources:\n  - 5", "sources.0: 5 is not"),
    "review without a day": (FAILED, "on: 2026-11-23", "on: someday", "review.on: 'someday' is not a 'date'"),
    "bad YAML in the words of directions": ("directions/fr.yaml", "times: fois", "times: [fois", "not valid YAML"),
    "section of directions that is not known": ("directions/fr.yaml", "times: fois", "time: fois", "('time' was"),
    "phrase of directions that is empty": ("directions/fr.yaml", "times: fois", "times: fois,, x", "times: 'fois,, x'"),
    "direction that is a list": ("directions/fr.yaml", "times: fois", "times: [fois]", "times: ['fois'] is not of"),
    "period of directions that is no unit": ("directions/fr.yaml", "  wk: par", "  week: par", "a period: 'week' is"),
    "rhythm of directions that is none": (
        "directions/fr.yaml",
        "1/2/d: un jour",
        "2 d: un jour",
        "rhythms: '2 d' does",
    ),
    "kind of unit that is none": (UNITS, "name: mg/kg\n    kind: mass a kilogram", MASS_A_STONE, "units.5.kind: 'mass"),
    "mass without a size": (
        UNITS,
        "    kind: mass a kilogram\n    size: 1\n",
        NO_SIZE,
        "units.5: 'size' is a required",
    ),
    "unit of a measured value that no rule compares": (MEASURED, "{as: meq/L", "{as: eq/L", ".as: 'eq/L' is not one"),
    "size of such a unit that is no number": (MEASURED, "1/10,", "tenth,", ".is: 'tenth' does not match"),
    "code of a list that is not known": (UNITS, "system: kbv, code", "system: gs1, code", "'gs1' is not one of"),
    "word of a measured unit that stands in two rows": (MEASURED, 'written: "ms, ', 'written: "KG, ', "'kg' also"),
    "word of a unit that stands in two rows": (UNITS, "words: g, gram, ", "words: g, MG., ", "'mg' also stands in"),
    "link that is not https": (
        "sources.yaml",
        "url: https://www.ema.europa.eu/en/medicines/human/referrals/tolp",
        "url: http://x.eu/",
        "T-EMA.url: ",
    ),
}


@pytest.mark.parametrize("group", together(AT_A_LINE))
def test_a_fault_is_told_with_its_file_line_and_reason(folder: Path, group: list[Case]) -> None:
    lines = broken(folder, group)
    found = faults(folder)
    assert len(found) == len(group)
    for (file, *_, reason), line in zip(group, lines, strict=True):
        (fault,) = [fault for fault in found if fault.startswith(f"{file}:")]
        place = re.match(r"[^:]+:(\d+): ", fault)
        assert place is not None, fault
        assert abs(int(place[1]) - line) <= 1, "YAML is found to be broken where it cannot go on"
        assert reason in fault


def test_sources_that_are_no_yaml_are_told_with_their_line(folder: Path) -> None:
    line = changed(folder, "sources.yaml", "T-EMA:", "T-EMA")
    (fault,) = faults(folder)
    assert fault.startswith((f"sources.yaml:{line}: not valid YAML", f"sources.yaml:{line + 1}: not valid YAML"))


@pytest.mark.parametrize("file", ["phrases.yaml", "override-reasons.yaml"])
def test_words_that_every_card_needs_are_told_when_they_are_missing(folder: Path, file: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    for key in re.findall(r"^(\w+): \S", text, re.MULTILINE):
        (folder / file).write_text(re.sub(rf"^{key}:.*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
        (fault,) = faults(folder)
        assert re.fullmatch(rf"{file}:\d+: document: '{key}' is a required property", fault)


def test_two_cards_of_one_id_are_told_with_both_their_files(folder: Path) -> None:
    shutil.copy(folder / PAIR, folder / "safety")
    (fault,) = faults(folder)
    assert re.fullmatch(rf"safety/{Path(PAIR).name}:\d+: id: {PAIR} has the same one", fault)


CUES, ALLERGENS, SYSTEMS = (f"terminology/{name}.yaml" for name in ("words/cues", "words/allergens", "systems"))
OBSERVED, NAMELESS = (f"terminology/words/{name}.yaml" for name in ("observations", "nameless"))
WORDS = {
    "pattern that is none": (CUES, "swallowed: soft", "swallowed: (soft", "is not a 'regex'"),
    "pattern that is missing": (ALLERGENS, "\ntolerated:", "\ntolerate:", "'tolerated' is a required property"),
    "code system without its address": (SYSTEMS, "  uri: http://loinc.org", "  url: http://loinc.org", "'uri' is a"),
    "words for no set": (OBSERVED, "potassium:\n", "potasium:\n", "'potasium' is not in terminology/observations"),
    "words in no language": (NAMELESS, "\nen:", "\nenn:", "'enn' does not match: A language in two letters"),
    "words in brackets": ("terminology/words/conditions.yaml", "  en: spasticity", "  en: [spasticity", "YAML"),
}


def test_what_is_wrong_with_words_and_code_systems_is_told_with_its_file_line_and_reason(folder: Path) -> None:
    lines = broken(folder, list(WORDS.values()))
    found = faults(folder)
    for (file, *_, reason), line in zip(WORDS.values(), lines, strict=True):
        (fault,) = (fault for fault in found if fault.startswith(f"{file}:") and reason in fault)
        assert file == ALLERGENS or abs(int(fault.split(":")[1]) - line) <= 1, fault


def test_every_id_that_words_name_is_one_of_the_terminology(folder: Path) -> None:
    conditions = "terminology/words/conditions.yaml"
    changed(folder, conditions, "\nbrugada-syndrome:\n", "\nbrugada-syndrom:\n")
    changed(
        folder,
        conditions,
        "\nacute-angle-closure:\n  part of: angle-closure-glaucoma",
        "\nacute-angle-closure:\n  part of: nothing",
    )
    changed(folder, ALLERGENS, "\ncrossing: [tca]", "\ncrossing: [tcas]")
    changed(folder, ALLERGENS, "\nwithin: {tca: antidepressant}", "\nwithin: {tca: antidepresant}")
    changed(folder, ALLERGENS, "code: N06AA, class: tca}", "code: N06AA, class: tcs}")
    changed(folder, ALLERGENS, "\n  lidocaine:\n", "\n  lidocain:\n")
    found = {fault.partition(": ")[2] for fault in faults(folder)}
    assert found >= {f"'{id_}' is not in terminology/conditions" for id_ in ("brugada-syndrom", "nothing")}
    assert found >= {
        f"'{id_}' is not in terminology/classes or drugs" for id_ in ("tcas", "antidepresant", "tcs", "lidocain")
    }


BETWEEN_FILES = {
    "unknown source": (FAILED, "sources: [service]", "sources: [service, X]", "sources: 'X' is not in sources.yaml"),
    "link outside the card's sources": (FAILED, "\nrule: R28", "\nlinks: [C-FM]\nrule: R28", "not among the card's"),
    "says what it does not cite": (FAILED, "says: service", "says: T-EMA", "says: 'T-EMA' is not among the card's"),
    "unknown topic": (FAILED, "topic: data-quality", "topic: weather", "topic: 'weather' is not in"),
    "bounds of nothing": (FAILED, "\nrule: R28", "\nbounds: {x: [1, 2]}\nrule: R28", "bounds: 'x' is no threshold"),
    "number outside its bounds": (
        FAILED,
        "\nrule: R28",
        "\nthresholds: {x: 3}\nbounds: {x: [1, 2]}\nrule: R28",
        "bounds: 'x' is 3, outside its bounds 1 to 2",
    ),
    "bounds in another unit": (
        FAILED,
        "\nrule: R28",
        "\nthresholds: {x: 2 mg}\nbounds: {x: [1 d, 3 d]}\nrule: R28",
        "bounds: 'x' is 2 mg, outside its bounds 1 d to 3 d",
    ),
    "unknown card in the ranking": (
        "guideline.yaml",
        "\nranking:\n",
        "\nranking:\n  - nobody\n",
        "there is no card 'nobody'",
    ),
    "unknown card of a state in the ranking": (
        "guideline.yaml",
        "\nranking:\n",
        "\nranking:\n  - nobody/anywhere\n",
        "there is no card 'nobody'",
    ),
    "card without a rank": (
        "guideline.yaml",
        "\n  - pain-score\n  - tolperisone-food",
        "\n  - tolperisone-food",
        "'pain-score' is",
    ),
    "link without an address": (PAIR, "links: [NBK425165", "links: [T-RX", "links: source 'T-RX' has no url"),
    "unknown override reason": (FAILED, "[risk-benefit-ratio", "[why-not", "override_reasons: 'why-not' is not in"),
    "a drug offered without a source": (
        OFFERS,
        "  sources: [G-LAB]\n",
        "",
        "gabapentin-start-normal: an order for a drug needs",
    ),
    "an offer without a template": (
        OFFERS,
        "\namitriptyline-rung-1:",
        "\namitriptyline-rung-1x:",
        "there is no template",
    ),
    "a drug offered from nowhere": (OFFERS, "sources: [G-LAB]", "sources: [X]", "'X' is not in sources.yaml"),
}
RUNG, START_DOSE = "orders/amitriptyline-rung-2.json", "orders/gabapentin-start-normal.json"
BEDTIME = "orders/amitriptyline-10-mg-at-bedtime.json"
OTHER_ORDERS = {
    "an order of another dose": (BEDTIME, '"value": 10', '"value": 30', "its words say another dose than its data"),
    "an order of another rung": (RUNG, '"value": 50', '"value": 75', "its words say another dose than its data"),
    "an order of another drug": (START_DOSE, "gabapentin 300 MG", "pregabalin 300 MG", "not those of one drug"),
    "a button for another drug": (OFFERS, 'gabapentin 100 mg once a day"', 'pregabalin 100 mg once a day"', "not that"),
    "a button for another dose": (
        OFFERS,
        'pregabalin 75 mg twice a day"',
        'pregabalin 150 mg twice a day"',
        "not that",
    ),
}
NO_ORDERS = {
    "an order that is given": (BEDTIME, '"status": "draft"', '"status": "active"', "status: 'draft' was expected"),
    "an order without a dose": (
        RUNG,
        '"dosageInstruction"',
        '"dosageInstructions"',
        "'dosageInstruction' is a required",
    ),
    "an order each week": (START_DOSE, '"periodUnit": "d"', '"periodUnit": "wk"', "periodUnit: 'd' was expected"),
}


def test_an_order_of_another_drug_or_dose_than_it_is_offered_for_is_named(folder: Path) -> None:
    """No suggestion raises a dose: what the template gives is what its words and its button say."""
    for cases in (NO_ORDERS, OTHER_ORDERS):
        before = {file: (folder / file).read_text(encoding="utf-8") for file, *_ in cases.values()}
        for file, old, new, _ in cases.values():
            text = (folder / file).read_text(encoding="utf-8")
            assert old in text
            (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        found = faults(folder)
        for file, _, _, reason in cases.values():
            assert any(reason in fault for fault in found if fault.startswith("orders/")), (file, found)
        for file, text in before.items():
            (folder / file).write_text(text, encoding="utf-8")


IN_ONE_FILE = {
    "summary without words": (FAILED, "## summary\n", "## summary\n\n## summary x\n", "'## summary': has no words"),
    "HTML on a card": (FAILED, "## line\n", "## line\n<b>Stop</b> ", "'## line': HTML"),
    "evidence that would be a template": (
        FAILED,
        "## line\n",
        "## evidence\n{{ 1/0 }}\n\n## line\n",
        "is no template",
    ),
    "row of blanks": (
        FAILED,
        "rule: R28",
        "rule: R28\nreasons: {a: {short: ' ', long: x}}",
        "reasons.a.short: ' ' does not",
    ),
    "button without words": (
        OFFERS,
        "  label: Order the review\n",
        "",
        "review-of-amitriptyline: 'label' is a required",
    ),
    "member that nobody knows": (FAILED, "rule: R28", "rule: R28\nrole: x", "Additional properties are not allowed"),
    "no detail": (FAILED, "## detail", "", "section '## detail' is missing"),
    "no summary": (FAILED, "## summary\n", "## line x\n", "section '## summary' is missing"),
    "suggestion without its action": (START, "## action", "", "'## suggestion' and '## action' go together"),
    "bad JSON in an order": ("orders/amitriptyline-10-mg-at-bedtime.json", '"status"', "status", "not valid JSON"),
    "unknown code system": (DRUG, "http://www.whocc.no/atc", "http://who.example", "http://who.example is not in"),
    "ValueSet under another name": (DRUG, '"id": "zopiclone"', '"id": "z"', "whose id is the file's name"),
    "codes without provenance": (DRUG, PROVENANCE, PROVENANCE.replace("checked", "seen"), "ATC without provenance"),
}


@pytest.mark.parametrize("group", [*together(BETWEEN_FILES), *together(IN_ONE_FILE)])
def test_a_fault_between_files_or_without_a_line_is_told_with_its_file_and_reason(
    folder: Path, group: list[Case]
) -> None:
    broken(folder, group)
    found = faults(folder)
    assert {fault.partition(":")[0] for fault in found} == {file for file, *_ in group}
    for file, *_, reason in group:
        assert any(reason in fault for fault in found if fault.startswith(f"{file}:")), (reason, found)


def test_a_subject_that_is_no_drug_of_the_terminology_is_told_with_its_line(folder: Path) -> None:
    line = changed(folder, "guideline.yaml", "subjects: [amitriptyline,", "subjects: [amitriptylin,")
    found = faults(folder)
    assert f"guideline.yaml:{line}: subjects: there is no drug 'amitriptylin' in terminology/drugs" in found
    assert all("amitriptylin" in fault for fault in found), "the limits of its doses"


def test_every_number_that_the_engine_itself_reads_is_needed(folder: Path) -> None:
    file = "unchecked/not-checked.md"
    text = (folder / file).read_text(encoding="utf-8")
    numbers = dict(re.findall(r"^  (weight_age|ckd_epi_\w+)(: .*\n)", text, re.MULTILINE))
    assert len(numbers) == 1 + len(NUMBERS)
    start = text[: text.index("thresholds:")].count("\n") + 2
    for name in ("weight_age", "ckd_epi_beta", "ckd_epi_scale"):
        (folder / file).write_text(text.replace(f"  {name}{numbers[name]}", ""), encoding="utf-8")
        (fault,) = faults(folder)
        assert fault.startswith(f"{file}:{start}: thresholds: '{name}' is missing")
    wrong = text.replace("weight_age: 90 d", "weight_age: 1 a").replace("tolperisone_least:", "tolperison_least:")
    (folder / file).write_text(wrong.replace("ckd_epi_adult: 18 a", "ckd_epi_adult: 18"), encoding="utf-8")
    assert {fault.partition(": ")[2] for fault in faults(folder)} == {
        "thresholds.weight_age: it is read in d",
        "thresholds: 'tolperisone_least' is missing, and amitriptyline_least needs it",
        "thresholds.tolperison_least: nothing reads it",
        "thresholds.ckd_epi_adult: it is read in a",
    }
    (folder / file).write_text(re.sub(r"  ckd_epi_\w+: .*\n", "", text), encoding="utf-8")
    assert load(folder).cards, "kidney function need not be computed"


def test_a_reason_or_a_list_of_what_was_not_checked_that_is_missing_is_told(folder: Path, library: Library) -> None:
    card, file = library.cards["not-checked"], "unchecked/not-checked.md"
    form = schema(FOLDER, "card.schema.json")["then"]["properties"]
    assert set(form["reasons"]["required"]) == set(card.reasons), "card.schema.json lists every reason"
    assert set(form["lists"]["required"]) == set(card.lists)
    changed(folder, file, "\n  fhir-busy:", "\n  fhir-bussy:")
    changed(folder, file, "\n  conditions: the problem list", "\n  condition: the problem list")
    assert {fault.partition(": ")[2] for fault in faults(folder)} == {
        "reasons: 'fhir-busy' is a required property",
        "lists: 'conditions' is a required property",
    }


def test_a_reason_for_which_nothing_is_offered_that_is_missing_is_told(folder: Path, library: Library) -> None:
    required = schema(FOLDER, "phrases.schema.json")["properties"]["withheld"]["required"]
    assert set(required) == set(library.withheld), "phrases.schema.json lists every reason"
    changed(folder, "phrases.yaml", "\n  not-oral:", "\n  not-orall:")
    changed(folder, "codesystems/card-topics.json", '"display": "Dose"', '"displai": "Dose"')
    assert {re.sub(":[0-9]+:", ":", fault) for fault in faults(folder)} == {
        "phrases.yaml: withheld: 'not-oral' is a required property",
        "codesystems/card-topics.json: concept.0: 'display' is a required property",
    }


def test_bad_json_in_terminology_is_told_with_its_line(folder: Path) -> None:
    line = changed(folder, DRUG, '"resourceType"', "resourceType")
    assert faults(folder)[0].startswith(f"{DRUG}:{line}: not valid JSON")


@pytest.mark.parametrize("needed", ["says: service\n", "topic: data-quality\n"])
def test_a_card_needs_who_says_it_and_what_it_is_about(folder: Path, needed: str) -> None:
    changed(folder, FAILED, needed, "")
    (fault,) = faults(folder)
    assert f"'{needed.partition(':')[0]}' is a required property" in fault


def test_every_fault_is_told_at_once(folder: Path) -> None:
    changed(folder, FAILED, "id: rule-failed", "id: a")
    changed(folder, START, "id: amitriptyline-start-dose", "id: b")
    changed(folder, DRUG, "http://www.whocc.no/atc", "http://who.example")
    assert [fault.split(":")[0] for fault in faults(folder)] == [START, DRUG, FAILED]


def test_a_copy_of_the_folder_has_the_same_version(whole: Path, library: Library) -> None:
    assert load(whole).version == library.version


CHANGES = {
    "a word": (FAILED, "is missing means nothing", "is missing means little"),
    "a number": (START, "label_start: 25 mg", "label_start: 30 mg"),
    "a code list": (DRUG, '"status": "draft"', '"status": "active"'),
    "a piece of text": ("lines/other-options-doses.md", " from the start in", " at once in"),
}


def test_any_change_of_what_is_said_or_decided_changes_the_version(folder: Path, library: Library) -> None:
    versions = [load(folder).version]
    for what, change in CHANGES.items():
        changed(folder, *change)
        versions.append(load(folder).version)
        assert len(set(versions)) == len(versions), what
    assert {version.partition("+")[0] for version in versions} == {library.version.partition("+")[0]}


def test_a_file_moved_or_left_over_is_no_part_of_the_version_unless_it_is_content(
    folder: Path,
) -> None:
    before = load(folder).version
    (folder / "notes.txt").write_text("scratch", encoding="utf-8")
    assert load(folder).version == before
    (folder / "lines" / "more-words.md").write_text("more", encoding="utf-8")
    assert load(folder).version != before


def test_numbers_keep_their_unit_and_their_exact_value(folder: Path) -> None:
    changed(folder, START, "label_start: 25 mg", "label_start: 2.1 mg")
    numbers = load(folder).thresholds
    assert str(numbers["amitriptyline-start-dose"]["label_start"]) == "2.1 mg"
    assert numbers["amitriptyline-start-dose"]["label_start"].value * 10 == 21
    assert str(numbers["tolperisone-daily-dose"]["doses"]) == "3"


def test_the_schemas_are_asked_about_new_content_only(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(_: object) -> None:
        raise AssertionError("the schemas are asked")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load()
    (kept,) = (tmp_path / "tolami").iterdir()
    monkeypatch.setattr("service.files.validator", asked)
    assert load().version == library.version
    kept.write_bytes(b"\xff of other content")
    with pytest.raises(AssertionError, match="the schemas are asked"):
        load()


def test_what_cannot_be_remembered_is_looked_at_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(in_the_way))
    seen = Seen(FOLDER, "content")
    seen.remember()
    assert not seen
    assert load().cards


def test_faulty_content_is_never_remembered(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.engine.loading.FOLDER", folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    changed(folder, FAILED, "sources: [service]", "sources: []")
    for _ in range(2):
        assert "sources: [] " in faults(folder)[0]


def test_yaml_holds_no_surprises(folder: Path) -> None:
    changed(folder, FAILED, "title: A check could not be carried out", "title: off")
    assert load(folder).cards["rule-failed"].title == "off"


def test_a_label_of_a_source_stands_for_one_address(library: Library) -> None:
    addresses: dict[str, set[str]] = {}
    for source in library.sources.values():
        addresses.setdefault(source.label, set()).add(source.url)
    assert [label for label, found in addresses.items() if len(found) > 1] == []


def test_the_schema_of_cards_knows_every_jurisdiction() -> None:
    row = schema(FOLDER, "card.schema.json")["properties"]["reasons"]["additionalProperties"]["properties"]
    known = list(get_args(Jurisdiction))
    assert row["warning_in"]["propertyNames"]["enum"] == known
    assert row["urgency"]["then"]["propertyNames"]["enum"] == ["", *known]
