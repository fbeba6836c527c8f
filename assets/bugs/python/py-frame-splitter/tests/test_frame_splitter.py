import pytest
from frame_splitter import split_frames


def test_two_frames():
    assert split_frames(b"\x00\x03abc\x00\x01z") == [b"abc", b"z"]


def test_empty_frame():
    assert split_frames(b"\x00\x00\x00\x01a") == [b"", b"a"]


def test_long_frame():
    assert split_frames(b"\x01\x02" + b"x" * 258) == [b"x" * 258]


def test_incomplete_header():
    with pytest.raises(ValueError):
        split_frames(b"\x00\x01a\x00")


def test_incomplete_frame():
    with pytest.raises(ValueError):
        split_frames(b"\x00\x05abc")
    with pytest.raises(ValueError):
        split_frames(b"\x00\x01a\x00\x01")


def test_no_data():
    assert split_frames(b"") == []
