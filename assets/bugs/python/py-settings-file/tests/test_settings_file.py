import io

import pytest
from settings_file import read_settings


class Unreadable(io.StringIO):
    def read(self, *args):
        raise OSError("disk error")


def test_keys_and_values():
    text = "# main\nhost = example.org\n\nport=80\n"
    assert read_settings("x", lambda path: io.StringIO(text)) == {"host": "example.org", "port": "80"}


def test_value_may_hold_equals_signs():
    assert read_settings("x", lambda path: io.StringIO("query=a=b")) == {"query": "a=b"}


def test_real_file(tmp_path):
    path = tmp_path / "app.conf"
    path.write_text("debug = no\nname\n")
    assert read_settings(path) == {"debug": "no", "name": ""}


def test_file_is_closed():
    source = io.StringIO("a=1")
    assert read_settings("x", lambda path: source) == {"a": "1"}
    assert source.closed


def test_file_is_closed_after_an_error():
    source = Unreadable()
    with pytest.raises(OSError):
        read_settings("x", lambda path: source)
    assert source.closed
