from unique_records import unique_records


def test_first_of_each_is_kept():
    records = [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}, {"id": 1, "n": "c"}]
    assert unique_records(records, "id") == records[:2]


def test_many_repeats():
    assert unique_records([{"id": 7}] * 5, "id") == [{"id": 7}]


def test_order_is_kept():
    records = [{"id": n} for n in (3, 1, 2)]
    assert unique_records(records, "id") == records


def test_records_without_the_key_are_kept():
    records = [{"n": "a"}, {"n": "b"}]
    assert unique_records(records, "id") == records


def test_no_records():
    assert unique_records([], "id") == []
