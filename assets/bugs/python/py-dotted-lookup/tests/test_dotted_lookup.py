from dotted_lookup import lookup

CONFIG = {"db": {"host": "h1", "pool": {"size": 4}}, "cache": None}


def test_nested_value():
    assert lookup(CONFIG, "db.pool.size") == 4
    assert lookup(CONFIG, "db.host") == "h1"


def test_missing_key():
    assert lookup(CONFIG, "db.port", 5432) == 5432
    assert lookup(CONFIG, "web") is None


def test_none_is_a_value():
    assert lookup(CONFIG, "cache", "x") is None


def test_path_through_none():
    assert lookup(CONFIG, "cache.ttl", 60) == 60
    assert lookup(None, "a", "none") == "none"


def test_path_through_a_text():
    assert lookup(CONFIG, "db.host.h1", "?") == "?"


def test_path_through_a_number():
    assert lookup(CONFIG, "db.pool.size.max", 9) == 9
