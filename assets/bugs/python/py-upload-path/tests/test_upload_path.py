import pytest
from upload_path import upload_path


def test_plain_name():
    assert upload_path("/srv/up", "a.txt") == "/srv/up/a.txt"


def test_subfolder_and_dots():
    assert upload_path("/srv/up/", "x/../y/b.txt") == "/srv/up/y/b.txt"


def test_parent_is_refused():
    with pytest.raises(ValueError):
        upload_path("/srv/up", "../secret")
    with pytest.raises(ValueError):
        upload_path("/srv/up", "/etc/passwd")


def test_sibling_is_refused():
    with pytest.raises(ValueError):
        upload_path("/srv/up", "../uploads/a.txt")


def test_root_itself_is_refused():
    with pytest.raises(ValueError):
        upload_path("/srv/up", ".")


def test_empty_name_is_refused():
    with pytest.raises(ValueError):
        upload_path("/srv/up", "")
