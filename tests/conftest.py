"""What every test may use: the real library, an application on a fixed day, and the fixtures."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import certifi
import msgspec
import pytest
import structlog
from click.testing import CliRunner, Result
from flask import Flask
from flask.templating import Environment as Pages
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2 import Environment

from service.app import create_app
from service.cli.main import main
from service.decide import Decision
from service.engine.library import Library
from service.engine.loading import FOLDER, load
from service.engine.wording import templates_of
from service.files import digest, validator
from service.logs import of_request
from service.settings import PREFIX, Settings
from service.terminology.recognise import Terminology
from tests.serving import Served, serving
from tests.terminology import fake_server

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fhir_fixtures"
TODAY = date(2026, 11, 23)
WIDTH = "160"
ASKED = {"angle-closure-glaucoma", "epilepsy", "post-stroke-spasticity", "stroke"}
ASKED |= {"amitriptyline", "citalopram", "escitalopram"}

# The FHIR models put imports off until they are first used; how long an example takes says nothing.
# `make test` asks the same examples each time, so that chance refuses no change; `make explore` asks new ones.
settings.register_profile("explore", deadline=None, print_blob=True)
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile("same")


@pytest.fixture(autouse=True, scope="session")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's cache folder, which is not that of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True, scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One public authority in place of all: reading them takes longer than most tests, and none has signed anything."""
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("certifi.where", lambda: str(file))
        yield


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """Catches log lines, so that a test can look at them and none is printed."""
    with structlog.testing.capture_logs(processors=[of_request]) as lines:
        yield lines


class Validator:
    """A JSON Schema, asked once in this process whether a value fits it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = validator(schema)
        self._errors: dict[bytes, list[Any]] = {}

    def iter_errors(self, value: Any) -> list[Any]:
        content = msgspec.msgpack.encode(value)
        if content not in self._errors:
            self._errors[content] = list(self._schema.iter_errors(value))
        return self._errors[content]

    def is_valid(self, value: Any) -> bool:
        return not self.iter_errors(value)


@pytest.fixture(autouse=True, scope="session")
def validated() -> Iterator[None]:
    """Asks no schema twice about the same content: folders of cards that tests make differ in a word or two."""
    kept: dict[bytes, Validator] = {}

    def remembering(schema: Mapping[str, Any]) -> Validator:
        content = msgspec.msgpack.encode(schema)
        return kept.get(content) or kept.setdefault(content, Validator(schema))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.files.validator", remembering)
        yield


@pytest.fixture(autouse=True, scope="session")
def compiled() -> Iterator[None]:
    """Compiles no template twice in this process, however many libraries and applications tests make."""
    kept: dict[Any, Any] = {}
    pages: dict[Any, Any] = {}

    def page(environment: Pages, *source: Any) -> Any:
        if source not in pages:
            pages[source] = Environment.compile(environment, *source)
        return pages[source]

    def templates(library: Library, escape: Callable[[str], str]) -> Environment:
        environment = templates_of(library, escape)
        fixed_by = (escape, frozenset(library.terminology.titles.items()))
        vars(environment)["compile"] = kept.setdefault(fixed_by, cache(environment.compile))
        return environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.engine.rendering.templates_of", templates)
        patch.setattr(Pages, "compile", page, raising=False)
        yield


@pytest.fixture(scope="session")
def library() -> Library:
    """The library as it is in the repository."""
    return load()


@pytest.fixture(scope="session")
def app(library: Library) -> Flask:
    """The application on the fixed day, with counted identifiers."""
    numbers = count(1)
    return create_app(Settings(), library, lambda: TODAY, lambda: f"00000000-0000-4000-8000-{next(numbers):012}")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service as it is served, open, for all tests that leave it running."""
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the application."""
    return app.test_client()


@pytest.fixture(scope="session")
def decision(app: Flask) -> Decision:
    """What ``decide`` needs besides a request."""
    decision: Decision = app.extensions["decision"]
    return decision


@pytest.fixture
def fixture() -> Callable[[str], dict[str, Any]]:
    """Reads a fixture by its path below ``fhir_fixtures``, without the ending."""

    def read(name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
        return content

    return read


@pytest.fixture(scope="session")
def few_asked(library: Library) -> Library:
    """The library as it is, but that a terminology server is asked about a few of its sets only."""
    queries = [query for query in library.terminology.queries if query.id in ASKED]
    assert {query.id for query in queries} == ASKED
    return replace(library, terminology=Terminology(replace(library.terminology.lists, queries=queries)))


@pytest.fixture
def terminology_server() -> Iterator[fake_server.Terminology]:
    """A terminology server on this machine, without descendants until a test names some."""
    with fake_server.serving(fake_server.Terminology()) as running:
        yield running


@cache
def loaded(folder: Path, content: str) -> Library:
    """The library of a folder with this content, loaded once for all commands that tests run in this process."""
    return load(folder)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command in the repository's folder, without anybody's settings."""
    monkeypatch.setattr("service.engine.loading.load", lambda folder=FOLDER: loaded(folder, digest(folder)))
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(ROOT)

    def command(*arguments: Any, stdin: bytes | None = None, **environment: str) -> Result:
        chosen = {"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH, **environment}
        return CliRunner().invoke(main, [*map(str, arguments)], prog_name="tolami", env=chosen, input=stdin)

    return command


@pytest.fixture(scope="session")
def terminology(library: Library) -> Terminology:
    """The terminology as it is in the repository."""
    return library.terminology
