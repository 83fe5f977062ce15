"""What a request presents to prove who asks, how strategies answer, and how they refuse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bessemer.service.caller import Caller

Headers = Sequence[tuple[bytes, bytes]]

#: Nobody: what a public call without credentials is made by.
ANONYMOUS = Caller()


@dataclass(slots=True)
class Proof:
    """The parts of a request that authentication looks at.

    Headers that state an identity (``X-User-Id``, ``X-Roles`` and the like) are not among them: from
    outside they are claims, not proof, and no part of Bessemer reads them.
    """

    method: str
    path: str
    address: str = ""
    token: str = ""
    service_token: str = ""
    authorization: str = ""


class Denial(Exception):
    """The request is not authenticated (401), not now (503), asked too often (429), or we failed (500)."""

    def __init__(self, status: int, text: str, headers: Headers = ()) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


class Authentication(Protocol):
    """One strategy. The caller it gives lacks what belongs to the request: id and address."""

    async def identify(self, proof: Proof) -> Caller:
        """Raises Denial."""
        ...

    async def close(self) -> None:
        """Let go of connections and work in flight."""
        ...
