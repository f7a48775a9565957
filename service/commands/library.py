"""The cards, as a command needs them."""

from typing import TYPE_CHECKING

from service.commands.speech import stop

if TYPE_CHECKING:
    from cards.library import Library


def library() -> "Library":
    """The cards; the command ends with their faults when they cannot be used."""
    from cards.faults import FaultyLibrary
    from cards.library import load

    try:
        return load()
    except FaultyLibrary as faulty:
        stop(f"The cards cannot be used as they are:\n{faulty}", 1)
