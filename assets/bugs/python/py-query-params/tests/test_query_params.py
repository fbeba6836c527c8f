from query_params import query_params


def test_simple_pairs():
    assert query_params("?a=1&b=2") == {"a": ["1"], "b": ["2"]}


def test_repeated_name():
    assert query_params("tag=x&tag=y") == {"tag": ["x", "y"]}


def test_equals_sign_in_a_value():
    assert query_params("next=/go?id=7&a=1") == {"next": ["/go?id=7"], "a": ["1"]}


def test_name_alone():
    assert query_params("debug&a=") == {"debug": [""], "a": [""]}


def test_escapes():
    assert query_params("full+name=J%C3%B8rn+B") == {"full name": ["J\u00f8rn B"]}


def test_empty_query():
    assert query_params("?") == {}
