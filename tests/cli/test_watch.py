"""``tolami check --watch`` checks again on each save and names the page that previews what was saved."""

from pathlib import Path

import pytest

from service.cli import check

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

    monkeypatch.setattr(check, "sleep", save_between_looks)
    with pytest.raises(KeyboardInterrupt):
        check.check_on_save(URL, [tmp_path], lambda: checks.append(card.read_text(encoding="utf-8")))
    assert checks == ["before", "after, longer"]
    told = capsys.readouterr().out
    assert "Saved: offers.yaml, some-card.md" in told
    assert "http://127.0.0.1:8000/guidance/some-card\n" in told
    assert "notes.txt" not in told


def test_a_shared_line_is_previewed_with_all_cards() -> None:
    assert check.preview(Path("cards/lines/footer.md"), URL) == "http://127.0.0.1:8000/guidance/"


def test_each_check_is_a_process_of_its_own_that_says_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "sleep", interrupted)
    monkeypatch.chdir(tmp_path)  # where there are no fixtures to render
    for level, said in (("info", "Settings are valid."), ("loud", "TOLAMI_LOG_LEVEL: Input should be")):
        monkeypatch.setenv("TOLAMI_LOG_LEVEL", level)
        with pytest.raises(KeyboardInterrupt):
            check.check_on_save(URL, [tmp_path], check.check_again)
        assert said in capsys.readouterr().out
