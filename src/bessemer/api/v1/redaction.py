"""Fields of nodes that not everybody sees, and what is shown in their place.

Source: v1 contract, access rules: field_visibility.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from bessemer.api.v1.view import View
from bessemer.service.node_field import HIDEABLE, Sight

_DOCUMENTS = frozenset({"driver_info", "driver_internal_info"})
_WHOSE = ("owner", "lessee")


class Redaction:
    """Rows of nodes for ``shown``, as one caller may see them."""

    def __init__(self, sight: Sight, shown: View) -> None:
        self._sight = sight
        has_any = not HIDEABLE.isdisjoint(shown.columns) and not self._sight.is_whole
        self._places = {name: n for n, name in enumerate(shown.columns) if has_any and name in HIDEABLE}
        #: What the store must give for ``rows``.
        self.columns: Sequence[str] = (*shown.columns, *_WHOSE) if has_any else shown.columns

    def rows(self, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """Rows of ``columns``, with what is hidden replaced."""
        return [self.row(row[:-2], *row[-2:]) for row in rows] if self._places else rows

    def row(self, row: Sequence[Any], owner: str | None, lessee: str | None) -> Sequence[Any]:
        """A row of the view's own columns, of a node of these projects."""
        hidden = self._sight.hidden(owner, lessee) if self._places else {}
        if not hidden:
            return row
        found = list(row)
        for name, rule in hidden.items():
            if name in self._places:
                found[self._places[name]] = _instead(name, rule)
        return found


def _instead(name: str, rule: str) -> str:
    """A text, or the JSON text of a document with one key."""
    text = f"** hidden: needs the rule {rule} **"
    return msgspec.json.encode({"content": text}).decode() if name in _DOCUMENTS else text
