"""What rules ask a chart for by an id: drugs, their classes, conditions and measurements that the terminology lacks.

Such a rule would find nothing, ever, and say nothing. Read from the source of the rules and of what they rest on:
an id written there, or named there as a constant of its module. One that is worked out the chart itself refuses.
"""

import ast
import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from service.engine.concerns import concerns_of
from service.engine.finding import Rule
from service.engine.library import Library
from service.engine.review import modules_of, parsed
from service.facts import EGFR_COMPUTED
from service.files import Fault

KINDS = {
    "drugs": {"names", "drafts", "selected", "current", "past", "stops", "in_question", "taken_or_drafted"}
    | {"allergic", "starts", "taken_since"},
    "classes": {"of_class", "partners"},
    "conditions": {"has", "active", "named"},
    "observations": {"measured", "latest"},
}
"""The questions of a chart, and the kind of ids that each is asked with."""
KIND_OF = {question: kind for kind, questions in KINDS.items() for question in questions}
OF_SUBJECTS = {"drafts", "selected", "in_question", "taken_or_drafted"}
"""The questions that are asked of the guideline's own drugs: without one of these nothing is said."""
BESIDES = {"partners": 2, "named": 1}
"""Arguments that come before the ids."""
HELD = {"drugs", "classes", "sets", "reasons"}
"""What holds ids of any kind, and is looked into with ``in``, ``&`` or ``isdisjoint``."""


def unknown_ids(library: Library, rules: Sequence[Rule]) -> Iterator[Fault]:
    """Questions with an id that terminology or subjects lack, with the file and line, and subjects not asked for."""
    known = library.terminology.ids
    every = frozenset(library.terminology.words.metabolisers).union(*known.values())
    subjects, asked = set(library.plan.subjects), set[str]()
    for module in dict.fromkeys(module for rule in rules for module in modules_of(rule)):
        file = Path(inspect.getfile(module))
        for node in ast.walk(parsed(module)):
            for question, expression in _asked(node):
                kind = KIND_OF.get(question, "*")
                for id_ in _ids(expression, module):
                    if id_ not in (every if kind == "*" else known.get(kind, ())) and id_ != EGFR_COMPUTED:
                        wrong = f"{question} asks for '{id_}', which is not in terminology/{kind}"
                        yield Fault(f"{file.parent.name}/{file.name}", expression.lineno, wrong)
                    elif question in OF_SUBJECTS and id_ not in subjects:
                        wrong = f"{question} asks for '{id_}', which is not among the subjects of guideline.yaml"
                        yield Fault(f"{file.parent.name}/{file.name}", expression.lineno, wrong)
                    asked |= {id_} if question in OF_SUBJECTS else set()
    for drug in sorted(subjects - asked):
        yield Fault("guideline.yaml", 0, f"subjects: no rule asks for '{drug}'")
    yield from _of_tables(library)


def _of_tables(library: Library) -> Iterator[Fault]:
    """Classes of drugs that rows of cards name and that the terminology lacks."""
    for card in library.cards.values():
        for kind, concern in concerns_of(card.thresholds).items():
            for class_ in sorted({*concern.classes} - library.terminology.ids.get("classes", frozenset())):
                wrong = f"reasons: '{kind}' asks for '{class_}', which is not in terminology/classes"
                yield Fault(card.file, 0, wrong)


def _asked(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The questions that a piece of source asks, each with an expression for the ids."""
    match node:
        case ast.Call(func=ast.Attribute(attr="isdisjoint", value=held), args=[ids]) if _name(held) in HELD:
            yield _name(held), ids
        case ast.Call() if _name(node) in KIND_OF:
            yield from ((_name(node), ids) for ids in node.args[BESIDES.get(_name(node), 0) :])
        case ast.Compare(left=ids, ops=[ast.In() | ast.NotIn()], comparators=[held]) if _name(held) in HELD:
            yield _name(held), ids
        case ast.BinOp(left=held, op=ast.BitAnd(), right=ids) if _name(held) in HELD:
            yield _name(held), ids


def _name(expression: ast.expr) -> str:
    """The last name of what an expression calls or reads."""
    read = expression.func if isinstance(expression, ast.Call) else expression
    return str(getattr(read, "attr", getattr(read, "id", "")))


def _ids(written: ast.expr, module: ModuleType) -> Iterator[str]:
    match written:
        case ast.Starred(value=value):
            yield from _ids(value, module)
        case ast.Set(elts=items) | ast.Tuple(elts=items) | ast.Call(func=ast.Name(id="set"), args=items):
            for item in items:
                yield from _ids(item, module)
        case ast.Constant(value=str(id_)):
            yield id_
        case ast.Name(id=name):
            constant = vars(module).get(name)
            several = constant if isinstance(constant, tuple | frozenset | set) else (constant,)
            yield from sorted(id_ for id_ in several if isinstance(id_, str))
