import pytest
from linked_queue import LinkedQueue


def test_order():
    queue = LinkedQueue()
    for value in (1, 2, 3):
        queue.push(value)
    assert [queue.pop(), queue.pop(), queue.pop()] == [1, 2, 3]


def test_pushes_between_pops():
    queue = LinkedQueue()
    queue.push(1)
    queue.push(2)
    assert queue.pop() == 1
    queue.push(3)
    assert [queue.pop(), queue.pop()] == [2, 3]


def test_reuse_after_emptying():
    queue = LinkedQueue()
    queue.push("a")
    assert queue.pop() == "a"
    queue.push("b")
    queue.push("c")
    assert [queue.pop(), queue.pop()] == ["b", "c"]


def test_empty_queue():
    queue = LinkedQueue()
    with pytest.raises(IndexError):
        queue.pop()
    queue.push(None)
    assert queue.pop() is None
    with pytest.raises(IndexError):
        queue.pop()
