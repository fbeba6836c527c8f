"""Git repositories that nobody's git would have written: odd encodings, and pipes in the place of files."""

from __future__ import annotations

import os

import pytest
from test_git_history import FIXED, pygit2, read, repository  # noqa: F401

from engine.errors import UserError


@pytest.mark.parametrize("encoding", ["no-such-one", "zlib_codec", "idna", "utf-16"])
def test_a_commit_in_an_encoding_that_no_text_has(repository, encoding):  # noqa: F811
    tree = repository.git.get(pygit2.Oid(hex=repository.commit("first", {"src/a.py": FIXED}))).tree_id
    told = f"tree {tree}\nparent {repository.git.revparse_single('HEAD~1').id}\n"
    told += f"author ada <a@x> 1 +0000\ncommitter ada <a@x> 1 +0000\nencoding {encoding}\n\nfix"
    made = repository.git.write(pygit2.enums.ObjectType.COMMIT, told.encode() + b" \xe4\xff\n")
    repository.git.references.create("refs/heads/main", made, force=True)
    found = "" if encoding == "utf-16" else str(made)[:16]  # its words are none in the encoding that it names
    assert [bug.id for bug in read(repository.path, author="ada" if found else "")[0]] == [f"shop@{found}"] * bool(
        found
    )


@pytest.mark.parametrize("name", ["config", "packed-refs", "objects/info/alternates"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(repository, name):  # noqa: F811
    path = repository.path / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(UserError, match="is a named pipe"):
        read(repository.path)
