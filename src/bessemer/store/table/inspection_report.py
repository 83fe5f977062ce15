"""What an inspection has brought in and not yet made use of."""

from sqlalchemy import Column, ForeignKey, Table

from bessemer.store.table.column import METADATA, TEXT, json, text

INSPECTION_REPORTS = Table(
    "inspection_reports",
    METADATA,
    Column(
        "node_uuid",
        TEXT,
        ForeignKey("nodes.uuid", name="fk_inspection_reports_node_uuid", ondelete="CASCADE"),
        primary_key=True,
    ),
    text("created_at", is_required=True),
    json("report"),
    json("calls", default=None),
)
