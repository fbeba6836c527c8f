from collections import OrderedDict


class RecentCache:
    """A cache that forgets the entry unused for the longest time."""

    def __init__(self, limit):
        self.limit = limit
        self.entries = OrderedDict()

    def get(self, key, default=None):
        if key not in self.entries:
            return default
        self.entries.move_to_end(key)
        return self.entries[key]

    def put(self, key, value):
        self.entries[key] = value
        self.entries.move_to_end(key)
        if len(self.entries) > self.limit:
            self.entries.popitem(last=False)
