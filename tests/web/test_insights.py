"""The insights show what is kept, by period, client and hook, and say what is missing where nothing is."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app, records_of
from service.engine.library import Library
from service.records import Records
from service.settings import Settings
from tests.records.kept import NOW, PAIR, exchange, keep, outcome, show, shown
from tests.trust.ehr import ec, key_set

TODAY = date(2026, 11, 23)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    kept = records_of(Settings(database_url=f"sqlite:///{tmp_path / 'kept.db'}", spill_file=tmp_path / "waiting.jsonl"))
    kept.open()
    with closing(kept):
        yield kept


@pytest.fixture
def client(records: Records, library: Library) -> FlaskClient:
    return create_app(Settings(), library, today=lambda: TODAY, records=records).test_client()


def test_without_records_the_page_says_what_would_keep_them(library: Library) -> None:
    page = create_app(Settings(), library).test_client().get("/insights").text
    assert "keeps no records" in page


def test_before_the_first_call_the_page_says_what_will_appear(client: FlaskClient) -> None:
    page = client.get("/insights").text
    assert "The days will appear here" in page
    assert "Every card that is shown will have a row here" in page


@pytest.mark.parametrize("asked", ["days=1000000", "days=-1", "days=x", "client=%00&hook=%27", "client=" + "x" * 3000])
def test_what_cannot_be_chosen_is_the_default(client: FlaskClient, asked: str) -> None:
    assert client.get(f"/insights?{asked}").status_code == 200
    assert client.get(f"/insights.csv?{asked}").status_code == 200


def test_where_calls_need_a_token_the_insights_need_one_too(tmp_path: Path, library: Library) -> None:
    keys, trust = tmp_path / "keys.json", tmp_path / "trust.toml"
    keys.write_bytes(key_set(ec()))
    trust.write_text(f'[[client]]\nname = "EHR"\nissuer = "https://ehr.example.org"\njwks_file = "{keys}"\n')
    for allowed in (False, True):
        settings = Settings(auth="required", trust_file=trust, public_url="https://cds.example.org", open_pages=allowed)
        client = create_app(settings, library).test_client()
        for address in ("/insights", "/insights.csv"):
            assert client.get(address).status_code == (200 if allowed else 401)


def test_what_became_of_a_card_is_shown_with_interval_reasons_and_client(client: FlaskClient, records: Records) -> None:
    show(records.database, *(exchange(shown(n, PAIR), unchecked=["age-unknown"]) for n in range(4)))
    keep(records.database, outcome(0), outcome(1, reason="will-monitor"), outcome(2, "accepted"))
    page = " ".join(client.get("/insights?days=30").text.split())
    assert "2 of 3: 67&nbsp;%" in page, "two of three answered were overridden"
    assert "1 × Will monitor the patient" in page, "a reason of our own in words, too"
    assert "age unknown" in page
    assert "Example EHR" in page
    assert "2026-11-23: 4 shown, 1 accepted, 2 overridden" in page
    (row,) = csv.DictReader(io.StringIO(client.get("/insights.csv?days=30").text))
    assert (row["card"], row["shown"], row["overridden"]) == (PAIR, "4", "2")


def test_what_was_tried_in_the_playground_counts_only_where_it_is_chosen(client: FlaskClient, records: Records) -> None:
    show(records.database, exchange(shown(0, PAIR)), replace(exchange(shown(1, PAIR)), client="playground"))
    page = client.get("/insights?days=30").text
    assert "<h2>1</h2><p>calls answered" in page
    assert "<option>playground</option>" in page
    chosen = client.get("/insights?days=30&client=playground&hook=order-sign").text
    assert "<h2>1</h2><p>calls answered" in chosen
    assert "<option selected>playground</option>" in chosen
    client.get("/playground")
    assert "tolami_cards_total{" not in client.get("/metrics").text


def test_a_filter_leaves_out_what_it_does_not_name(client: FlaskClient, records: Records) -> None:
    show(records.database, exchange(shown("now", PAIR)), exchange(shown("then", PAIR), at=NOW - timedelta(days=40)))
    for asked, rows in (("days=30", 1), ("days=90", 1), ("hook=patient-view", 0), ("client=nobody", 0)):
        found = list(csv.DictReader(io.StringIO(client.get(f"/insights.csv?{asked}").text)))
        assert len(found) == rows, asked
    assert client.get("/insights.csv?days=90").text.splitlines()[1].startswith(f"{PAIR},2,")
