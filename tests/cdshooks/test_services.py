"""Discovery publishes one service a hook, with prefetch templates that every client can fill (C-013 to C-032)."""

import re
from collections import Counter
from urllib.parse import parse_qsl

import msgspec
import pytest

from service.cdshooks.messages import CONTEXTS
from service.cdshooks.services import SPECIFICATION, USAGE, Service, prefetch_templates, services
from service.engine.library import Library
from service.fhir.gaps import CONDITIONS, MEDICATIONS, OBSERVATIONS, PATIENT, STATEMENTS

CONTEXT_TOKENS = {
    "patient-view": {"userId", "patientId", "encounterId"},
    "order-select": {"userId", "patientId", "encounterId"},
    "order-sign": {"userId", "patientId", "encounterId"},
    "medication-prescribe": {"userId", "patientId", "encounterId"},
    "medication-refill": {"userId", "patientId", "encounterId"},
}
"""Fields that the hook library marks "Prefetch Token: Yes" (C-030)."""
USER_TOKENS = {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
TOKEN = re.compile(r"\{\{(.*?)\}\}")
SEARCH_PARAMETERS = {"patient", "code", "_count", "_sort"}


@pytest.fixture(scope="session")
def published(library: Library) -> tuple[Service, ...]:
    return services(library.plan.services, library.terminology.loinc)


@pytest.fixture(scope="session")
def templates(library: Library) -> dict[str, str]:
    return prefetch_templates(library.terminology.loinc)


def test_there_is_one_service_for_every_hook_each_with_an_id_of_its_own(published: tuple[Service, ...]) -> None:
    assert {service.hook for service in published} == set(CONTEXTS)
    assert Counter(service.id for service in published).most_common(1)[0][1] == 1
    assert len(published) == len(CONTEXTS)


def test_every_entry_has_the_members_of_the_specification_and_none_is_empty(published: tuple[Service, ...]) -> None:
    for service in published:
        entry = msgspec.to_builtins(service)
        assert entry.keys() == {"hook", "id", "title", "description", "usageRequirements", "version", "prefetch"}
        assert all(entry.values())
        assert re.fullmatch(r"\d+\.\d+\.\d+", SPECIFICATION)
        assert entry["version"] == SPECIFICATION
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", service.id)


def test_the_required_key_is_named_and_the_content_is_said_not_to_be_reviewed(published: tuple[Service, ...]) -> None:
    assert "prefetch.patient" in USAGE
    assert "not clinically reviewed" in USAGE
    assert all(service.usageRequirements == USAGE for service in published)


def test_titles_and_descriptions_tell_the_services_apart(published: tuple[Service, ...]) -> None:
    assert len({service.title for service in published}) == len(published)
    assert len({service.description for service in published}) == len(published)


def test_every_key_that_is_read_is_asked_for(templates: dict[str, str]) -> None:
    assert {PATIENT, MEDICATIONS, STATEMENTS, CONDITIONS, OBSERVATIONS} <= templates.keys()
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", key) for key in templates)


def test_tokens_are_delimited_by_double_braces_and_nothing_else(templates: dict[str, str]) -> None:
    for template in templates.values():
        assert TOKEN.search(template)
        assert not set("{}<>$%") & set(TOKEN.sub("", template))


def test_tokens_name_root_fields_of_every_context_that_uses_them(published: tuple[Service, ...]) -> None:
    for service in published:
        for template in service.prefetch.values():
            for token in TOKEN.findall(template):
                field = token.removeprefix("context.")
                assert token in USER_TOKENS or (token == f"context.{field}" and field in CONTEXT_TOKENS[service.hook])


def test_tokens_are_required_fields_so_that_they_always_resolve(published: tuple[Service, ...]) -> None:
    tokens = {token for service in published for t in service.prefetch.values() for token in TOKEN.findall(t)}
    assert tokens == {"context.patientId"}


def test_templates_are_relative_reads_or_searches(templates: dict[str, str]) -> None:
    assert templates[PATIENT] == "Patient/{{context.patientId}}"
    for key, template in templates.items():
        assert re.match(r"[A-Z][A-Za-z]+(/|\?)", template)
        assert not re.search(r"//|\s|\$|_history", template.replace("http://", "")), key


def test_searches_keep_to_the_restricted_queries_without_modifiers_or_prefixes(templates: dict[str, str]) -> None:
    searches = [template for template in templates.values() if "?" in template]
    assert len(searches) == len(templates) - 1
    for template in searches:
        _, _, query = template.partition("?")
        parameters = dict(parse_qsl(query, strict_parsing=True))
        assert parameters.keys() <= SEARCH_PARAMETERS
        assert parameters["patient"] == "{{context.patientId}}"


def test_medications_are_asked_for_whatever_their_status(templates: dict[str, str]) -> None:
    assert templates[MEDICATIONS] == "MedicationRequest?patient={{context.patientId}}"
    assert templates[STATEMENTS] == "MedicationStatement?patient={{context.patientId}}"


def test_observations_are_asked_for_by_every_loinc_code_of_the_terminology(
    templates: dict[str, str], library: Library
) -> None:
    _, _, query = templates[OBSERVATIONS].partition("?")
    codes = dict(parse_qsl(query, strict_parsing=True))["code"].split(",")
    assert codes == [f"http://loinc.org|{code}" for code in library.terminology.loinc]
    assert len(set(codes)) == len(codes) > 1
    assert "http://loinc.org|29463-7" in codes


def check_digit(number: str) -> int:
    """LOINC's check digit: modulus 10 over the digits, every second one from the right doubled (Luhn)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits)]
    return -sum(doubled) % 10


def test_the_check_digit_of_every_loinc_code_is_right(library: Library) -> None:
    assert check_digit("79714") == 2  # 79714-6, a common misprint, is no LOINC code
    for code in library.terminology.loinc:
        number, _, digit = code.partition("-")
        assert check_digit(number) == int(digit), code
