"""A copy of the cards folder in which one thing is changed, for the tests of its loading and checking."""

import json
import shutil
from pathlib import Path

from service.engine.loading import FOLDER

FEW = {f"{drug}.json" for drug in ("amitriptyline", "tolperisone", "zopiclone", "lidocaine")}
FEW |= {f"{drug}.json" for drug in ("duloxetine", "gabapentin", "pregabalin")}
"""The drugs that guidance or an order template is about, and one more."""
CLASSES = [f"terminology/classes/{name}.json" for name in ("tca", "antidepressant", "muscle-relaxant")]
"""Those to which somebody may be allergic."""


def copied(target: Path, *, whole: bool = False) -> Path:
    """The folder of cards without its code, copied; with a few drugs and classes, or ``whole`` with all."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        few = {"drugs": FEW, "classes": set[str]()}.get(Path(folder).name)
        dropped = set(names) - few if few is not None and not whole else set()
        return dropped | {name for name in names if name.endswith((".py", "__pycache__"))}

    folder = Path(shutil.copytree(FOLDER, target / "cards", ignore=left_out))
    for class_ in () if whole else CLASSES:
        value_set = json.loads((FOLDER / class_).read_text(encoding="utf-8"))
        value_set["compose"]["include"] = [{"valueSet": ["https://tolami.github.io/fhir/ValueSet/amitriptyline"]}]
        (folder / class_).write_text(json.dumps(value_set), encoding="utf-8")
    return folder


def changed(folder: Path, file: str, old: str, new: str) -> int:
    """Replaces the one place in a file; returns the line it starts on, as an editor counts it."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} must hold {old!r} once"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1
