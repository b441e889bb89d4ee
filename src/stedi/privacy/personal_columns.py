"""Which columns of a select's result are made of personal ones, under whatever name: `masking.py` hides these.

By name, over the whole select: a name that is personal in one place of it counts as personal in all. So now and then a
harmless number is hidden; write it as a count, or under another name.
"""

from collections.abc import Iterator

from sqlglot import exp, parse_one

from stedi.contract.tables import PERSONAL, TABLES

_COUNTS = (exp.Count, exp.CountIf, exp.RowNumber)
_CLAUSES = (exp.Where, exp.Having, exp.Group, exp.Order)  # these decide which rows there are, and are not shown
_HARMLESS = {column.name for table in TABLES for column in table.columns} - PERSONAL.keys()


def personal_outputs(select: str, names: list[str]) -> set[str]:
    """Those names of a select's result whose values tell more than a count, or a length of time."""
    tree = parse_one(select, read="athena")
    personal = _personal_names(tree)
    outputs = [each for query in tree.find_all(exp.Select) for each in query.expressions]
    known = _HARMLESS | {each.output_name.lower() for each in outputs} - {""}
    doubtful = any(each.is_star or _reveals(each, personal) for each in outputs)
    return {name for name in names if name.lower() in personal or (doubtful and name.lower() not in known)}


def _personal_names(tree: "exp.Expr") -> set[str]:
    """Every name that a personal value has somewhere in the select."""
    names = set(PERSONAL) | {each.name.lower() for alias in tree.find_all(exp.TableAlias) for each in alias.columns}
    before = 0
    while before < len(names):
        before = len(names)
        for query in tree.find_all(exp.Select):
            names |= {each.output_name.lower() for each in query.expressions if _reveals(each, names)} - {""}
        for union in tree.find_all(exp.SetOperation):  # by place, so the first select names the columns of the others
            if any(each.is_star or _reveals(each, names) for each in _outputs(union)):
                names |= {each.output_name.lower() for each in _outputs(union)} - {""}
    return names


def _outputs(query: "exp.Expr") -> Iterator["exp.Expr"]:
    """The output columns of every select of a union, one after the other."""
    if isinstance(query, exp.SetOperation):
        yield from _outputs(query.this)
        yield from _outputs(query.expression)
    elif isinstance(query, exp.Subquery):
        yield from _outputs(query.this)
    elif isinstance(query, exp.Select):
        yield from query.expressions


def _reveals(node: "exp.Expr", personal: set[str]) -> bool:
    """Whether an expression gives a personal value. A count does not, nor the time between two dates."""
    if isinstance(node, (*_COUNTS, *_CLAUSES)):
        return False
    if isinstance(node, exp.Sub) and all(side.find(exp.Column) for side in (node.left, node.right)):
        return False
    if isinstance(node, exp.Column):
        return node.name.lower() in personal
    return any(_reveals(each, personal) for each in node.iter_expressions())
