"""The notebooks as they are committed: clean, parameterised, readable."""

import ast

import pytest

from notebook_files import NOTEBOOKS, PATHS, cells, parameters, source
from stedi.contract.notebooks import DELETE, STEPS
from stedi.notebook_runner.options import Options


def test_notebooks_on_disk_are_those_that_run():
    assert [path.stem for path in PATHS] == [*STEPS, DELETE]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_without_outputs(name):
    for cell in cells(name, "code"):
        assert cell["outputs"] == [] and cell["execution_count"] is None


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_first_code_cell_is_the_parameters_each_with_type_default_and_help(name):
    first, *others = cells(name, "code")
    assert first["metadata"]["tags"] == ["parameters"]
    assert not any(cell["metadata"].get("tags") for cell in others)
    for line, statement in zip(source(first).splitlines(), ast.parse(source(first)).body, strict=True):
        assert isinstance(statement, ast.AnnAssign), line
        assert isinstance(ast.literal_eval(statement.value), (str, int, float, bool)), line
        assert type(ast.literal_eval(statement.value)).__name__ == statement.annotation.id, line
        assert "  # " in line, line


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_defaults_are_those_of_the_command_line(name):
    options = vars(Options()) | {"run_id": "", "confirm": False}
    assert parameters(name).items() <= options.items()


def test_every_option_is_a_parameter_of_some_notebook():
    used = {key for name in STEPS for key in parameters(name)}
    assert vars(Options()).keys() - {"full"} <= used  # that one decides whether notebooks run at all


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_second_code_cell_is_the_imports_and_nothing_else_imports(name):
    _, imports, *others = cells(name, "code")
    kinds = (ast.Import, ast.ImportFrom)
    assert all(isinstance(statement, kinds) for statement in ast.parse(source(imports)).body)
    assert not any(isinstance(node, kinds) for cell in others for node in ast.walk(ast.parse(source(cell))))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_function_is_defined_and_cells_are_short(name):
    for cell in cells(name, "code"):
        assert not any(
            isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)) for node in ast.walk(ast.parse(source(cell)))
        )
        assert len(source(cell).splitlines()) <= 12


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_opens_with_what_it_reads_writes_and_promises(name):
    opening = source(NOTEBOOKS[name]["cells"][0])
    assert opening.startswith(f"# {int(name[:2])}. ")
    assert "**Reads**" in opening
    assert ("**Promises**" in opening and "**Writes**" in opening) or "**Deletes**" in opening


@pytest.mark.parametrize("name", STEPS[1:4])
def test_every_table_that_is_built_has_its_sql_shown_before(name):
    text = [source(cell) for cell in cells(name, "code")]
    for position, cell in enumerate(text):
        if cell.startswith(("run.build(", "run.land(")):
            assert text[position - 1] == f"run.show_sql({cell.partition('(')[2]}"
