"""Which columns of a select's result are made of personal ones, under whatever name: `privacy.py` hides these.

By name, over the whole select: where a name is personal in one place of it, it is taken as personal in all. So now and
then a harmless number is hidden; write it as a count, or under another name.
"""

from collections.abc import Iterator

from sqlglot import exp, parse_one

from stedi.contract.tables import PERSONAL, TABLES

_COUNTS = (exp.Count, exp.CountIf, exp.RowNumber)
_CHOICES = (exp.Where, exp.Having, exp.Group, exp.Order)  # these decide which rows there are, and are not shown
_NAMES = {column.name for table in TABLES for column in table.columns} - PERSONAL.keys()


def personal(select: str, names: list[str]) -> set[str]:
    """Those of the names of a select's result whose values tell more than how many rows, or how long, it was."""
    tree = parse_one(select, read="athena")
    found = _found(tree)
    outputs = [each for query in tree.find_all(exp.Select) for each in query.expressions]
    known = _NAMES | {each.output_name.lower() for each in outputs} - {""}
    doubtful = any(each.is_star or _tells(each, found) for each in outputs)
    return {name for name in names if name.lower() in found or (doubtful and name.lower() not in known)}


def _found(tree: exp.Expression) -> set[str]:
    """Every name under which a personal value is known somewhere in the select."""
    found = set(PERSONAL) | {each.name.lower() for alias in tree.find_all(exp.TableAlias) for each in alias.columns}
    before = 0
    while before < len(found):
        before = len(found)
        for query in tree.find_all(exp.Select):
            found |= {each.output_name.lower() for each in query.expressions if _tells(each, found)} - {""}
        for union in tree.find_all(exp.SetOperation):  # by place, so the first select names what the others give
            if any(each.is_star or _tells(each, found) for each in _outputs(union)):
                found |= {each.output_name.lower() for each in _outputs(union)} - {""}
    return found


def _outputs(query: exp.Expression) -> Iterator[exp.Expression]:
    """What the selects of a union give, one after the other."""
    if isinstance(query, exp.SetOperation):
        yield from _outputs(query.this)
        yield from _outputs(query.expression)
    elif isinstance(query, exp.Subquery):
        yield from _outputs(query.this)
    elif isinstance(query, exp.Select):
        yield from query.expressions


def _tells(node: exp.Expression, found: set[str]) -> bool:
    """Whether an expression gives a personal value. A count does not, nor the time between two dates."""
    if isinstance(node, (*_COUNTS, *_CHOICES)):
        return False
    if isinstance(node, exp.Sub) and all(side.find(exp.Column) for side in (node.left, node.right)):
        return False
    if isinstance(node, exp.Column):
        return node.name.lower() in found
    return any(_tells(each, found) for each in node.iter_expressions())
