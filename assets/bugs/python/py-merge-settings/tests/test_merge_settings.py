from merge_settings import effective_settings


def test_flat_override():
    assert effective_settings({"a": 1, "b": 2}, {"b": 3}) == {"a": 1, "b": 3}


def test_nested_override():
    defaults = {"log": {"level": "info", "file": "x.log"}}
    assert effective_settings(defaults, {"log": {"level": "debug"}}) == {"log": {"level": "debug", "file": "x.log"}}


def test_deeply_nested_override():
    defaults = {"a": {"b": {"c": 1, "d": 2}}}
    assert effective_settings(defaults, {"a": {"b": {"c": 9}}}) == {"a": {"b": {"c": 9, "d": 2}}}


def test_section_replaces_plain_value():
    assert effective_settings({"log": None}, {"log": {"level": "info"}}) == {"log": {"level": "info"}}


def test_defaults_are_left_alone():
    defaults = {"a": {"b": 1}}
    effective_settings(defaults, {"a": {"c": 2}, "d": 3})
    assert defaults == {"a": {"b": 1}}
