"""Small changes of JSON that the translations share."""

from typing import Any

Json = dict[str, Any]


def unchanged(resource: Json) -> Json:
    """The resource as it is: its type is the same in both versions."""
    return resource


def renamed(resource: Json, names: dict[str, str]) -> Json:
    """The resource with members under new names, in their old places."""
    return {names.get(name, name): value for name, value in resource.items()}


def without(resource: Json, *names: str) -> Json:
    """The resource without some members."""
    return {name: value for name, value in resource.items() if name not in names}


def code_of(concept: Any) -> Any:
    """The code that stood alone before FHIR wrapped it in a CodeableConcept."""
    return concept["coding"][0]["code"] if isinstance(concept, dict) else concept


def first(value: Any) -> Any:
    """The only one of a list, where another version has one value."""
    if isinstance(value, list):
        assert len(value) == 1, "several cannot be said in one"
        return value[0]
    return value


def listed(value: Any) -> list[Any]:
    """The value as a list: fixtures hold one object in a list's place on purpose."""
    return value if isinstance(value, list) else [value]


def with_bare_dose(dosage: Json, dose: str = "dose") -> Json:
    """A dosage as it was before R4: the dose beside the timing, under the name that it has there."""
    found = dict(without(dosage, "doseAndRate"))
    for given in listed(dosage.get("doseAndRate", []))[:1]:
        found |= {name.replace("dose", dose, 1): value for name, value in given.items() if name != "type"}
    return found
