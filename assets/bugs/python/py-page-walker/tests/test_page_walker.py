from page_walker import count_items


def test_single_page():
    assert count_items(lambda cursor: ([1, 2, 3], None)) == 3


def test_no_items():
    assert count_items(lambda cursor: ([], None)) == 0


def test_first_request_has_no_cursor():
    asked = []

    def fetch(cursor):
        asked.append(cursor)
        return ["x"], None

    count_items(fetch)
    assert asked == [None]


def test_several_pages():
    pages = {None: ("ab", 5), 5: ("cd", 9), 9: ("e", None)}
    assert count_items(lambda cursor: pages[cursor]) == 5
