from mean_ratings import mean_ratings


def test_means():
    assert mean_ratings({"lamp": [4, 5], "desk": [1, 2, 2]}) == {"lamp": 4.5, "desk": 1.67}


def test_invalid_ratings_are_left_out():
    assert mean_ratings({"lamp": [0, 3, 9]}) == {"lamp": 3.0}


def test_product_without_ratings():
    assert mean_ratings({"lamp": [], "desk": [5]}) == {"lamp": None, "desk": 5.0}


def test_only_invalid_ratings():
    assert mean_ratings({"lamp": [0, 6]}) == {"lamp": None}


def test_no_products():
    assert mean_ratings({}) == {}
