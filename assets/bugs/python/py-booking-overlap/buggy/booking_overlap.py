class Room:
    """A meeting room with half-open bookings."""

    def __init__(self, name):
        self.name = name
        self.bookings = []

    def is_free(self, start, end):
        for other_start, other_end in self.bookings:
            if start < other_end or other_start < end:
                return False
        return True

    def book(self, start, end):
        if start >= end:
            raise ValueError("a booking must have a length")
        if not self.is_free(start, end):
            return False
        self.bookings.append((start, end))
        return True
