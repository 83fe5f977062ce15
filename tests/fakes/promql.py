"""Reads queries of Prometheus far enough to say which series and labels they are about, and to refuse what is
no query. Source: Prometheus, "Querying basics", "Operators", "Functions".
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<number>\d+(?:\.\d+)?(?:[smhdwy](?![a-z]))?)"
    r"|(?P<name>[A-Za-z_:][\w:]*)|(?P<variable>\$\w+)|(?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\[\],]))"
)
AGGREGATIONS = {"sum", "max", "min", "avg", "count"}
RANKED = {"topk", "bottomk"}
OF_RANGES = {"rate", "increase", "max_over_time", "min_over_time", "avg_over_time"}
OF_BUCKETS = {"histogram_quantile"}
OPERATORS = {"+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"}


class NoQuery(ValueError):
    """It is not PromQL, or more of it than is known here."""


@dataclass
class Query:
    """``labels`` are those used in matchers, by series; ``grouped`` those that a result is grouped by, with
    the series that they must come from."""

    labels: dict[str, set[str]] = field(default_factory=dict)
    grouped: list[tuple[set[str], set[str]]] = field(default_factory=list)


def read_query(text: str) -> Query:
    """Raises NoQuery."""
    reader = _Reader(text)
    reader.expression()
    if reader.here is not None:
        raise NoQuery(f"{reader.here!r} is too much in {text!r}")
    return reader.query


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self.query = Query()

    @property
    def here(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self, *wanted: str) -> str:
        token = self.here
        if token is None or (wanted and token not in wanted):
            raise NoQuery(f"{token!r} where {wanted or 'more'} is wanted in {self._text!r}")
        self._at += 1
        return token

    def expression(self) -> set[str]:
        """The series in it."""
        names = self.operand()
        while self.here in OPERATORS:
            self.take()
            names |= self.operand()
        return names

    def operand(self) -> set[str]:
        token = self.take()
        if token == "(":
            names = self.expression()
            self.take(")")
            return names
        if token[0].isdigit():
            return set()
        if not re.fullmatch(r"[A-Za-z_:][\w:]*", token):
            raise NoQuery(f"{token!r} is no operand in {self._text!r}")
        if token in AGGREGATIONS | RANKED:
            return self.aggregation(token)
        if token in OF_RANGES | OF_BUCKETS:
            return self.function(token)
        return self.selector(token, is_range=False)

    def aggregation(self, name: str) -> set[str]:
        labels = self.grouping()
        self.take("(")
        if name in RANKED:
            self.number()
        names = self.expression()
        self.take(")")
        labels |= self.grouping()
        self.query.grouped.append((labels, names))
        return names

    def grouping(self) -> set[str]:
        if self.here != "by":
            return set()
        self.take("by")
        self.take("(")
        labels = {self.take()}
        while self.take(",", ")") == ",":
            labels.add(self.take())
        return labels

    def function(self, name: str) -> set[str]:
        self.take("(")
        if name in OF_RANGES:
            names = self.selector(self.take(), is_range=True)
        else:
            self.number()
            names = self.expression()
            if not all(one.endswith("_bucket") for one in names):
                raise NoQuery(f"{name} wants buckets in {self._text!r}")
        self.take(")")
        return names

    def number(self) -> None:
        if not self.take()[0].isdigit():
            raise NoQuery(f"a number is wanted in {self._text!r}")
        self.take(",")

    def selector(self, name: str, *, is_range: bool) -> set[str]:
        labels = self.query.labels.setdefault(name, set())
        if self.here == "{":
            self.take()
            while True:
                labels.add(self.take())
                self.take("=", "!=", "=~", "!~")
                if self.take()[0] not in "\"'":
                    raise NoQuery(f"a text is wanted in {self._text!r}")
                if self.take(",", "}") == "}":
                    break
        if is_range:
            self.take("[")
            self.take()
            self.take("]")
        return {name}


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NoQuery(f"{text[at:]!r} is not understood")
        found.append(token.group().strip())
        at = token.end()
    return found
