"""A served process for the whole checklist, and the answers to every fixture."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.conformance.calls import Called, Json
from tests.conftest import FIXTURES
from tests.serving import Served, serving, session


@dataclass(frozen=True)
class Answered:
    """A fixture as it was sent, and the answer."""

    name: str
    sent: Json
    status: int
    body: Any
    media_type: str

    @property
    def cards(self) -> list[Json]:
        """The cards of the answer; none when it is an error."""
        found: list[Json] = self.body.get("cards", [])
        return found


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service in open mode, as `tolami serve` starts it; no card stays quiet for what another test has answered."""
    with serving(tmp_path_factory.mktemp("conformance"), settings={"TOLAMI_QUIET_DAYS": "0"}) as served:
        yield served


@pytest.fixture(scope="session")
def client() -> Iterator[requests.Session]:
    with session() as opened:
        yield opened


@pytest.fixture(scope="session")
def call(service: Served, client: requests.Session) -> Called:
    """Posts a request to the service of its own hook, or of another one."""

    def post(request: Any, service_id: str = "", **headers: str) -> requests.Response:
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        url = f"{service.url}/cds-services/{service_id or request['hook']}"
        return client.post(url, data=body, headers={"Content-Type": "application/json"} | headers, timeout=20)

    return post


@pytest.fixture(scope="session")
def discovered(service: Served, client: requests.Session) -> requests.Response:
    """The answer of discovery."""
    return client.get(f"{service.url}/cds-services", timeout=20)


@pytest.fixture(scope="session")
def services(discovered: requests.Response) -> list[Json]:
    found: list[Json] = discovered.json()["services"]
    return found


@pytest.fixture(scope="session")
def answers(call: Called) -> list[Answered]:
    """Every fixture, sent over HTTP."""
    found = []
    for path in sorted((FIXTURES / "requests").rglob("*.json")):
        if path.name.endswith(".expected.json"):
            continue
        sent = json.loads(path.read_text(encoding="utf-8"))
        answer = call(sent, path.parent.name)
        media_type = answer.headers["Content-Type"]
        found.append(Answered(path.stem, sent, answer.status_code, answer.json(), media_type))
    return found


@pytest.fixture(scope="session")
def cards(answers: list[Answered]) -> list[Json]:
    """Every card of every answer."""
    return [card for answered in answers for card in answered.cards]


@pytest.fixture(scope="session")
def suggestions(cards: list[Json]) -> list[Json]:
    return [suggestion for card in cards for suggestion in card.get("suggestions", [])]


@pytest.fixture(scope="session")
def actions(suggestions: list[Json]) -> list[Json]:
    return [action for suggestion in suggestions for action in suggestion["actions"]]
