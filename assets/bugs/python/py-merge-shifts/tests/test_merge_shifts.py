from merge_shifts import merge_shifts


def test_overlapping():
    assert merge_shifts([(9, 12), (11, 15)]) == [(9, 15)]


def test_touching():
    assert merge_shifts([(12, 14), (9, 12)]) == [(9, 14)]


def test_contained():
    assert merge_shifts([(8, 18), (10, 12)]) == [(8, 18)]


def test_contained_then_overlapping():
    assert merge_shifts([(8, 18), (9, 10), (17, 20)]) == [(8, 20)]


def test_apart():
    assert merge_shifts([(14, 16), (9, 10)]) == [(9, 10), (14, 16)]
    assert merge_shifts([(1, 2), (5, 8), (7, 9)]) == [(1, 2), (5, 9)]


def test_none():
    assert merge_shifts([]) == []
