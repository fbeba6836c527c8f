class LinkedQueue:
    """First-in first-out queue of linked [value, next] cells."""

    def __init__(self):
        self.head = None
        self.tail = None

    def push(self, value):
        cell = [value, None]
        if self.tail is None:
            self.head = cell
        else:
            self.tail[1] = cell
        self.tail = cell

    def pop(self):
        if self.head is None:
            raise IndexError("pop from an empty queue")
        value, self.head = self.head
        return value
