"""What is shown of personal values."""

import numpy as np
import pandas as pd
import pytest

from stedi.contract import tables
from stedi.privacy import masking

DATES = {column.name for column in tables.CUSTOMER if column.type == "bigint"}


@pytest.mark.parametrize("column", sorted(DATES))
def test_of_a_persons_dates_only_the_year_is_shown(column):
    frame = pd.DataFrame({column: [1_655_564_444_395, None, -1, 10**18]})
    assert masking.mask_frame(frame)[column].tolist() == ["2022-•••", None, "1969-•••", "•••"]


@pytest.mark.parametrize(
    "value, shown",
    [
        pytest.param("ann@example.com", "•••", id="text"),
        pytest.param("", "•••", id="an empty text"),
        pytest.param(5550123, "•••", id="a number"),
        pytest.param(None, None, id="None stays missing"),
        pytest.param(float("nan"), None, id="NaN stays missing"),
        pytest.param(np.float64("nan"), None, id="NaN of numpy stays missing"),
        pytest.param(pd.NaT, None, id="NaT of pandas stays missing"),
    ],
)
def test_mask_shows_that_there_is_a_value_and_not_which(value, shown):
    assert masking.mask(value) == shown


@pytest.mark.parametrize(
    "missing, dtype",
    [
        pytest.param(None, "object", id="None"),
        pytest.param(float("nan"), "object", id="NaN"),
        pytest.param(None, "str", id="None in a column of text"),
        pytest.param(None, "string", id="None in a nullable column of text"),
        pytest.param(pd.NA, "object", id="NA of pandas"),
    ],
)
def test_missing_values_stay_missing_in_columns_of_every_kind(missing, dtype):
    given = pd.DataFrame({"email": pd.Series(["ann@example.com", missing], dtype=dtype)})
    shown = masking.mask_frame(given)["email"]
    assert shown[0] == "•••"
    assert pd.isna(shown[1])


@pytest.mark.parametrize("column", sorted(set(tables.PERSONAL) - DATES))
def test_personal_column_is_masked_whatever_its_type(column):
    frame = pd.DataFrame({column: ["device-ann", "device-bob"]})
    assert masking.mask_frame(frame)[column].tolist() == ["•••", "•••"]
    assert masking.mask_frame(frame.assign(**{column: [5550123, 5550124]}))[column].tolist() == ["•••", "•••"]


@pytest.mark.parametrize(
    "column, values, shown",
    [
        pytest.param(
            "timestamp", [1_600_000_000_000, None], ["2020-09-13", None], id="of the time of a reading the day"
        ),
        pytest.param("x", [0.5], [0.5], id="a measurement"),
        pytest.param("readings", [12345], [12345], id="a number under a name of its own"),
        pytest.param("owner", ["ann@example.com"], ["•••"], id="text under a name of its own"),
        pytest.param("x", ["ann@example.com"], ["•••"], id="text under the name of a measurement"),
        pytest.param("EMAIL", ["ann@example.com"], ["•••"], id="a personal column in capitals"),
        pytest.param("owners", [["ann@example.com", "bob@example.com"]], ["•••"], id="a list"),
        pytest.param("since", [pd.Timestamp("2020-01-02")], ["•••"], id="a date under a name of its own"),
    ],
)
def test_other_columns_are_shown_only_where_they_cannot_name_anybody(column, values, shown):
    assert masking.mask_frame(pd.DataFrame({column: values}))[column].tolist() == shown


def test_masking_keeps_the_rows_the_columns_and_the_frame_that_was_given():
    given = pd.DataFrame({"x": [0.5, 1.5], "user": ["ann@example.com", None], "n": [1, 2]}, index=[7, 8])
    before = given.copy(deep=True)
    shown = masking.mask_frame(given)
    pd.testing.assert_frame_equal(given, before)
    assert (list(shown.columns), list(shown.index)) == (["x", "user", "n"], [7, 8])
    assert masking.mask_frame(given.iloc[:0]).empty
