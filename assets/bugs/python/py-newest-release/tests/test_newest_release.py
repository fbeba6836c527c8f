from newest_release import newest


def test_single_digits():
    assert newest(["1.2.3", "1.3.0", "1.2.9"]) == "1.3.0"


def test_two_digits():
    assert newest(["1.9.0", "1.10.0", "1.2.0"]) == "1.10.0"


def test_major_of_two_digits():
    assert newest(["9.0", "10.0", "11.0"]) == "11.0"


def test_release_follows_its_candidate():
    assert newest(["2.0.0", "2.0.0-rc2", "2.0.0-rc1"]) == "2.0.0"
    assert newest(["2.0.0-rc1", "2.0.0-rc2"]) == "2.0.0-rc2"


def test_no_versions():
    assert newest([]) is None
