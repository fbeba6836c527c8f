from where_clause import literal, where_clause


def test_plain_values():
    assert where_clause({"name": "Ada", "age": 36}) == "age = 36 AND name = 'Ada'"


def test_null():
    assert where_clause({"left_on": None}) == "left_on IS NULL"


def test_no_filters():
    assert where_clause({}) == ""


def test_quote_in_a_name():
    assert where_clause({"name": "O'Hara"}) == "name = 'O''Hara'"


def test_text_cannot_leave_its_literal():
    assert literal("x' OR '1'='1") == "'x'' OR ''1''=''1'"
    assert literal("'") == "''''"
