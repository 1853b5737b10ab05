"""Conditions on rows, as people write them: `snr_db > 15 and caption_source == 'llm'`.

The text is parsed as a Python expression and only what is listed here is understood: it is never run.
Nulls are as in SQL: a comparison with null is neither true nor false, and the row is left out.

    condition = parse("duration_s > 1 and emotion in ('sad', 'angry')", schema)
    mask = condition.mask(table)
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute

from pipeline.errors import UsageError, unknown, unknown_column

MOST_CHARACTERS = 2000
"""Of a condition; far more than people write, and too little to exhaust the parser."""

arrow: Any = pa  # the stubs know no argument that may be an array or a scalar of any type
pc: Any = pyarrow.compute

Values = Any  # a pyarrow array or scalar
Evaluate = Callable[[pa.Table], Values]

_COMPARE: dict[type[ast.cmpop], Any] = {
    ast.Eq: pc.equal,
    ast.NotEq: pc.not_equal,
    ast.Lt: pc.less,
    ast.LtE: pc.less_equal,
    ast.Gt: pc.greater,
    ast.GtE: pc.greater_equal,
}
_ARITHMETIC: dict[type[ast.operator], Any] = {
    ast.Add: pc.add,
    ast.Sub: pc.subtract,
    ast.Mult: pc.multiply,
    ast.Div: lambda a, b: pc.divide(pc.cast(a, pa.float64()), b),
}
_FUNCTIONS: dict[str, tuple[str, Any]] = {
    "length": ("text", pc.utf8_length),
    "lower": ("text", pc.utf8_lower),
    "contains": ("text", lambda text, part: pc.match_substring(text, part.as_py())),
    "starts": ("text", lambda text, part: pc.starts_with(text, part.as_py())),
    "abs": ("number", pc.abs),
}
_KINDS = {"text": "text", "number": "a number", "truth": "true or false", "null": "None"}
_HELP = (
    "It may compare columns with numbers and 'texts' (== != < <= > >=, in, not in, is None, is not None), "
    "join comparisons with and, or, not, calculate (+ - * /), and call length(), lower(), abs(), "
    "contains(column, 'part') and starts(column, 'part')"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition. `columns` are those it reads."""

    text: str
    columns: frozenset[str]
    _evaluate: Evaluate

    def mask(self, table: pa.Table) -> pa.ChunkedArray[Any]:
        """True for each row that meets it, false for each that does not or where that is unknown."""
        found = self._evaluate(table)
        if isinstance(found, pa.Scalar):
            found = pa.chunked_array([arrow.repeat(found, table.num_rows)])
        if isinstance(found, pa.Array):
            found = pa.chunked_array([found])
        filled: pa.ChunkedArray[Any] = pc.fill_null(pc.cast(found, pa.bool_()), False)
        return filled


def parse(text: str, schema: pa.Schema) -> Condition:
    """The condition over these columns; UsageError in one sentence for what cannot be understood."""
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"A filter has at most {MOST_CHARACTERS} characters, not {len(text)}.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"The filter {_short(text)} cannot be read. {_HELP}.") from error
    reader = _Reader(text, schema)
    try:
        kind, evaluate = reader.read(tree)
    except RecursionError as error:
        raise UsageError(f"The filter {_short(text)} is nested too deeply.") from error
    if kind != "truth":
        raise UsageError(f"The filter {_short(text)} gives {_KINDS[kind]}, not true or false.")
    return Condition(text, frozenset(reader.columns), evaluate)


def renamed(text: str, other: Callable[[str, str], str]) -> str:
    """The condition, with what `other` makes of a column and a text in the place of each text that the column
    is compared with; as it is where that changes nothing, or it cannot be read."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
        changed = [_rename(node, other) for node in ast.walk(tree) if isinstance(node, ast.Compare)]
        return ast.unparse(tree) if any(changed) else text
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text


def _rename(node: ast.Compare, other: Callable[[str, str], str]) -> bool:
    """Whether anything in this comparison has another name now."""
    sides = [node.left, *node.comparators]
    values = [v for s in sides for v in (s.elts if isinstance(s, ast.Tuple | ast.List | ast.Set) else [s])]
    changed = False
    for column in (side.id for side in sides if isinstance(side, ast.Name)):
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                new = other(column, value.value)
                changed, value.value = changed or new != value.value, new
    return changed


class _Reader:
    """Reads a syntax tree into what evaluates it, checking names and kinds on the way."""

    def __init__(self, text: str, schema: pa.Schema) -> None:
        self.text, self.schema = text, schema
        self.columns: set[str] = set()

    def read(self, node: ast.expr) -> tuple[str, Evaluate]:
        match node:
            case ast.BoolOp(op=op, values=values):
                return "truth", self._joined(op, values)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._truth(operand)
                return "truth", lambda t: pc.invert(inner(t))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self._of("number", operand)
                return "number", lambda t: pc.negate(number(t))
            case ast.Compare(left=left, ops=ops, comparators=right):
                return "truth", self._compared(left, ops, right)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                a, b, work = self._of("number", left), self._of("number", right), _ARITHMETIC[type(op)]
                return "number", lambda t: work(a(t), b(t))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._called(name, args)
            case ast.Name(id=name):
                return self._column(name)
            case ast.Constant(value=value):
                return self._constant(value)
        raise self._not_understood()

    def _joined(self, op: ast.boolop, values: list[ast.expr]) -> Evaluate:
        parts = [self._truth(v) for v in values]
        join = pc.and_kleene if isinstance(op, ast.And) else pc.or_kleene

        def evaluate(table: pa.Table) -> Values:
            found = parts[0](table)
            for part in parts[1:]:
                found = join(found, part(table))
            return found

        return evaluate

    def _compared(self, left: ast.expr, ops: list[ast.cmpop], right: list[ast.expr]) -> Evaluate:
        """`a < b < c` is `a < b and b < c`."""
        operands = [left, *right]
        parts = [self._pair(a, op, b) for a, op, b in zip(operands[:-1], ops, operands[1:], strict=True)]

        def evaluate(table: pa.Table) -> Values:
            found = parts[0](table)
            for part in parts[1:]:
                found = pc.and_kleene(found, part(table))
            return found

        return evaluate

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Evaluate:
        if isinstance(op, ast.In | ast.NotIn):
            return self._member(left, right, negated=isinstance(op, ast.NotIn))
        (kind_a, a), (kind_b, b) = self.read(left), self.read(right)
        if "null" in (kind_a, kind_b):
            return self._null_test(kind_a, a, b, op)
        if kind_a != kind_b:
            raise UsageError(
                f"The filter {_short(self.text)} compares {_KINDS[kind_a]} with {_KINDS[kind_b]}."
            )
        if type(op) not in _COMPARE:
            raise UsageError(f"The filter {_short(self.text)}: is and is not go with None only.")
        compare = _COMPARE[type(op)]
        return lambda t: compare(a(t), b(t))

    def _null_test(self, kind: str, a: Evaluate, b: Evaluate, op: ast.cmpop) -> Evaluate:
        value = b if kind == "null" else a
        if isinstance(op, ast.Is | ast.Eq):
            return lambda t: pc.is_null(value(t))
        if isinstance(op, ast.IsNot | ast.NotEq):
            return lambda t: pc.is_valid(value(t))
        raise UsageError(f"The filter {_short(self.text)} compares sizes with None.")

    def _member(self, left: ast.expr, right: ast.expr, *, negated: bool) -> Evaluate:
        if not isinstance(right, ast.Tuple | ast.List | ast.Set):
            raise UsageError(f"The filter {_short(self.text)}: in goes with a list, as in ('a', 'b').")
        kind, value = self.read(left)
        found = [self.read(item) for item in right.elts]
        if any(k != kind for k, _ in found) or not all(isinstance(i, ast.Constant) for i in right.elts):
            raise UsageError(
                f"The filter {_short(self.text)}: the list after in holds values like its left side."
            )
        values = [item.value for item in right.elts if isinstance(item, ast.Constant)]

        def evaluate(table: pa.Table) -> Values:
            column = value(table)
            hit = pc.is_in(column, value_set=pa.array(values, column.type))
            hit = pc.if_else(pc.is_valid(column), hit, None)
            return pc.invert(hit) if negated else hit

        return evaluate

    def _called(self, name: str, args: list[ast.expr]) -> tuple[str, Evaluate]:
        if name not in _FUNCTIONS:
            raise unknown("function", name, _FUNCTIONS)
        kind, work = _FUNCTIONS[name]
        wanted = 2 if name in ("contains", "starts") else 1
        if len(args) != wanted or (wanted == 2 and not isinstance(args[1], ast.Constant)):
            raise UsageError(
                f"The filter {_short(self.text)}: {name}() is called with the wrong things. {_HELP}."
            )
        parts = [self._of(kind, arg) for arg in args]
        gives = {"length": "number", "abs": "number", "lower": "text"}.get(name, "truth")
        return gives, lambda t: work(*(part(t) for part in parts))

    def _column(self, name: str) -> tuple[str, Evaluate]:
        if name not in self.schema.names:
            raise unknown_column(name, self.schema.names)
        kind = _kind(self.schema.field(name).type)
        if kind is None:
            raise UsageError(f"The column {name} holds lists: a filter cannot compare them.")
        self.columns.add(name)
        return kind, lambda t: t.column(name)

    def _constant(self, value: object) -> tuple[str, Evaluate]:
        kinds: dict[type, str] = {bool: "truth", int: "number", float: "number", str: "text"}
        if value is None:
            return "null", lambda t: arrow.scalar(None)
        if type(value) not in kinds or (isinstance(value, int) and abs(value) >= 2**63):
            raise UsageError(f"The filter {_short(self.text)} holds a value that is no number and no text.")
        scalar = arrow.scalar(value)
        return kinds[type(value)], lambda t: scalar

    def _truth(self, node: ast.expr) -> Evaluate:
        return self._of("truth", node)

    def _of(self, wanted: str, node: ast.expr) -> Evaluate:
        kind, evaluate = self.read(node)
        if kind != wanted:
            raise UsageError(
                f"The filter {_short(self.text)} has {_KINDS[kind]} where {_KINDS[wanted]} should stand."
            )
        return evaluate

    def _not_understood(self) -> UsageError:
        return UsageError(f"The filter {_short(self.text)} holds what is not understood. {_HELP}.")


def _kind(type_: pa.DataType) -> str | None:
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return "text"
    if pa.types.is_boolean(type_):
        return "truth"
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return "number"
    return None


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return repr(shown if len(shown) <= 80 else shown[:77] + "...")
