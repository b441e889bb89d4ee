import pytest

from stedi.contract import paths, policies, sql
from stedi.contract.errors import BadInput


@pytest.mark.parametrize("name", policies.POLICIES)
def test_policy_has_folders_of_sql_and_suites_and_falls_back_on_the_course(name):
    policy = policies.policy(name)
    assert (policy.folders[0], policy.folders[-1]) == (name, "course")
    for folder in policy.folders:
        assert list((sql.FOLDER / folder).glob("*.sql"))
        assert list((paths.EXPECTATIONS / folder).glob("*.json"))


@pytest.mark.parametrize("name", ["standout", "strict"])
def test_policy_holds_suites_for_just_the_tables_that_it_defines_anew(name):
    tables = {path.stem for path in (sql.FOLDER / name).glob("*.sql")}
    assert {path.stem for path in (paths.EXPECTATIONS / name).glob("*.json")} == tables


def test_policy_that_does_not_exist_is_refused():
    with pytest.raises(BadInput, match="There is no policy 'lenient'. Choose one of: course, standout, strict"):
        policies.policy("lenient")
