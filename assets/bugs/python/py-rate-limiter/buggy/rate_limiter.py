from collections import deque


class RateLimiter:
    """Allow a number of hits within a sliding period of seconds."""

    def __init__(self, limit, period):
        self.limit = limit
        self.period = period
        self.hits = deque()

    def allow(self, now):
        while self.hits and now - self.hits[0] < self.period:
            self.hits.popleft()
        if len(self.hits) >= self.limit:
            return False
        self.hits.append(now)
        return True
