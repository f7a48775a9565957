"""YAML and Markdown with front matter, the line of every value, and the faults found in them."""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

Schema = Mapping[str, Any] | None
"""A JSON Schema; None for content that is known to fit its own."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; ``line`` is 1-based, 0 when the whole file is meant."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}"


class FaultyLibrary(Exception):
    """The cards, sources, terminology or templates cannot be used as they are."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


def read(folder: Path, name: str) -> str:
    """The text of a file of a folder. Raises FaultyLibrary when it is not there or not UTF-8."""
    try:
        text = (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        raise FaultyLibrary([Fault(name, 0, error.strerror or str(error))]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise FaultyLibrary([Fault(name, line, f"not UTF-8 (byte {error.object[error.start]:#x})")]) from None
    if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"):
        raise FaultyLibrary([Fault(name, 1, "begins with a byte order mark; save it as UTF-8 without one")])
    return text


def load_json(folder: Path, name: str) -> dict[str, Any]:
    """The object in a file, its numbers as they are written. Raises FaultyLibrary."""
    try:
        content = json.loads(read(folder, name), parse_float=Decimal, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise FaultyLibrary([Fault(name, getattr(error, "lineno", 0), f"not valid JSON: {error}")]) from None
    if not isinstance(content, dict):
        raise FaultyLibrary([Fault(name, 0, "not a JSON object")])
    return content


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without a member that stands twice: one of its values would be dropped in silence."""
    found = dict(members)
    if len(found) < len(members):
        keys = [key for key, _ in members]
        raise ValueError(f"'{max(keys, key=keys.count)}' stands twice")
    return found


_SECTION = re.compile(r"^##(?!#)[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_SURPRISING = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"}


class _Loader(yaml.CSafeLoader):
    """YAML without surprises: a date stays the text it was written as, and so do "on", "off", "yes" and "no".

    A key that stands twice is an error: one of its values would be dropped in silence.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node. Raises ConstructorError at a key that stands twice."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(problem="a key is no word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"'{key.value}' stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _SURPRISING]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|false"), list("tf"))


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document with the node tree that knows the lines. ``offset`` is the line it starts on."""

    name: str
    value: Any
    node: yaml.Node | None
    offset: int = 0

    def line(self, path: Iterable[str | int]) -> int:
        """The line of a value, of its nearest parent when it is missing."""
        node = self.node
        for step in path:
            if isinstance(node, yaml.MappingNode):
                node = next((value for key, value in node.value if key.value == str(step)), node)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
        return node.start_mark.line + 1 + self.offset if node is not None else 0

    def fault(self, reason: str, *path: str | int) -> Fault:
        """A fault at the line of a value."""
        return Fault(self.name, self.line(path), reason)


def load_yaml(name: str, text: str, offset: int = 0) -> Document | Fault:
    """A YAML text as a document, or the fault that keeps it from being read."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        value = loader.construct_document(node) if node is not None else None
        msgspec.to_builtins(value, str_keys=True)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 + offset if error.problem_mark else 0
        return Fault(name, line, f"not valid YAML: {error.problem}")
    except yaml.reader.ReaderError as error:
        line = text.encode().count(b"\n", 0, error.position) + 1 + offset
        return Fault(name, line, f"not valid YAML: {error.reason} (character {error.character:#x})")
    except RecursionError:
        return Fault(name, 0, "not valid YAML: nested too deeply, or in itself")
    except ValueError as error:  # a number of thousands of digits
        return Fault(name, 0, f"not valid YAML: {error}")
    return Document(name, value, node, offset)


def check(document: Document, schema: Schema) -> list[Fault]:
    """The faults of a document under a JSON Schema."""
    if schema is None:
        return []
    closest = map(_closest, validator(schema).iter_errors(_as_json(document.value)))
    return [
        document.fault(f"{'.'.join(map(str, error.absolute_path)) or 'document'}: {reason(error)}", *_place(error))
        for error in closest
    ]


def validator(schema: Mapping[str, Any]) -> "Draft202012Validator":
    """What checks a value under a JSON Schema, dates and addresses included."""
    from jsonschema import Draft202012Validator, FormatChecker  # slow to import, and only for what is new

    return Draft202012Validator(schema, format_checker=FormatChecker())


def _as_json(value: Any) -> Any:
    """The value as JSON would have it: YAML takes a number as a key, JSON its digits."""
    return msgspec.to_builtins(value, str_keys=True)


_DEPENDENCY = re.compile(r"^('.+') is a dependency of ('.+')$")


def _closest(error: "ValidationError") -> "ValidationError":
    """Where a value may have one of several forms: what is wrong with it in the one form whose type it has."""
    of_its_type = [inner for inner in error.context if inner.validator != "type"]
    return _closest(of_its_type[0]) if len(of_its_type) == 1 else error


def reason(error: "ValidationError") -> str:
    """What is wrong with a value: in place of a pattern or a choice, what the schema says of it."""
    meant = error.schema.get("description") if isinstance(error.schema, dict) else None
    if meant and error.validator == "oneOf":
        return str(meant)
    if meant and error.validator == "pattern":
        return f"{error.instance!r} does not match: {meant}"
    return _DEPENDENCY.sub(r"\2 needs \1 beside it", error.message)


def _place(error: "ValidationError") -> list[str | int]:
    """The path of what a fault is about: for a member that is not known, that member."""
    path: list[str | int] = list(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        path += [key for key in error.instance if key not in known][:1]
    return path


def load_table(folder: Path, name: str, schema: Schema) -> Any:
    """The value of a YAML file under a JSON Schema. Raises FaultyLibrary. Lines are counted only for its faults."""
    text = read(folder, name)
    with suppress(yaml.YAMLError, RecursionError, ValueError):
        value = yaml.load(text, _Loader)  # noqa: S506 (a safe one)
        if value is not None and (schema is None or validator(schema).is_valid(_as_json(value))):
            return value
    document = load_yaml(name, text)
    faults = [document] if isinstance(document, Fault) else check(document, schema)
    raise FaultyLibrary(faults or [Fault(name, 0, "not valid YAML")])


def schema(folder: Path, name: str) -> dict[str, Any]:
    """One of the JSON Schemas of ``cards/schemas``."""
    return load_json(folder, f"schemas/{name}")


def split(name: str, text: str) -> tuple[Document, dict[str, str]] | Fault:
    """Front matter and the ``## sections`` of a Markdown file, each once, with nothing before the first."""
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        return Fault(name, 1, "front matter missing: the file must start with '---' and close it with '---'")
    head, _, body = text[4:].partition("\n---\n")
    document = load_yaml(name, head, offset=1)
    if isinstance(document, Fault):
        return document
    headings = list(_SECTION.finditer(body))
    ends = [heading.start() for heading in headings] + [len(body)]
    first = head.count("\n") + 4
    if body[: ends[0]].strip():
        return Fault(name, first, "words before the first section, '## summary'")
    sections: dict[str, str] = {}
    for heading, end in zip(headings, ends[1:], strict=True):
        if heading[1] in sections:
            line = first + body.count("\n", 0, heading.start())
            return Fault(name, line, f"section '## {heading[1]}' stands twice")
        sections[heading[1]] = body[heading.end() : end].strip("\n") + "\n"
    return document, sections


def digest(folder: Path) -> str:
    """The SHA-256 of every file of a folder that is said or decided by, in hexadecimal digits."""
    found = sha256()
    names = (os.path.join(at, name) for at, _, files in os.walk(folder) for name in files)
    chosen = (os.path.relpath(name, folder) for name in names if name.endswith((".md", ".yaml", ".json")))
    for name in sorted(chosen, key=lambda name: name.split(os.sep)):
        content = Path(folder, name).read_bytes()
        found.update(name.replace(os.sep, "/").encode() + b"\0" + content + b"\0")
    return found.hexdigest()


class Seen:
    """Whether a folder fitted its schemas, or those of ``form``, when it was last looked at with just this content.

    That is remembered in the user's cache folder, and where it cannot be, the schemas are asked each time.
    """

    def __init__(self, folder: Path, content: str, form: str = "") -> None:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self._file = Path(cache, "tolami", sha256(bytes(folder.absolute() / form)).hexdigest()[:16])
        self._content = content

    def __bool__(self) -> bool:
        try:
            return self._file.read_text(encoding="utf-8") == self._content
        except (OSError, ValueError):
            return False

    def remember(self) -> None:
        """Remembers it for the next time."""
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(self._content, encoding="utf-8")
