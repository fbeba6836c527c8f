from folder_size import folder_size


def test_single_file():
    assert folder_size({"size": 12}) == 12


def test_nested_folders():
    tree = {"children": [{"size": 5}, {"children": [{"size": 7}, {"size": 1}]}]}
    assert folder_size(tree) == 13


def test_empty_folder():
    assert folder_size({"children": []}) == 0


def test_file_of_unknown_size():
    assert folder_size({"children": [{}, {"size": 3}]}) == 3
    assert folder_size({}) == 0


def test_folder_entry_size_is_ignored():
    assert folder_size({"size": 4096, "children": []}) == 0
