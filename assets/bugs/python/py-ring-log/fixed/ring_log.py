class RingLog:
    """Keep only the most recent log lines."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.slots = [None] * capacity
        self.position = 0
        self.count = 0

    def write(self, line):
        self.slots[self.position] = line
        self.count = min(self.count + 1, self.capacity)
        self.position = (self.position + 1) % self.capacity

    def lines(self):
        """Return the stored lines, oldest first."""
        first = (self.position - self.count) % self.capacity
        return [self.slots[(first + i) % self.capacity] for i in range(self.count)]
