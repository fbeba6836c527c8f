import heapq


class JobQueue:
    """Jobs by priority, lowest number first; equal ones by arrival."""

    def __init__(self):
        self._heap = []
        self._arrivals = 0

    def add(self, job, priority=10):
        heapq.heappush(self._heap, (self._arrivals, priority, job))
        self._arrivals += 1

    def take(self):
        if not self._heap:
            raise LookupError("no jobs")
        return heapq.heappop(self._heap)[2]

    def __len__(self):
        return len(self._heap)
