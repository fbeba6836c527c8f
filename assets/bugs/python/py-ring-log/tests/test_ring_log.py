from ring_log import RingLog


def test_empty_log():
    assert RingLog(3).lines() == []


def test_partly_filled():
    log = RingLog(4)
    log.write("a")
    log.write("b")
    assert log.lines() == ["a", "b"]


def test_exactly_full():
    log = RingLog(3)
    for line in "abc":
        log.write(line)
    assert log.lines() == ["a", "b", "c"]


def test_oldest_lines_are_dropped():
    log = RingLog(3)
    for line in "abcdefgh":
        log.write(line)
    assert log.lines() == ["f", "g", "h"]


def test_capacity_of_one():
    log = RingLog(1)
    log.write("x")
    log.write("y")
    assert log.lines() == ["y"]
