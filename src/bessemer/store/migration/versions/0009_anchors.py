"""Anchors of the audit trail that a newer one has made useless may be deleted: they would gather for ever.

An expanding change: the release before deletes none.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_DELETABLE = "OLD.position < (SELECT MAX(position) FROM audit_anchors)"
_REFUSAL = "the audit trail is append-only"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_anchors_no_delete")
        op.execute(
            "CREATE TRIGGER audit_anchors_no_delete BEFORE DELETE ON audit_anchors "
            f"WHEN NOT ({_DELETABLE}) BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION audit_anchors_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN IF {_DELETABLE} THEN RETURN OLD; END IF; END IF; "
        f"RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
