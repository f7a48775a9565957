"""A file that cannot be read as it is meant is named, with its line and what is wrong, whoever reads it."""

from pathlib import Path

import pytest

from service.engine.loading import load
from service.files import Fault, FaultyLibrary, load_json, load_table, load_yaml, split
from tests.engine.folder import copied

YAML = {
    b"a: 1\nb: \x08\n": (2, "not valid YAML: control characters are not allowed (character 0x8)"),
    b"a: 1\n# \xe9\n": (2, "not UTF-8 (byte 0xe9)"),
    b"\xef\xbb\xbfa: 1\n": (1, "begins with a byte order mark"),
    b"a: 1\n? [a, b]\n: 2\n": (2, "not valid YAML: a key is no word"),
    b"a: 1\na: 2\n": (2, "not valid YAML: 'a' stands twice"),
    b"a: &a [*a]\n": (0, "not valid YAML: nested too deeply, or in itself"),
    b"a: " + b"[" * 3000 + b"]" * 3000: (0, "not valid YAML: nested too deeply"),
    b"a: " + b"9" * 5000: (0, "not valid YAML: Exceeds the limit"),
    b"": (0, "not valid YAML"),
}
JSON = {
    b'{"a": 1, "b": {"c": 1, "c": 2}}': (0, "not valid JSON: 'c' stands twice"),
    b'{"a": 1,\n "b"}': (2, "not valid JSON: Expecting ':' delimiter"),
    b"[]": (0, "not a JSON object"),
    b"null": (0, "not a JSON object"),
    b'{"a": "\xe9"}': (1, "not UTF-8 (byte 0xe9)"),
    b"[" * 100000: (0, "not valid JSON: maximum recursion depth"),
}


def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    for content, (line, reason) in {**YAML, **JSON}.items():
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(FaultyLibrary) as faulty:
            load_json(tmp_path, "file") if content in JSON else load_table(tmp_path, "file", {})
        (fault,) = faulty.value.faults
        assert (fault.file, fault.line) == ("file", line), content[:40]
        assert fault.reason.startswith(reason)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FaultyLibrary, match="nothing: No such file or directory"):
        load_table(tmp_path, "nothing", None)


def test_a_fault_in_front_matter_is_counted_from_the_top_of_the_file() -> None:
    assert split("card.md", "---\na: 1\nb: \x08\n---\n") == Fault(
        "card.md", 3, "not valid YAML: control characters are not allowed (character 0x8)"
    )
    assert isinstance(load_yaml("file", "a: &a 1\nb: *a\n"), Fault) is False


def test_every_kind_of_content_is_read_so(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    kinds = [
        "numbers.yaml",
        "pair/*.md",
        "lines/*.md",
        "orders/*",
        "codesystems/*",
        "directions/de.yaml",
        "terminology/*.yaml",
    ]
    kinds += ["terminology/words/*", "terminology/conditions/falls.json", "sample_request.json"]
    for path in (next(folder.glob(kind)) for kind in kinds):
        content = path.read_bytes()
        path.write_bytes(content + b"\n\xe9")
        with pytest.raises(FaultyLibrary) as faulty:
            load(folder)
        assert faulty.value.faults[0].file == path.relative_to(folder).as_posix()
        assert "not UTF-8" in faulty.value.faults[0].reason
        path.write_bytes(content)
