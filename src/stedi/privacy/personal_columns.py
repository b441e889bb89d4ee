"""Which columns of a select's result are made of personal ones, under whatever name: `masking.py` hides these.

By name, over the whole select: a name that is personal in one place of it counts as personal in all. What cannot be
told counts as personal. So now and then a harmless number is hidden; write it as a count, or under another name.
"""

from collections.abc import Collection, Iterator

from sqlglot import exp, parse_one

from stedi.contract.tables import PERSONAL, TABLES

_COUNTS = (exp.Count, exp.CountIf, exp.RowNumber, exp.ApproxDistinct)
_CLAUSES = (exp.Where, exp.Having, exp.Group, exp.Order)  # these decide which rows there are, and are not shown
_COLUMNS = {column.name for table in TABLES for column in table.columns}
TIMES = {column.name for table in TABLES for column in table.columns if column.is_time} - PERSONAL.keys()


def personal_outputs(select: str, names: list[str]) -> set[str]:
    """Those names of a select's result whose values tell more than a count."""
    return _outputs_from(parse_one(select, read="athena"), names, set(PERSONAL), _COUNTS)


def time_outputs(select: str, names: list[str]) -> set[str]:
    """Those names of a result whose values are made of the time of one reading: not of a count, a maximum, a mean."""
    return _outputs_from(parse_one(select, read="athena"), names, set(TIMES), (*_COUNTS, exp.AggFunc))


def renamed_outputs(select: str, names: list[str]) -> set[str]:
    """Those names of a result that may hold something else than the column of that name in a table."""
    tree = parse_one(select, read="athena")
    if tree.find(exp.SetOperation, exp.Pivot):
        return set(names)
    given = {each.alias.lower() for each in tree.find_all(exp.Alias) if not _keeps_name(each)} | _aliased_columns(tree)
    return {name for name in names if name.lower() in given}


def names_from_values(select: str, names: list[str]) -> set[str]:
    """Those names of a result that are no names, but values of the data: a PIVOT makes columns of these."""
    tree = parse_one(select, read="athena")
    if not tree.find(exp.Pivot):
        return set()
    written = _COLUMNS | {each.alias.lower() for each in tree.find_all(exp.Alias) if not each.find_ancestor(exp.Pivot)}
    return {name for name in names if name.lower() not in written}


def _outputs_from(tree: "exp.Expr", names: list[str], origins: set[str], exempt: tuple) -> set[str]:
    if tree.find(exp.Pivot):  # nothing tells which values are under which name
        return set(names)
    personal = _names_made_of(tree, origins, exempt)
    outputs = [each for query in tree.find_all(exp.Select) for each in query.expressions]
    known = (_COLUMNS - origins) | {each.output_name.lower() for each in outputs} - {""}
    doubtful = any(each.is_star or _reveals(each, personal, exempt) for each in outputs)
    return {name for name in names if name.lower() in personal or (doubtful and name.lower() not in known)}


def _names_made_of(tree: "exp.Expr", origins: set[str], exempt: tuple) -> set[str]:
    """Every name that a value of these columns has somewhere in the select."""
    named = {each.alias.lower() for each in tree.find_all(exp.Alias)}
    names = origins | _unknown_names(tree, named) | _aliased_columns(tree)
    before = 0
    while before < len(names):
        before = len(names)
        names |= {each.alias.lower() for each in tree.find_all(exp.Alias) if _reveals(each.this, names, exempt)}
        names |= _compared_names(tree, names, (_COLUMNS - origins) - named)
        for union in tree.find_all(exp.SetOperation):  # by place, so the first select names the columns of the others
            if any(each.is_star or _reveals(each, names, exempt) for each in _outputs(union)):
                names |= {each.output_name.lower() for each in _outputs(union)} - {""}
    return names


def _unknown_names(tree: "exp.Expr", named: set[str]) -> set[str]:
    """Names of columns that no table has and no `as` gives: parts of a row, whole rows, what a function makes."""
    rows = {each.alias_or_name.lower() for each in tree.find_all(exp.Table, exp.TableAlias, exp.CTE)}
    rows |= {each.alias_or_name.lower() for each in tree.find_all(exp.Subquery, exp.Unnest)} - {""}
    asked = [each for each in tree.find_all(exp.Column) if not isinstance(each.this, exp.Star)]
    whole = {each.name.lower() for each in asked if not each.table and each.name.lower() in rows}
    return whole | {each.name.lower() for each in asked} - _COLUMNS - named


def _compared_names(tree: "exp.Expr", personal: set[str], harmless: Collection[str]) -> set[str]:
    """The columns that a condition holds against personal ones, and so may have their values."""
    conditions = [each.this for each in tree.find_all(exp.Where, exp.Having, exp.Qualify)]
    conditions += [join.args["on"] for join in tree.find_all(exp.Join) if join.args.get("on")]
    found: set[str] = set()
    for condition in conditions:
        for part in _leaves(condition):
            names = {column.name.lower() for column in part.find_all(exp.Column)}
            found |= names if names & personal else set()
    return found - set(harmless)


def _leaves(condition: "exp.Expr") -> Iterator["exp.Expr"]:
    """The parts of a condition between `and`, `or` and `not`."""
    if isinstance(condition, (exp.And, exp.Or, exp.Not, exp.Paren)):
        for part in condition.iter_expressions():
            yield from _leaves(part)
    else:
        yield condition


def _aliased_columns(tree: "exp.Expr") -> set[str]:
    """The names that a table's alias gives its columns, by place: of what, nobody looks at."""
    return {each.name.lower() for alias in tree.find_all(exp.TableAlias) for each in alias.columns}


def _keeps_name(alias: "exp.Alias") -> bool:
    return isinstance(alias.this, exp.Column) and alias.this.name.lower() == alias.alias.lower()


def _outputs(query: "exp.Expr") -> Iterator["exp.Expr"]:
    """The output columns of every select of a union, one after the other."""
    if isinstance(query, exp.SetOperation):
        yield from _outputs(query.this)
        yield from _outputs(query.expression)
    elif isinstance(query, exp.Subquery):
        yield from _outputs(query.this)
    elif isinstance(query, exp.Select):
        yield from query.expressions


def _reveals(node: "exp.Expr", personal: set[str], exempt: tuple) -> bool:
    """Whether an expression gives anything of a personal value. A count does not."""
    if isinstance(node, (*exempt, *_CLAUSES)):
        return False
    if isinstance(node, (exp.Star, exp.Columns)):  # within an expression: a row, whatever is in it
        return True
    if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
        return node.name.lower() in personal
    return any(_reveals(each, personal, exempt) for each in node.iter_expressions())
