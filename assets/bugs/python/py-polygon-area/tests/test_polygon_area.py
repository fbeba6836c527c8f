from polygon_area import polygon_area


def test_unit_square():
    assert polygon_area([(0, 0), (1, 0), (1, 1), (0, 1)]) == 1.0


def test_triangle():
    assert polygon_area([(0, 0), (4, 0), (0, 3)]) == 6.0


def test_direction_does_not_matter():
    corners = [(1, 1), (5, 1), (5, 4), (1, 4)]
    assert polygon_area(corners) == 12.0
    assert polygon_area(corners[::-1]) == 12.0


def test_concave_shape():
    assert polygon_area([(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)]) == 10.0


def test_too_few_corners():
    assert polygon_area([(0, 0), (2, 2)]) == 0.0
