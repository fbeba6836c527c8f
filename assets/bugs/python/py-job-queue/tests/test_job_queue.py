import pytest
from job_queue import JobQueue


def test_equal_jobs_in_order_of_arrival():
    queue = JobQueue()
    for job in ("b", "a", "c"):
        queue.add(job)
    assert [queue.take() for _ in range(3)] == ["b", "a", "c"]


def test_urgent_job_overtakes():
    queue = JobQueue()
    queue.add("mail")
    queue.add("backup", 20)
    queue.add("alarm", 1)
    assert [queue.take() for _ in range(3)] == ["alarm", "mail", "backup"]


def test_jobs_need_no_ordering():
    queue = JobQueue()
    queue.add({"n": 1}, 5)
    queue.add({"n": 2}, 5)
    assert queue.take() == {"n": 1}


def test_length():
    queue = JobQueue()
    queue.add("a")
    queue.add("b", 1)
    queue.take()
    assert len(queue) == 1


def test_empty_queue():
    with pytest.raises(LookupError):
        JobQueue().take()
