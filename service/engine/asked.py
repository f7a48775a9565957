"""What rules ask a chart for by an id: drugs, their classes, conditions and measurements that the terminology lacks.

Such a rule would find nothing, ever, and say nothing. Read from the rules' source: an id written there, or named there
as a constant of its module. One that is worked out is not seen.
"""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from service.engine.finding import Rule
from service.engine.library import Library
from service.files import Fault

KINDS = {
    "drugs": {"names", "drafts", "selected", "current", "past", "stops", "in_question", "taken_or_drafted"},
    "classes": {"of_class", "partners"},
    "conditions": {"has", "active", "named"},
    "observations": {"measured", "latest"},
}
"""The questions of a chart, and the kind of ids that each is asked with."""
KIND_OF = {question: kind for kind, questions in KINDS.items() for question in questions}
BESIDES = {"partners": 2, "named": 1}
"""Arguments that come before the ids."""
COMPUTED = {"observations": {"egfr-computed"}}
"""What the chart itself works out."""


def unknown_ids(library: Library, rules: Sequence[Rule]) -> Iterator[Fault]:
    """Questions with an id that the terminology lacks, each with the file and line of the rule's module."""
    known = {kind: {set_.id for set_ in library.terminology.sets if set_.kind == kind} for kind in KINDS}
    for name in dict.fromkeys(rule.__module__ for rule in rules):
        module = sys.modules[name]
        file = Path(inspect.getfile(module))
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and (question := _question(call)) in KIND_OF:
                kind = KIND_OF[question]
                for id_ in _ids(call.args[BESIDES.get(question, 0) :], module):
                    if id_ not in known[kind] | COMPUTED.get(kind, set()):
                        wrong = f"{question} asks for '{id_}', which is not in terminology/{kind}"
                        yield Fault(f"{file.parent.name}/{file.name}", call.lineno, wrong)


def _question(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _ids(arguments: Iterable[ast.expr], module: ModuleType) -> Iterator[str]:
    for argument in arguments:
        written = argument.value if isinstance(argument, ast.Starred) else argument
        value = written.value if isinstance(written, ast.Constant) else vars(module).get(getattr(written, "id", ""))
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | frozenset):
            yield from sorted(id_ for id_ in value if isinstance(id_, str))
