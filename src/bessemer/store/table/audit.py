"""The audit trail: an inbox of events, the chain they are put into, and the anchors it may be cut at.

Triggers keep links from being changed, and from being deleted unless an anchor lies behind them. Of anchors
the newest stays.
"""

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, Table, Text, UniqueConstraint, event

from bessemer.store.table.column import METADATA, key, text

_BIG = BigInteger().with_variant(Integer(), "sqlite")

AUDIT_INBOX = Table(
    "audit_inbox",
    METADATA,
    key(),
    text("uuid", is_required=True),
    Column("event", Text(), nullable=False),
    UniqueConstraint("uuid"),
)

AUDIT_EVENTS = Table(
    "audit_events",
    METADATA,
    Column("position", _BIG, primary_key=True, autoincrement=False),
    text("uuid", is_required=True),
    text("at", is_required=True),
    text("user"),
    text("project"),
    text("resource", is_required=True),
    text("request_id", is_required=True),
    text("outcome", is_required=True),
    Column("event", Text(), nullable=False),
    text("hash", is_required=True),
    UniqueConstraint("uuid"),
    Index(None, "at"),
    Index(None, "resource"),
)

AUDIT_ANCHORS = Table(
    "audit_anchors",
    METADATA,
    Column("position", _BIG, primary_key=True, autoincrement=False),
    text("created_at", is_required=True),
    text("hash", is_required=True),
)

#: By table: when a row may be deleted, in SQL. Never, where nothing is said.
_DELETABLE = {
    "audit_inbox": "EXISTS (SELECT 1 FROM audit_events WHERE audit_events.uuid = OLD.uuid)",
    "audit_events": "OLD.position <= (SELECT COALESCE(MAX(position), 0) FROM audit_anchors)",
    "audit_anchors": "OLD.position < (SELECT MAX(position) FROM audit_anchors)",
}
_REFUSAL = "the audit trail is append-only"


def _sqlite(table: str, deletable: str) -> tuple[str, ...]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    update = f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}"
    delete = f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT ({deletable}) {refuse}"
    return update, delete


def _postgresql(table: str, deletable: str) -> tuple[str, ...]:
    function = (
        f"CREATE FUNCTION {table}_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN IF {deletable} THEN RETURN OLD; END IF; END IF; "
        f"RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    rows = (
        f"CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_guard()"
    )
    everything = (
        f"CREATE TRIGGER {table}_guard_all BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_guard()"
    )
    return function, rows, everything


def _guard(table: Table) -> None:
    """Make the triggers when the table is made."""
    for dialect, statements in (("sqlite", _sqlite), ("postgresql", _postgresql)):
        for statement in statements(table.name, _DELETABLE[table.name]):
            made = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", made.execute_if(dialect=dialect))


_guard(AUDIT_INBOX)
_guard(AUDIT_EVENTS)
_guard(AUDIT_ANCHORS)
