"""Lists as CSV."""

import pytest

from app.api.spreadsheet import line


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("London", "London"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(1)", "'@SUM(1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("+44 20 7946 0018", "+44 20 7946 0018"),
        ("-12.50", "-12.50"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula_and_a_phone_is_none(cell: object, written: str) -> None:
    assert line([cell, 7]) == f"{written},7\r\n"


def test_what_has_a_comma_a_quote_or_a_line_break_stays_one_cell() -> None:
    assert line(['a, "b"\nc']) == '"a, ""b""\nc"\r\n'
