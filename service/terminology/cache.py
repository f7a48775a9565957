"""Expansions kept on disk, one FHIR ValueSet a set, so that a start does not need the server.

A kept answer counts only for the server and the question that it answered.
"""

import json
import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from service.terminology.answer import NotUsable, read_page
from service.terminology.client import Expansion
from service.terminology.query import SNOMED, Query

SERVER = "https://tolami.github.io/fhir/StructureDefinition/expanded-by"
"""Extension with the base URL of the server that was asked."""

MOST_BYTES = 16 * 1024 * 1024
"""Largest file that is read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An expansion and the moment at which the server was asked for it."""

    expansion: Expansion
    on: datetime


@dataclass(frozen=True, slots=True)
class ExpansionCache:
    """The folder of kept answers of one server."""

    folder: Path
    server: str

    def read(self, query: Query) -> Kept | None:
        """The cached answer of this server to this question; None without a usable one."""
        path = self._path(query)
        try:
            if path.stat().st_size > MOST_BYTES:
                return None
            body = path.read_bytes()
            value = json.loads(body)
            page = read_page(body)
            on = datetime.fromisoformat(value["date"])
            asked = value["compose"]["include"][0]["valueSet"][0], value["extension"][0]["valueUrl"]
        except (OSError, ValueError, RecursionError, KeyError, IndexError, TypeError, NotUsable):
            return None
        if asked != (_canonical(query), self.server) or page.total != page.entries or on.tzinfo is None:
            return None
        return Kept(Expansion(page.members, page.version, page.identifier, page.timestamp), on)

    def write(self, query: Query, expansion: Expansion, on: datetime) -> None:
        """Keeps an answer. Raises OSError. A reader never sees half a file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(query)
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            unfinished.write_text(
                json.dumps(self._resource(query, expansion, on), indent=1, ensure_ascii=False), encoding="utf-8"
            )
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    def _path(self, query: Query) -> Path:
        return self.folder / f"{query.kind}-{query.id}.json"

    def _resource(self, query: Query, expansion: Expansion, on: datetime) -> dict[str, Any]:
        """The answer as a FHIR R4 ValueSet."""
        stated: dict[str, Any] = {"timestamp": expansion.timestamp or on.isoformat(), "total": len(expansion.members)}
        if expansion.identifier:
            stated["identifier"] = expansion.identifier
        if expansion.version:
            stated["parameter"] = [{"name": "version", "valueUri": f"{SNOMED}|{expansion.version}"}]
        if expansion.members:
            stated["contains"] = [
                {"system": SNOMED, "code": member.code} | ({"display": member.display} if member.display else {})
                for member in expansion.members
            ]
        return {
            "resourceType": "ValueSet",
            "id": query.id,
            "extension": [{"url": SERVER, "valueUrl": self.server}],
            "status": "draft",
            "date": on.isoformat(),
            "compose": {"include": [{"valueSet": [_canonical(query)]}]},
            "expansion": stated,
        }


def _canonical(query: Query) -> str:
    """The question as a FHIR canonical, in which no blank may stand."""
    return quote(query.url, safe=":/?=")
