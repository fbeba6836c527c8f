class History:
    """States of a document with undo and redo."""

    def __init__(self, state):
        self.state = state
        self.undone = []
        self.done = []

    def edit(self, state):
        self.done.append(self.state)
        self.undone.clear()
        self.state = state

    def undo(self):
        if self.done:
            self.undone.append(self.state)
            self.state = self.done.pop()
        return self.state

    def redo(self):
        if self.undone:
            self.done.append(self.state)
            self.state = self.undone.pop()
        return self.state
