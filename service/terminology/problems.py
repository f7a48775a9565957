"""Problems in words: which condition sets they mention, and how these stand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.terminology.cues import CAPITALS, Cues, doubts, parts_of
from service.terminology.folding import plain
from service.terminology.phrases import Phrases, words_of
from service.terminology.standing import Standing

_LONGEST_NAME = 8
"""Words of a name that may be written the other way round."""
Sets = Mapping[str, frozenset[str]]
"""For a condition set others that have to do with it."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """Condition sets that words mention as present, as past, as only suspected, or so that nobody can tell.

    ``denied`` are those that they say are not there, or another person's. ``understood`` is true also for these, and
    for an ordinary problem that no rule asks for.
    """

    present: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()
    suspected: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    understood: bool = False


def together(sayings: Iterable[Mentions]) -> Mentions:
    """What several texts about one problem say together; what one of them calls present is."""
    read = tuple(sayings)
    present = frozenset[str]().union(*(saying.present for saying in read))
    past = frozenset[str]().union(*(saying.past for saying in read)) - present
    suspected = frozenset[str]().union(*(saying.suspected for saying in read)) - present - past
    unclear = frozenset[str]().union(*(saying.unclear for saying in read)) - present - past - suspected
    denied = frozenset[str]().union(*(saying.denied for saying in read)) - present - past - suspected - unclear
    return Mentions(present, past, suspected, unclear, denied, any(saying.understood for saying in read))


def beside(sets: frozenset[str], saying: Mentions, parts: Sets, near: Sets) -> Mentions:
    """What a code of these sets and the words beside it say together.

    ``parts`` are for each set its wider and narrower ones, ``near`` those that the code as good as means: neither
    contradicts it. What the words deny or only suspect does not count, though the code says so; a denial of acuteness
    denies no more.
    """
    meant = frozenset[str]().union(*(near.get(id_, frozenset()) for id_ in sets))
    about = sets.union(meant, *(parts.get(id_, frozenset()) for id_ in sets))
    suspected = sets & saying.suspected
    denied = {id_ for id_ in sets & saying.denied if parts.get(id_, frozenset()) & saying.denied <= sets}
    added = frozenset[str]() if about.isdisjoint(saying.present) else saying.present - meant
    present = (sets - suspected - denied) | added
    return Mentions(
        present,
        saying.past - present,
        saying.suspected - present,
        (saying.unclear | saying.present | denied) - present - saying.suspected - meant,
        understood=True,
    )


@dataclass(frozen=True, slots=True)
class Problems:
    """Reads problems in words.

    ``conditions`` are the phrases of the sets, ``others`` those of ordinary problems, ``lasting`` the sets for which
    what was counts as what is: falls, an allergy; ``of_orders`` those that no rule asks of a problem, so that its words
    alone are not understood; ``born`` those that a child named beside them does not take away; ``dependent`` those that
    count only beside others, with these. ``perhaps`` are abbreviations that may mean a set, with it.
    """

    conditions: Phrases
    others: Phrases
    cues: Cues
    lasting: frozenset[str]
    of_orders: frozenset[str]
    born: frozenset[str]
    dependent: Sets
    perhaps: Mapping[str, str]

    def read(self, text: str) -> Mentions:
        """What the words of one entry of a problem list, or of an order's reason, say."""
        folded = self.cues.joined(plain(self.cues.capitals(text)))
        parts = [tokens for tokens, _ in parts_of(folded)]
        named = {match.id for part in parts for match in self.conditions.find(part)}
        ordinary = any(self.others.find(part) for part in parts)
        if not named and CAPITALS not in folded:
            upright = _inverted(folded, self.conditions)
            return self.read(upright) if upright else Mentions(understood=ordinary)
        marked = self.cues.marked(folded)
        found = _told(Standing(self.conditions, self.others, self.cues, self.born, self.perhaps).read(marked))
        present = frozenset(found["present"]) | (self.lasting & found["past"])
        if lost := named.difference(*found.values()):
            # A phrase that holds a word of the cues itself: "old infarct", "history of falls".
            present |= lost if not doubts(marked) else self._beyond_doubt(folded) & lost
        past = frozenset(found["past"]) - present
        suspected = frozenset(found["suspected"]) - present - past
        unclear = frozenset(found["unclear"]) - present - past - suspected
        denied = frozenset(found["absent"] | found["family"]) - present - past - suspected - unclear
        nothing = not (present or past or suspected or unclear)
        return Mentions(present, past, suspected, unclear, denied, nothing or ordinary or not named <= self.of_orders)

    def _beyond_doubt(self, folded: str) -> frozenset[str]:
        """The sets that parts of a text name which bear no doubt themselves; none where it speaks of others."""
        if self.cues.of_others(folded):
            return frozenset()
        pieces = (piece for piece in self.cues.pieces(folded) if not doubts(self.cues.marked(piece)))
        return frozenset[str]().union(*map(self.conditions.ids, pieces))

    def of_others(self, text: str) -> bool:
        """True when a text speaks of somebody else than the patient."""
        return self.cues.of_others(plain(text))

    def status(self, words: Iterable[str]) -> str:
        """How a status in words says that a problem stands: absent, suspected or past; empty for any other words."""
        return next(filter(None, map(self.cues.status, map(plain, words))), "")


def _told(found: Mapping[str, set[str]]) -> Mapping[str, set[str]]:
    """What a text names for certain, by how it stands; what it only may name is not clear unless it is denied."""
    told = {kind: {id_ for id_ in ids if not id_.startswith("?")} for kind, ids in found.items()}
    certain = set[str]().union(*told.values())
    perhaps = {
        id_[1:] for kind, ids in found.items() if kind not in ("absent", "family") for id_ in ids if id_[0] == "?"
    }
    told["unclear"] |= perhaps - certain
    return told


def _inverted(folded: str, conditions: Phrases) -> str:
    """A name written the other way round, without its commas: "disease, coronary artery"; empty for any other text.

    A list of problems is none, so the phrase has to begin with the first word.
    """
    joined = folded.replace(",", " ")
    words = words_of(joined)
    inverted = joined != folded and len(words) <= _LONGEST_NAME and any(m.first == 0 for m in conditions.find(words))
    return joined if inverted else ""
