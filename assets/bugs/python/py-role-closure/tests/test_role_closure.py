from role_closure import expand_roles


def test_role_alone():
    assert expand_roles("guest", {}) == {"guest"}


def test_chain():
    includes = {"admin": ["editor"], "editor": ["reader"]}
    assert expand_roles("admin", includes) == {"admin", "editor", "reader"}
    assert expand_roles("editor", includes) == {"editor", "reader"}


def test_shared_child():
    includes = {"a": ["b", "c"], "b": ["d"], "c": ["d", "e"]}
    assert expand_roles("a", includes) == {"a", "b", "c", "d", "e"}


def test_cycle():
    includes = {"a": ["b"], "b": ["c", "a"], "c": ["d"]}
    assert expand_roles("b", includes) == {"a", "b", "c", "d"}


def test_role_that_includes_itself():
    assert expand_roles("a", {"a": ["a", "b"]}) == {"a", "b"}
