"""What a revision may do while the release before is at work on the same database, read from its source.

Everything it does is a call of Alembic's ``op`` in ``upgrade``, or SQL text; text is left to the eyes of
reviewers and to the test that runs two releases.
"""

import ast
from collections.abc import Iterator

#: Calls that take something away, or refuse what the release before may still write.
_CONTRACTING = frozenset(
    {
        "drop_table",
        "drop_column",
        "rename_table",
        "alter_column",
        "batch_alter_table",
        "create_unique_constraint",
        "create_check_constraint",
        "create_foreign_key",
        "create_primary_key",
    }
)


def breaches(source: str) -> Iterator[str]:
    """What in an expanding revision would break the release before, a sentence each."""
    tree = ast.parse(source)
    made = {_text(call.args[0]) for call in _calls(tree, "create_table")}
    for call in _calls(tree):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in _CONTRACTING:
            yield f"line {call.lineno}: {name} contracts"
        elif name == "add_column" and not _may_be_left_out(call.args[1]):
            yield f"line {call.lineno}: the release before cannot give the new column a value"
        elif name == "create_index" and _is_true(call, "unique") and _text(call.args[1]) not in made:
            yield f"line {call.lineno}: a unique index refuses what the release before may write"


def needs(source: str) -> str | None:
    """What a contracting revision says of itself; None for an expanding one."""
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "NEEDS":
            return str(ast.literal_eval(line.value))
    return None


def _calls(tree: ast.AST, name: str | None = None) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_of_op = isinstance(node.func.value, ast.Name) and node.func.value.id == "op"
            if is_of_op and name in (None, node.func.attr):
                yield node


def _may_be_left_out(column: ast.expr) -> bool:
    """Whether a row can be written without the column."""
    assert isinstance(column, ast.Call)
    given = {keyword.arg: keyword.value for keyword in column.keywords}
    nullable = given.get("nullable")
    return "server_default" in given or nullable is None or ast.literal_eval(nullable) is True


def _is_true(call: ast.Call, name: str) -> bool:
    value = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    return value is not None and ast.literal_eval(value) is True


def _text(expression: ast.expr) -> str:
    return str(expression.value) if isinstance(expression, ast.Constant) else ""
