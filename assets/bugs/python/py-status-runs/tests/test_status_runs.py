from status_runs import status_runs


def test_no_samples():
    assert status_runs([]) == []


def test_one_run():
    assert status_runs(["up", "up"]) == [("up", 2)]


def test_several_runs():
    assert status_runs(["up", "up", "down", "up"]) == [("up", 2), ("down", 1), ("up", 1)]


def test_none_is_a_value():
    assert status_runs([None, None, 0]) == [(None, 2), (0, 1)]
