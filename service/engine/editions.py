"""The guideline for one client on one day: with its hospital's policy and the sign-offs that are still valid."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.policy import Policy, read_policy
from service.engine.rendering import LOCAL, Renderer
from service.engine.review import valid_until
from service.trust.clients import Clients

EVERYBODY = ""
"""Stands for the clients without a policy of their own."""

Edition = tuple[Guideline, Renderer]


def policies_of(own: Path | None, clients: Clients, library: Library) -> dict[str, Policy]:
    """The policies of hospitals by the client's name, the service's own under EVERYBODY. Raises FaultyLibrary."""
    files = {client.name: client.policy for client in clients.all} | {EVERYBODY: own}
    return {name: read_policy(file, library) for name, file in files.items() if file is not None}


@dataclass(frozen=True, slots=True)
class Editions:
    """Makes a guideline's editions, each once. ``policies`` are by the name of the client."""

    guideline: Guideline
    public_url: str = LOCAL
    policies: Mapping[str, Policy] = field(default_factory=dict)
    _made: dict[Policy, Edition] = field(default_factory=dict)

    def of(self, client: str, day: date) -> Edition:
        """The guideline for a client on a day, with the renderer of its words."""
        policy = self.policies.get(client, self.policies.get(EVERYBODY, ()))
        now = tuple(change for change in policy if change.in_force(day))
        if now not in self._made:
            guideline = self.guideline.under(now)
            self._made[now] = (guideline, Renderer.of(guideline.library, self.public_url, valid_until(guideline)))
        return self._made[now]
