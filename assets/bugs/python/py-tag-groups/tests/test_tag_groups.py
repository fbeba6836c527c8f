from tag_groups import group_by_tag


def test_calls_are_independent():
    group_by_tag([("a", ["x"])])
    assert group_by_tag([("b", ["y"])]) == {"y": ["b"]}
    assert group_by_tag([]) == {}


def test_given_groups_are_extended():
    groups = {"x": ["a"]}
    assert group_by_tag([("b", ["x"])], groups) is groups
    assert groups == {"x": ["a", "b"]}


def test_empty_groups_are_extended():
    groups = {}
    group_by_tag([("b", ["x", "Y"])], groups)
    assert groups == {"x": ["b"], "y": ["b"]}


def test_tags_ignore_case():
    assert group_by_tag([("a", ["News"]), ("b", ["news"])], {}) == {"news": ["a", "b"]}
