import pytest
from booking_overlap import Room


def test_first_booking_is_accepted():
    room = Room("A")
    assert room.book(9, 10) is True
    assert room.bookings == [(9, 10)]


def test_clash_is_refused():
    room = Room("A")
    room.book(9, 12)
    assert room.book(11, 13) is False
    assert room.book(8, 10) is False
    assert room.book(10, 11) is False
    assert room.bookings == [(9, 12)]


def test_neighbours_do_not_clash():
    room = Room("A")
    room.book(9, 10)
    assert room.book(10, 11) is True
    assert room.book(8, 9) is True


def test_distant_bookings():
    room = Room("A")
    room.book(9, 10)
    assert room.is_free(14, 15)
    assert room.is_free(6, 7)


def test_empty_booking_is_an_error():
    with pytest.raises(ValueError):
        Room("A").book(9, 9)
