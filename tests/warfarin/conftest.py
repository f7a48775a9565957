"""The second guideline as it is served: its own folder, with the files that every guideline starts from."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from flask import Flask

from service.app import create_app
from service.engine.guideline import Guideline
from service.engine.loading import FOLDER, load
from service.settings import Settings
from tests.conftest import TODAY
from tests.warfarin.rules import RULES

OWN = Path(__file__).with_name("cards")
SHARED = (
    "unchecked",
    "codesystems",
    "phrases.yaml",
    "override-reasons.yaml",
    "terminology/systems.yaml",
    "terminology/words",
)
"""What docs/new-guideline.md says to copy."""

OURS = re.compile("amitriptyline|tolperisone", re.IGNORECASE)
"""The drugs of the guideline that is copied from: a line of not-checked.md that names one is about it."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of cards, put together as docs/new-guideline.md tells."""
    folder = Path(shutil.copytree(OWN, tmp_path_factory.mktemp("warfarin") / "cards"))
    for name in SHARED:
        source = FOLDER / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    own_words(folder / "terminology")
    unchecked = folder / "unchecked" / "not-checked.md"
    lines = unchecked.read_text(encoding="utf-8").splitlines(keepends=True)
    unchecked.write_text("".join(line for line in lines if not OURS.search(line)), encoding="utf-8")
    return folder


def own_words(folder: Path) -> None:
    """Leaves the words of the sets that the guideline has; it asks for no class of allergens."""
    nobody: dict[str, object] = {"classes": {}, "codes": [], "crossing": [], "within": {}}
    for kind in ("conditions", "observations", "allergens"):
        file = folder / "words" / f"{kind}.yaml"
        words = yaml.safe_load(file.read_text(encoding="utf-8"))
        own = {id_: lists for id_, lists in words.items() if (folder / kind / f"{id_}.json").exists()}
        kept = {**words, **nobody} if kind == "allergens" else own
        file.write_text(yaml.safe_dump(kept, allow_unicode=True), encoding="utf-8")


@pytest.fixture(scope="session")
def warfarin(folder: Path) -> Guideline:
    """The second guideline."""
    return Guideline(load(folder), RULES)


@pytest.fixture(scope="session")
def served(warfarin: Guideline) -> Flask:
    """The application that serves it, and nothing else."""
    return create_app(Settings(), warfarin.library, lambda: TODAY, rules=warfarin.rules)
