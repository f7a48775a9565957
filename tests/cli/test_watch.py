"""``tolami check --watch`` checks again on each save and names the page that previews what was saved."""

from pathlib import Path

import pytest

from service.cli import watch

URL = "http://127.0.0.1:8000/"


def test_a_save_is_seen_checked_and_previewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "pair" / "some-card.md"
    card.parent.mkdir()
    card.write_text("before", encoding="utf-8")
    checks: list[str] = []
    looks = 0

    def save_between_looks(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            card.write_text("after, longer", encoding="utf-8")
            (tmp_path / "offers.yaml").write_text("a: 1", encoding="utf-8")
            (tmp_path / "notes.txt").write_text("not watched", encoding="utf-8")
        if looks == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(watch, "sleep", save_between_looks)
    with pytest.raises(KeyboardInterrupt):
        watch.check_on_save(URL, [tmp_path], lambda: checks.append(card.read_text(encoding="utf-8")))
    assert checks == ["before", "after, longer"]
    told = capsys.readouterr().out
    assert "Saved: offers.yaml, some-card.md" in told
    assert "http://127.0.0.1:8000/guidance/some-card\n" in told
    assert "notes.txt" not in told


def test_a_shared_line_is_previewed_with_all_cards() -> None:
    assert watch.preview(Path("cards/lines/footer.md"), URL) == "http://127.0.0.1:8000/guidance/"
    assert watch.changed({Path("a"): 1, Path("b"): 2}, {Path("b"): 2, Path("c"): 3}) == [Path("a"), Path("c")]


def test_what_was_found_is_told_in_words() -> None:
    found = '{"guidance": "1", "faults": ["a.md:7: too long", "b.md: gone"]}'
    assert watch.result_in_words(found, "") == "a.md:7: too long\nb.md: gone"
    assert watch.result_in_words('{"guidance": "1", "faults": []}', "") == "Guidance 1: no faults."
    assert watch.result_in_words("", "The cards cannot be used\n") == "The cards cannot be used"
