"""Operations on the wire: ``GET /v2/nodes/{ident}/operations`` and ``GET /v2/operations/{uuid}``.

Arguments are left out: they may hold what a caller gave in confidence.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bessemer.api.v1.error import headers_of, status_of
from bessemer.api.v2.route import RuledRoute
from bessemer.domain.operation import JournalEntry, Operation
from bessemer.kernel.error import BessemerError, InvalidValue
from bessemer.service.caller import Caller
from bessemer.service.operation import GET, LIST, OperationService
from bessemer.store.page import Page
from bessemer.store.queue import Place

_MOST = 1000
_SHOWN = (
    "uuid", "node_uuid", "kind", "state", "position", "phase", "attempt", "progress", "progress_text",
    "wait_for", "wake_at", "deadline_at", "cancel_reason", "error", "requested_by", "request_id", "project",
    "created_at", "started_at", "step_started_at", "finished_at",
)  # fmt: skip


def routes(service: OperationService, caller_of: Callable[[Request], Caller]) -> list[RuledRoute]:
    """The routes, for the composition root to mount."""

    async def of_node(request: Request) -> Response:
        async def answer() -> Any:
            query = request.query_params
            page = Page(
                limit=_limit(query.get("limit")), marker=_marker(query.get("marker")), sort_dir="desc"
            )
            found = await service.list_of_node(caller_of(request), request.path_params["ident"], page)
            return {"operations": [shown(operation, place) for operation, place in found]}

        return await _answered(answer)

    async def one(request: Request) -> Response:
        async def answer() -> Any:
            operation, journal, place = await service.get(caller_of(request), request.path_params["uuid"])
            return {**shown(operation, place), "journal": shown_journal(journal)}

        return await _answered(answer)

    return [
        RuledRoute("/v2/nodes/{ident}/operations", of_node, rule=LIST, methods=["GET"]),
        RuledRoute("/v2/operations/{uuid}", one, rule=GET, methods=["GET"]),
    ]


def shown(operation: Operation, place: Place | None) -> dict[str, Any]:
    """``queue`` tells where in the queue it is; null when it is not there any more."""
    fields = {name: getattr(operation, name) for name in _SHOWN}
    fields["priority"] = operation.priority.name.lower()
    plan = [{"step": item.step, "title": item.title} for item in operation.plan]
    return {**fields, "queue": place, "plan": plan}


def shown_journal(journal: Sequence[JournalEntry]) -> list[dict[str, Any]]:
    keys = ("at", "position", "step", "title", "attempt", "event", "duration_s", "detail")
    return [{key: getattr(entry, key) for key in keys} for entry in journal]


def _limit(text: str | None) -> int:
    if text is None:
        return 100
    if len(text) > len(str(_MOST)) or not text.isdecimal() or not 0 < int(text) <= _MOST:
        raise InvalidValue(f"limit must be a number from 1 to {_MOST}, not '{text[:20]}'.")
    return int(text)


def _marker(text: str | None) -> str | None:
    if text is not None and "\x00" in text:
        raise InvalidValue("marker must not contain NUL.")
    return text


async def _answered(answer: Callable[[], Any]) -> Response:
    try:
        return _json(await answer(), 200)
    except BessemerError as error:
        described = {
            "code": error.code,
            "fault": error.fault,
            "message": error.message,
            "hint": error.hint,
        }
        return _json({"error": described}, status_of(error))


def _json(document: Any, status: int) -> Response:
    answer = Response(msgspec.json.encode(document), status, media_type="application/json")
    answer.raw_headers.extend(headers_of(status))
    return answer
