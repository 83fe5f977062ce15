"""Built-in rules: read from an operator's file, refused with the number of the rule that is wrong."""

import pytest

from bessemer.domain.inspection.built_in import parse_built_in_rules
from bessemer.domain.inspection.rule import in_order
from bessemer.kernel.error import InvalidValue

RULE = "- actions: [{op: log, args: {msg: hello}}]\n"


def test_rules_keep_the_order_of_the_file_and_may_have_any_priority() -> None:
    text = RULE + "  priority: -1\n" + RULE + "  description: first\n" + RULE + "  priority: 100000\n"
    rules = parse_built_in_rules(text.encode())
    assert [rule.priority for rule in in_order(rules)] == [100000, 0, -1]
    assert len({rule.uuid for rule in rules}) == 3
    assert parse_built_in_rules(text.encode()) == rules


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no YAML"), ("a: 1", "a list"), (RULE + "- {}", "Rule 2"), (RULE + "  zork: 1", "Rule 1"),
        ("- actions: [{op: zork, args: {}}]", "Rule 1"), ("- actions: []", "Rule 1"),
        (RULE + "  conditions: [{op: eq}]", "Rule 1"), (RULE + "  phase: late", "Rule 1"),
        (RULE + "  uuid: zork", "Rule 1"), (RULE + "  priority: high", "Rule 1"), ("- 7", "Rule 1"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        parse_built_in_rules(text.encode())
