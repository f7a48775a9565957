"""What is kept of a code system's address for the next code: nothing long."""

from service.fhir.concepts import status_codes
from service.terminology.codes import CodeSystem, Systems

LONG = "https://ehr.example.org/" + "x" * 5000


def test_a_long_address_is_not_kept_in_memory() -> None:
    asked: list[str] = []

    class Noting(Systems):
        def _of(self, sent: str) -> CodeSystem | None:
            asked.append(sent)
            return super()._of(sent)

    systems = Noting([])
    for address in ("https://ehr.example.org", LONG) * 2:
        assert systems.of(address) is None
    assert asked == ["https://ehr.example.org", LONG, LONG]


def test_a_status_whose_code_has_a_long_address_is_not_kept() -> None:
    def read(system: str) -> frozenset[str]:
        return status_codes({"coding": [{"system": system, "code": "active"}]})

    assert read("x") is read("x")
    assert read(LONG) == read("x")
    assert read(LONG) is not read(LONG)
