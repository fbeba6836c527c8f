from edit_history import History


def test_undo_and_redo():
    history = History("a")
    history.edit("ab")
    assert history.undo() == "a"
    assert history.redo() == "ab"


def test_edit_after_undo_drops_redo():
    history = History("a")
    history.edit("ab")
    history.undo()
    history.edit("ac")
    assert history.redo() == "ac"
    assert history.undo() == "a"


def test_undo_stops_at_the_first_state():
    history = History("a")
    assert history.undo() == "a"
    assert history.redo() == "a"


def test_several_steps():
    history = History(0)
    for state in (1, 2, 3):
        history.edit(state)
    assert [history.undo(), history.undo(), history.undo()] == [2, 1, 0]
    assert [history.redo(), history.redo()] == [1, 2]
