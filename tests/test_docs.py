"""The documentation says what the code does: every name of the code is in the page where it belongs."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click import Option
from click.testing import Result
from flask.testing import FlaskClient

from service.app import create_app
from service.cdshooks.services import services
from service.engine.catalogue import markdown
from service.engine.library import Library
from service.errors import ServiceError
from service.settings import PREFIX, Settings
from service.trust.callers import Reason
from service.trust.keys import RSA_BITS
from service.trust.remote import DEADLINE, MAX_AGE, MOST_BYTES, RETRY_AFTER
from service.trust.tokens import LONGEST_JTI, LONGEST_LIFETIME, LONGEST_TOKEN
from tests.calls import SAMPLE
from tests.cli.test_main import commands
from tests.conformance.items import listed
from tests.conftest import FIXTURES, ROOT, TODAY

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *DOCS.glob("*.md")])
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
MERGED = {"R22", "R23"}
"""Rules that are parts of the card of R21."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language, without the fences."""
    return [match[3] for match in FENCE.finditer(read(page)) if match[2] == language]


def row(page: str, name: str) -> str:
    """The row of a table that begins with a name; empty when there is none."""
    start = f"| `{name}`"
    return next((line for line in read(page).splitlines() if line.startswith(start)), "")


def missing(page: str, names: Iterable[str]) -> list[str]:
    """The names that a page does not have in code marks."""
    text = read(page)
    return [name for name in names if f"`{name}`" not in text]


def schema(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(read(f"cards/schemas/{name}"))
    return content


def errors(of: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    for error in of.__subclasses__():
        yield error
        yield from errors(error)


def test_every_setting_is_in_its_table_with_default_and_meaning() -> None:
    for name, field in Settings.model_fields.items():
        line = row("docs/settings.md", f"{PREFIX}{name.upper()}")
        default = {"": "empty", None: "none"}.get(field.default, f"`{field.default}`")
        for part in (f"| {default} |", (field.description or "").rstrip(".")):
            assert part in line, f"docs/settings.md: the row of {PREFIX}{name.upper()} lacks {part!r}"
    assert f"{PREFIX}CONFIG" in row("docs/settings.md", f"{PREFIX}CONFIG")


def test_the_example_of_a_settings_file_is_valid() -> None:
    examples = blocks("docs/settings.md", "toml")
    assert examples, "docs/settings.md: no example of a TOML file"
    for example in examples:
        assert tomllib.loads(example).keys() == Settings(**tomllib.loads(example)).model_fields_set


def test_every_error_is_in_the_table_with_status_and_code(client: FlaskClient) -> None:
    known = {(error.status, error.code) for error in errors()}
    address = "/cds-services/order-select"
    answers = [
        client.get("/nowhere"),
        client.get(address),
        client.post(address, data="{}", content_type="text/plain"),
        client.post(address, data=b" " * (Settings().max_body_bytes + 1), content_type="application/json"),
    ]
    for answer in answers:
        assert answer.json is not None
        known.add((answer.status_code, answer.json["issue"][0]["code"]))
    known.add((500, "exception"))
    lacking = [f"| {status} | `{code}` |" for status, code in sorted(known)]
    assert [start for start in lacking if start not in read("docs/errors.md")] == [], "docs/errors.md lacks these rows"


def test_every_reason_for_which_a_token_is_refused_is_explained() -> None:
    explained = re.findall(r"^\| (`.+?) \|", read("docs/trust.md"), re.MULTILINE)
    lacking = [reason for reason in Reason if f"`{reason}`" not in " ".join(explained)]
    assert lacking == [], "docs/trust.md has no row for these"


def test_the_limits_of_tokens_and_keys_are_those_of_the_code() -> None:
    page = read("docs/trust.md")
    for limit in (
        f"more than {LONGEST_TOKEN} characters",
        f"at most {LONGEST_JTI} characters",
        f"RSA ({RSA_BITS.start} to {RSA_BITS.stop - 1} bits)",
        f"at most {MOST_BYTES // 1024} KiB and {DEADLINE:.0f} seconds",
        f"at most every {RETRY_AFTER:.0f} seconds",
        f"older than {MAX_AGE / 60:.0f} minutes",
    ):
        assert limit in page, f"docs/trust.md lacks {limit!r}"
    assert timedelta(hours=1) == LONGEST_LIFETIME
    assert "at most one hour after `iat`" in page


def test_the_error_shown_is_the_one_sent(client: FlaskClient) -> None:
    body = (FIXTURES / "requests/order-sign/patient-not-provided.json").read_bytes()
    answer = client.post("/cds-services/order-sign", data=body, content_type="application/json")
    assert [json.loads(block) for block in blocks("docs/errors.md", "json")] == [answer.json]


def test_the_guidance_page_holds_the_table_of_the_card_files(library: Library) -> None:
    assert read("docs/guidance.md").endswith(markdown(library)), "put the output of `tolami cards --markdown` there"


def test_every_rule_of_the_guidance_has_a_card(library: Library) -> None:
    rules = {card.rule for card in library.cards.values()}
    assert {f"R{number:02}" for number in range(1, 32)} - rules == MERGED


def test_every_option_of_every_command_is_described_by_its_help() -> None:
    for name, command in commands():
        silent = [p.name for p in command.params if isinstance(p, Option) and not (p.help or "").strip()]
        assert silent == [], f"tolami {name} --help does not explain these"


def test_every_command_and_option_that_a_page_names_exists() -> None:
    known = dict(commands())
    for page in PAGES:
        for words in re.findall(r"(?:(?<!`)`|^\$ )tolami ([a-z][^`\n]*)", page.read_text("utf-8"), re.MULTILINE):
            first, pair = words.split()[0], " ".join(words.split()[:2])
            name = pair if pair in known else first
            assert name in known, f"{page.name}: there is no `tolami {name}`"
            options = {option for p in known[name].params for option in (*p.opts, *p.secondary_opts)}
            assert {word for word in words.split() if word.startswith("--")} <= options, f"{page.name}: tolami {words}"


def test_every_rule_that_is_referred_to_is_defined() -> None:
    pages = read("docs/guidance.md") + read("docs/doses.md")
    defined = {*re.findall(r"^\| ([XQR]\d+) \|", pages, re.MULTILINE), *MERGED, *listed(read("docs/conformance.md"))}
    defined |= set(re.findall(r"^(S\d+):", read("cards/statements.yaml"), re.MULTILINE))
    for file in (*ROOT.glob("service/**/*.py"), *DOCS.glob("*.md"), *ROOT.glob("cards/*/*.md")):
        if file.name == "security.md":  # its risks have numbers of their own
            continue
        named = set(re.findall(r"\b(?:X[1-9]|Q[1-8]|R\d\d|[CL]-\d+|S[0-3]\d)\b", file.read_text(encoding="utf-8")))
        assert named <= defined, f"{file.relative_to(ROOT)} refers to what no page defines"


def test_every_service_and_prefetch_key_is_described(library: Library) -> None:
    published = services(library.plan.services, ["1-8"])
    names = {service.id for service in published} | {key for service in published for key in service.prefetch}
    lacking = [name for name in sorted(names) if not row("docs/services.md", name)]
    assert lacking == [], "docs/services.md has no row for these"


def test_every_key_of_the_schemas_is_described() -> None:
    front_matter = schema("card.schema.json")["properties"]
    source = schema("sources.schema.json")["additionalProperties"]["properties"]
    silent = [key for key, value in (front_matter | source).items() if not value.get("description")]
    assert silent == [], "these have no description in cards/schemas"
    assert missing("docs/cards.md", front_matter["reasons"]["additionalProperties"]["properties"]) == []


def test_every_extension_of_the_terminology_is_described() -> None:
    used: set[str] = set()
    for path in (ROOT / "cards/terminology").glob("*/*.json"):
        used |= set(re.findall(r"StructureDefinition/([a-z-]+)", path.read_text(encoding="utf-8")))
    lacking = [name for name in sorted(used) if not row("docs/cards.md", name)]
    assert lacking == [], "docs/cards.md has no row for these extensions"


def test_every_module_says_what_it_is_for_in_its_first_line() -> None:
    modules = [p for p in sorted((ROOT / "service").rglob("*.py")) if p.name != "__init__.py"]
    silent = [p.relative_to(ROOT).as_posix() for p in modules if not re.match(r'"""\S.{15}', p.read_text("utf-8"))]
    assert silent == []


def test_every_room_is_described_and_no_other() -> None:
    rooms = {p.parent.relative_to(ROOT).as_posix() for p in (ROOT / "service").glob("*/__init__.py")}
    rows = re.findall(r"^\| (`.+?) \|", read("docs/architecture.md"), re.MULTILINE)
    assert set(re.findall(r"`(service/\w+)`", " ".join(rows))) == rooms, "docs/architecture.md, the table of rooms"


def test_the_floors_are_those_that_are_checked() -> None:
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawn = [block.splitlines() for block in blocks("docs/architecture.md", "")]
    assert layers in drawn, "docs/architecture.md shows other floors than pyproject.toml"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"(?:\]\(|<img src=\")([^)\s\"]+)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.is_file(), f"{page.name}: {target} leads to no file"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target} leads to no heading"


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_that_code_and_cards_name_exists() -> None:
    for file in (*ROOT.glob("service/**/*.py"), *ROOT.glob("cards/**/*.*")):
        for page in re.findall(r"\b(?:docs|guidance)/[\w/-]+\.md\b", file.read_text(encoding="utf-8")):
            assert (ROOT / page).is_file(), f"{file.relative_to(ROOT)} names {page}, which does not exist"


def test_every_module_that_a_page_names_exists() -> None:
    for page in PAGES:
        for name in set(re.findall(r"`([\w./-]*\w\.py)`", page.read_text(encoding="utf-8"))):
            assert (ROOT / name).exists(), f"{page.name}: {name} does not exist"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_and_fixture_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\$ )make ([a-z-]+)", text, re.MULTILINE))
    assert named <= targets, f"{page.name}: the Makefile has no such targets"
    for path in set(re.findall(r"fhir_fixtures/[\w./-]*\w", text)):
        assert (ROOT / path).exists(), f"{page.name}: {path} does not exist"


def test_the_readme_lists_every_page_and_every_page_leads_back() -> None:
    rows = re.findall(r"^\| \[(docs/[\w-]+\.md)\]\(\1\) \| .+ \|$", read("README.md"), re.MULTILINE)
    assert sorted(rows) == [f"docs/{page.name}" for page in sorted(DOCS.glob("*.md"))], "README.md, Documentation"
    lost = [page.name for page in DOCS.glob("*.md") if "(../README.md#documentation)" not in read(f"docs/{page.name}")]
    assert lost == [], "these do not lead back to the list of pages: [All pages](../README.md#documentation)"


def test_the_replay_shown_in_the_readme_is_what_is_printed(run: Callable[..., Result], tmp_path: Path) -> None:
    (shown,) = (block for block in blocks("README.md", "") if "my-request.json --brief" in block)
    request = tmp_path / "my-request.json"
    request.write_bytes(SAMPLE.read_bytes())
    printed = run("replay", request, "--brief", "--today", TODAY.isoformat()).output
    assert printed.splitlines()[1:] == shown.splitlines()[2:]


def test_the_tokens_shown_are_those_that_are_accepted(library: Library, tmp_path: Path) -> None:
    (script,) = blocks("docs/trust.md", "python")
    (tmp_path / "sign.py").write_text(script, encoding="utf-8")
    address = "https://cds.example.org/cds-services"
    signing = [sys.executable, "sign.py", address]
    tokens = [subprocess.run(signing, cwd=tmp_path, capture_output=True, check=True).stdout.decode() for _ in "12"]
    trust = tmp_path / "trust.toml"
    trust.write_text('[[client]]\nname = "EHR"\nissuer = "https://ehr.example.org"\njwks_file = "ehr.jwks.json"\n')
    settings = Settings(auth="required", public_url="https://cds.example.org", trust_file=trust)
    client = create_app(settings, library).test_client()
    for token in tokens:
        answer = client.get("/cds-services", headers={"Authorization": f"Bearer {token.strip()}"})
        assert answer.status_code == 200


def test_every_make_target_is_listed_by_make_help() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", read("Makefile"), re.MULTILINE)
    assert sorted(phony.split()) == sorted(re.findall(r"^([a-z-]+):.*## ", read("Makefile"), re.MULTILINE))
