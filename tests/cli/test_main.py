"""Every command says what it does with an example, and ends with a code and a message that tell what happened."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import create_server
from typing import get_args

import click
import msgspec
import pytest
from click.testing import Result
from flask import Flask

from service.cli.main import COMMANDS, command_of, main
from service.engine.library import Library
from service.files import digest
from service.settings import PREFIX
from service.trust.clients import Dialect, Jurisdiction
from tests.cli.test_answers import WITH_CARDS, WITHOUT_CARDS, serving, written
from tests.conftest import FIXTURES, ROOT, loaded
from tests.engine.folder import copied
from tests.trust.ehr import Ehr, trusting

Run = Callable[..., Result]


@pytest.fixture
def recorded(tmp_path: Path, run: Run) -> Path:
    """A request with the answer that was recorded for it."""
    path = written(tmp_path, WITH_CARDS.read_bytes())
    assert run("replay", path, "--update", "--today", "2026-11-23").exit_code == 0
    return path


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its words, groups and what is in them included."""
    for name in COMMANDS:
        command = command_of(name)
        yield name, command
        for inner, each in getattr(command, "commands", {}).items():
            yield f"{name} {inner}", each


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize(("name", "command"), [*commands()])
def test_the_help_of_every_command_says_what_it_does_and_gives_an_example(
    name: str, command: click.Command, option: str, run: Run
) -> None:
    result = run(*name.split(), option)
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: tolami {name} ")
    first, *_ = (command.help or "").splitlines()
    assert first.endswith(".")
    assert first in result.output
    assert f"tolami {name}" in result.output.partition("Example:")[2]


WITHOUT_DOCSTRINGS = """
import json
from service.cli.main import COMMANDS, command_of, main
found = {name: command_of(name) for name in COMMANDS}
found |= {f"{n} {inner}": each for n, c in found.items() for inner, each in getattr(c, "commands", {}).items()}
print(json.dumps({name: command.help for name, command in {"": main, **found}.items()}))
"""


def test_the_help_is_the_same_without_docstrings() -> None:
    ran = [sys.executable, "-OO", "-c", WITHOUT_DOCSTRINGS]
    found = json.loads(subprocess.run(ran, check=True, capture_output=True, text=True).stdout)
    assert found == {"": main.help, **{name: command.help for name, command in commands()}}
    assert all(found.values())


def test_the_help_lists_every_command_and_says_that_the_content_is_not_reviewed(run: Run) -> None:
    result = run("--help")
    assert {"serve", "replay", "dose", "check", "services"} <= main.commands.keys()
    assert all(f"\n  {name} " in result.output for name in main.commands)
    assert "not clinically reviewed" in result.output


def test_check_counts_what_it_checked(run: Run, library: Library) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert f"Guidance {library.version}: {len(library.cards)} cards" in result.output
    assert all(kind in result.output for kind in ("drugs", "conditions", "observations", "routes"))


def test_check_names_a_wrong_setting(run: Run) -> None:
    result = run("check", TOLAMI_LOG_LEVEL="loud")
    assert result.exit_code == 1
    assert "settings: TOLAMI_LOG_LEVEL: Input should be" in result.output


def test_services_shows_every_service_and_the_whole_prefetch(run: Run, app: Flask) -> None:
    result = run("services")
    assert result.exit_code == 0
    discovered = app.test_client().get("/cds-services").get_json()["services"]
    assert all(service["id"] in result.output for service in discovered)
    for key, template in discovered[0]["prefetch"].items():
        assert f"{key}: {template}\n" in result.output


def test_schemas_are_listed_shown_and_written(run: Run, tmp_path: Path) -> None:
    names = run("schemas").output.split()
    assert "request-order-select" in names
    written_to = tmp_path / "new" / "folder"
    assert run("schemas", "--write", written_to).output == f"{len(names)} schemas written to {written_to}.\n"
    for name in names:
        assert run("schemas", name).output == (written_to / f"{name}.json").read_text(encoding="utf-8")


def test_a_schema_that_is_not_there_is_named(run: Run) -> None:
    result = run("schemas", "reply")
    assert (result.exit_code, "there is no message reply" in result.output) == (2, True)


def test_replay_of_one_request_shows_its_cards_in_full_or_a_line_each_and_agrees(run: Run) -> None:
    full, brief = run("replay", WITH_CARDS), run("replay", WITH_CARDS, "--brief")
    assert (full.exit_code, brief.exit_code) == (0, 0)
    assert "warning · R01" in full.output
    assert ("Source: " in full.output, "Source: " in brief.output) == (True, False)
    assert "  warning  Keep amitriptyline low" in brief.output
    assert all(result.output.endswith("1 agree\n") for result in (full, brief))


def test_replay_for_a_dialect_shows_what_differs_from_the_default(run: Run) -> None:
    twice = FIXTURES / "requests/order-sign/amitriptyline-drafted-twice.json"
    differs = run("replay", "--dialect", "2.0", "--brief", twice)
    assert (differs.exit_code, "MedicationRequest/rx-a1" in differs.output) == (1, True)
    lines = [" ".join(line.split()) for line in differs.output.splitlines()]
    assert '+ "resourceId": "MedicationRequest/rx-a1"' in lines
    assert '+ "label": "Remove the older draft",' in lines
    assert run("replay", "--dialect", "2.0", WITHOUT_CARDS).exit_code == 0


@pytest.mark.parametrize("other", [("--update",), ("--url", "http://127.0.0.1:8000")])
def test_replay_for_a_dialect_does_not_go_together_with(run: Run, other: tuple[str, ...]) -> None:
    result = run("replay", "--dialect", "1.0", *other, WITHOUT_CARDS)
    assert (result.exit_code, "cannot be combined with" in result.output) == (2, True)


def test_replay_for_a_jurisdiction_shows_what_differs_from_the_eu(run: Run) -> None:
    liver = FIXTURES / "requests/order-sign/amitriptyline-with-decompensated-cirrhosis.json"
    differs = run("replay", "--jurisdiction", "us", "--brief", liver)
    assert (differs.exit_code, "  critical Do not give amitriptyline" in differs.output) == (1, False)
    lines = [" ".join(line.split()) for line in differs.output.splitlines()]
    assert {'- "indicator": "critical",', '+ "indicator": "warning",'} <= set(lines)
    assert run("replay", "--jurisdiction", "eu", liver).exit_code == 0


@pytest.mark.parametrize("other", [("--update",), ("--url", "http://127.0.0.1:8000")])
def test_replay_for_a_jurisdiction_does_not_go_together_with(run: Run, other: tuple[str, ...]) -> None:
    result = run("replay", "--jurisdiction", "uk", *other, WITHOUT_CARDS)
    assert (result.exit_code, "cannot be combined with" in result.output) == (2, True)


def test_replay_knows_every_jurisdiction(run: Run) -> None:
    for jurisdiction in get_args(Jurisdiction):
        assert run("replay", "--jurisdiction", jurisdiction, WITHOUT_CARDS).exit_code == 0
    assert run("replay", "--jurisdiction", "mars", WITHOUT_CARDS).exit_code == 2


def test_replay_knows_every_dialect(run: Run) -> None:
    for dialect in get_args(Dialect):
        assert run("replay", "--dialect", dialect, WITHOUT_CARDS).exit_code == 0
    assert run("replay", "--dialect", "4.0", WITHOUT_CARDS).exit_code == 2


def test_replay_of_a_folder_counts_and_agrees(run: Run) -> None:
    folder = FIXTURES / "requests/order-select"
    requests = [path for path in folder.glob("*.json") if not path.name.endswith(".expected.json")]
    result = run("replay", folder)
    assert result.exit_code == 0
    assert result.output.endswith(f"{len(requests)} agree\n")
    assert "  no cards" in result.output
    assert "HTTP 422: The required member $.context.draftOrders is missing." in result.output


def test_replay_without_a_path_replays_the_fixtures_of_the_repository(run: Run) -> None:
    result = run("replay", "--brief")
    assert result.exit_code == 0
    count = sum(not path.name.endswith(".expected.json") for path in FIXTURES.glob("requests/*/*.json"))
    assert result.output.endswith(f"{count} agree\n")


def test_replay_of_a_request_that_nothing_was_recorded_for_says_so(run: Run, tmp_path: Path) -> None:
    result = run("replay", written(tmp_path, WITHOUT_CARDS.read_bytes()))
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "1 without expected answer")


def test_replay_of_a_broken_file_names_the_line_and_goes_on_with_the_others(run: Run, tmp_path: Path) -> None:
    broken = written(tmp_path, b'{\n  "hook": order-select\n}', "broken.json")
    written(tmp_path, WITHOUT_CARDS.read_bytes(), "fine.json")
    result = run("replay", tmp_path)
    assert result.exit_code == 2
    said = "".join(result.output.split())
    assert "".join(f"{broken}: not JSON: Expecting value at line 2, column 11".split()) in said
    assert result.output.endswith("1 without expected answer, 1 broken\n")


def test_replay_of_a_missing_file_or_an_empty_folder_says_so(run: Run, tmp_path: Path) -> None:
    missing = run("replay", tmp_path / "missing.json")
    assert (missing.exit_code, missing.output) == (
        2,
        f"{tmp_path / 'missing.json'}: there is no such file or folder.\n",
    )
    empty = run("replay", tmp_path)
    assert (empty.exit_code, empty.output) == (2, f"{tmp_path}: no hook requests there.\n")


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_replay_of_nothing_at_all_is_no_success(run: Run, tmp_path: Path, content: str) -> None:
    lines = tmp_path / "none.ndjson"
    lines.write_text(content, encoding="utf-8")
    for result in (run("replay", lines), run("replay", "-", stdin=content.encode())):
        assert result.exit_code == 2
        assert "holds no hook request" in result.output


@pytest.mark.parametrize("path", ["-", "requests.ndjson"])
def test_update_is_refused_where_no_answer_can_lie_beside_the_request(run: Run, path: str) -> None:
    result = run("replay", path, "--update")
    assert result.exit_code == 2
    assert "cannot be combined with - or .ndjson" in result.output


def test_update_records_the_answer_and_the_next_replay_agrees(run: Run, recorded: Path) -> None:
    expected = json.loads(recorded.with_name("request.expected.json").read_text(encoding="utf-8"))
    assert (expected["today"], expected["status"]) == ("2026-11-23", 200)
    assert expected["body"] == json.loads(WITH_CARDS.with_suffix(".expected.json").read_bytes())["body"]
    again = run("replay", recorded)
    assert (again.exit_code, again.output.splitlines()[-1]) == (0, "1 agree")


def test_an_answer_that_differs_from_the_expected_one_gives_a_diff_and_exit_code_1(run: Run, recorded: Path) -> None:
    expected = recorded.with_name("request.expected.json")
    text = expected.read_text(encoding="utf-8")
    assert '"indicator": "warning"' in text
    expected.write_text(text.replace('"indicator": "warning"', '"indicator": "critical"'), encoding="utf-8")
    result = run("replay", recorded, "--brief")
    assert result.exit_code == 1
    lines = [line.strip() for line in result.output.splitlines()]
    assert '-    "indicator": "critical",' in lines
    assert '+    "indicator": "warning",' in lines
    assert lines[-1] == "1 differ"


def test_a_recorded_answer_that_cannot_be_used_is_broken_and_not_a_difference(run: Run, recorded: Path) -> None:
    recorded.with_name("request.expected.json").write_text('{"today": "soon"}', encoding="utf-8")
    result = run("replay", recorded)
    assert result.exit_code == 2
    assert "not a recorded answer" in " ".join(result.output.split())


def test_the_day_of_a_replay_can_be_chosen(run: Run, recorded: Path) -> None:
    born = json.loads(recorded.read_bytes())["prefetch"]["patient"]["birthDate"]
    as_a_child = f"{int(born[:4]) + 10}{born[4:]}"
    assert run("replay", recorded, "--today", "2026-11-23").exit_code == 0
    assert run("replay", recorded, "--today", as_a_child).exit_code == 1
    assert run("replay", recorded, "--today", "yesterday").exit_code == 2


def test_replay_calls_a_running_service(run: Run, app: Flask, tmp_path: Path) -> None:
    path = written(tmp_path, WITHOUT_CARDS.read_bytes())
    with serving(app) as url:
        result = run("replay", path, "--url", url)
    assert (result.exit_code, "  no cards" in result.output) == (0, True)


def test_any_address_of_a_running_service_will_do_but_not_one_without_http(run: Run, app: Flask) -> None:
    with serving(app) as url:
        for address in (f"{url}/", f"{url}/cds-services", f"{url}/cds-services/order-select"):
            assert run("replay", WITH_CARDS, "--url", address).exit_code == 0
    refused = run("replay", WITH_CARDS, "--url", "127.0.0.1:8000")
    assert (refused.exit_code, "for example http://127.0.0.1:8000" in refused.output) == (2, True)


def test_replay_elsewhere_says_where_the_fixtures_are(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("replay")
    assert (result.exit_code, "run this in the project's folder" in result.output) == (2, True)


def test_answers_of_a_running_service_are_not_recorded(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, WITH_CARDS.read_bytes())
    result = run("replay", path, "--update", "--url", "http://127.0.0.1:9")
    assert result.exit_code == 2
    assert "--update records answers of this code" in result.output
    assert list(tmp_path.iterdir()) == [path]


def test_dose_shows_how_every_order_of_a_file_is_read(run: Run) -> None:
    result = run("dose", FIXTURES / "medications/amitriptyline-25-mg-at-bedtime.json", WITH_CARDS)
    assert result.exit_code == 0
    assert "MedicationRequest/amitriptyline-25, draft" in result.output
    assert "drug  amitriptyline (RxNorm 856834)" in result.output
    assert "25 mg/day" in result.output
    assert "drug  tolperisone (ATC M03BX04)" in result.output


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"{", "not JSON"), (b"[]", "no orders"), (b'{"resourceType": "Patient"}', "no orders"), (None, "No such file")],
)
def test_dose_of_a_file_without_orders_says_what_was_wanted(
    content: bytes | None, problem: str, run: Run, tmp_path: Path
) -> None:
    path = written(tmp_path, content) if content is not None else tmp_path / "missing.json"
    result = run("dose", path)
    assert result.exit_code == 2
    assert result.output.startswith(f"{path}: {problem}")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TOLAMI_LOG_LEVEL": "loud"}, "tolami cannot start: TOLAMI_LOG_LEVEL: Input should be"),
        ({"TOLAMI_PUBLIC_URL": "here"}, "tolami cannot start: TOLAMI_PUBLIC_URL: "),
        ({"TOLAMI_COLOUR": "blue"}, "tolami cannot start: TOLAMI_COLOUR: no such setting"),
        (
            {"TOLAMI_JWT_ALGORITHMS": "HS256"},
            "tolami cannot start: TOLAMI_JWT_ALGORITHMS: must be",
        ),
        ({"TOLAMI_JWT_ALGORITHMS": "ES384,none"}, "tolami cannot start: TOLAMI_JWT_ALGORITHMS: "),
        ({"TOLAMI_AUTH": "required"}, "tolami cannot start: TOLAMI_AUTH is required, so TOLAMI_TRUST_FILE"),
        ({"TOLAMI_TRUST_FILE": "missing.toml"}, f"tolami cannot start: {ROOT / 'missing.toml'} cannot be read"),
        ({"TOLAMI_POLICY": "pyproject.toml"}, "tolami cannot start: the policy cannot be used:\n"),
        ({"TOLAMI_CONFIG": "missing.toml"}, "tolami cannot start: TOLAMI_CONFIG: missing.toml "),
    ],
)
def test_serve_does_not_start_with_a_wrong_setting(environment: dict[str, str], said: str, run: Run) -> None:
    result = run("serve", **environment)
    assert result.exit_code == 1
    assert result.output.startswith(said)


def test_serve_does_not_start_where_something_else_listens(run: Run) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", port)
    assert result.exit_code == 1
    assert result.output.startswith(f"tolami cannot start: 127.0.0.1:{port} cannot be used")


def test_serve_does_not_start_where_others_can_call_it_unless_told_to(run: Run) -> None:
    result = run("serve", "--host", "0.0.0.0")
    assert result.exit_code == 1
    assert result.output.startswith("tolami cannot start: 0.0.0.0 can be reached by others")
    assert "--without-authentication" in result.output
    assert "TOLAMI_AUTH=required" in result.output


def test_serve_does_not_start_when_tokens_are_required_and_not(run: Run, tmp_path: Path) -> None:
    settings = {f"{PREFIX}{name.upper()}": value for name, value in trusting(tmp_path, Ehr()).items()}
    result = run("serve", "--host", "0.0.0.0", "--without-authentication", **settings)
    assert result.exit_code == 1
    assert "--without-authentication says the opposite" in result.output


@pytest.mark.parametrize(
    "arguments", [["--port", "0"], ["--port", "x"], ["--workers", "0"], ["--threads", "-1"], ["now"]]
)
def test_serve_refuses_options_that_make_no_sense(arguments: list[str], run: Run) -> None:
    result = run("serve", *arguments)
    assert result.exit_code == 2
    assert result.output.startswith("Usage: ")


def test_requests_come_from_standard_input_one_or_one_a_line(run: Run) -> None:
    for given, ending in (
        (WITH_CARDS.read_bytes(), "1 without expected answer"),
        (b"\n".join(msgspec.json.format(p.read_bytes(), indent=-1) for p in (WITH_CARDS, WITHOUT_CARDS)), "2 without"),
    ):
        result = run("replay", "-", "--brief", stdin=given)
        assert (result.exit_code, ending in result.output) == (0, True), result.output


def test_a_file_of_lines_names_the_line_that_is_no_request(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "many.ndjson"
    answered = msgspec.json.format(WITHOUT_CARDS.read_bytes(), indent=-1).decode()
    path.write_text(f'{answered}\n\n{{"no": 1}}\n{{"hook"\n{answered}\n', encoding="utf-8")
    for result, name in ((run("replay", path), path), (run("replay", "-", stdin=path.read_bytes()), "standard input")):
        assert result.exit_code == 2
        assert f"{name}:3: not a hook request" in result.output
        assert f"{name}:4: not JSON" in result.output
        assert "2 without expected answer, 2 broken" in result.output, "the other lines are answered"


def test_an_error_that_is_not_expected_is_exit_code_1(tmp_path: Path, run: Run) -> None:
    path = written(tmp_path, {"hook": "order-dispatch"})
    result = run("replay", path)
    assert (result.exit_code, "1 refused" in result.output) == (1, True)


@pytest.mark.parametrize("command", [["cards"], ["services"], ["check"]])
def test_commands_speak_json_to_programs(
    run: Run, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where there are no fixtures to render
    result = run(*command, "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.output)


def test_nothing_is_cut_where_the_output_is_no_terminal(run: Run, library: Library) -> None:
    output = run("cards", COLUMNS="").output
    assert all(card in output for card in library.cards)
    assert "…" not in output


def test_a_sign_off_is_written_into_its_card_which_is_no_longer_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    folder = copied(tmp_path)
    monkeypatch.setattr("service.cli.cards.FOLDER", folder)
    monkeypatch.setattr("service.engine.loading.load", lambda: loaded(folder, digest(folder)))
    by = ("--by", "A. Example", "--role", "clinical pharmacist")
    before = {row["card"] for row in json.loads(run("cards", "--review", "--format", "json").output)}
    for refused in (("nobody", *by), ("pain-score", *by, "--until", "2020-01-01")):
        assert run("cards", "sign", *refused).exit_code == 2
    assert "pain-score.md is signed off by A. Example" in run("cards", "sign", "pain-score", *by).output
    after = {row["card"] for row in json.loads(run("cards", "--review", "--format", "json").output)}
    assert before - after == {"pain-score"}
    assert "open because" in run("cards", "--review").output


def test_an_interrupted_command_ends_as_shells_have_it(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("service.cli.answers.InProcess.answer", interrupted)
    assert run("replay", WITH_CARDS).exit_code == 130


IMPORTS = """
import sys
def absent(step, *names):
    found = sorted(set(names) & set(sys.modules))
    assert not found, (step, found)
import service.cli.main
absent("help", "yaml", "msgspec", "rich", "pydantic", "jinja2", "flask", "service.engine.loading")
from service.cli.output import library
library()
absent("a library whose content is known", "jsonschema", "pydantic", "fhir", "jinja2", "rich", "flask")
import service.cli.doses
absent("dose", "jsonschema", "jinja2", "rich", "structlog", "requests", "flask", "sqlalchemy")
import service.server
absent("serve", "jsonschema", "alembic", "joserfc", "cryptography")
from service.dosing.vocabulary import languages
service.server.warmed(service.server.create_app(service.server.Settings()))
assert languages.cache_info().currsize, "directions in words, before the processes are forked"
"""


def test_a_command_imports_only_what_it_needs(library: Library) -> None:
    assert library.cards, "known from now on"
    ran = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
