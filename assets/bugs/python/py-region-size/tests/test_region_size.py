from region_size import region_size


def test_region_inside():
    assert region_size(["....", ".##.", ".#..", "...."], 1, 1) == 3


def test_region_at_the_right_edge():
    assert region_size(["..#", ".##", "..."], 0, 2) == 3


def test_whole_map():
    assert region_size(["aa", "aa"], 0, 0) == 4


def test_left_edge_does_not_wrap():
    assert region_size(["#.#", "#.."], 0, 0) == 2


def test_diagonal_is_not_connected():
    assert region_size(["#...", ".#..", "...."], 0, 0) == 1
