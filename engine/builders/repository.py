"""Reads a git repository as data: its commits newest first, and which files of code each one changes.

Nothing of the repository is executed: no hook, filter, text conversion or external diff, since libgit2 is asked only
for objects by their id (https://libgit2.org; the objects' forms: https://git-scm.com/book/en/v2/Git-Internals-Git-
Objects). An object's size is looked up before the object is read, and trees are compared here, entry by entry, so a
hostile repository costs no more memory and time than the limits below.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from engine.builders.diff_tables import entries
from engine.builders.source_files import LONGEST_FILE, language_of
from engine.changed_lines import Change
from engine.errors import UserError

if TYPE_CHECKING:
    import pygit2

MOST_FILES = 500  # changed by one commit; more is no bug fix
_LONGEST_MESSAGE = 10_000  # bytes that are searched
_LONGEST_COMMIT = 1 << 20  # bytes of its message and head
_LONGEST_TREE = 8 << 20  # bytes of one folder's list
_DEEPEST = 100  # folders inside each other
_SIMILAR = 0.5  # share of lines that a renamed file keeps, as git's own default
_MOST_PAIRS = 400  # of removed and added files that are compared; of more, those of the same name
_FOLDER, _FILES = 0o040000, (0o100644, 0o100755, 0o100664)


class Missing(Exception):
    """An object is not in the repository, as in a shallow or partial clone, or damaged; or it is too large."""


@dataclass(frozen=True)
class ChangedFile:
    """A file of code that a commit changes, with the ids of its contents; an empty path: there was, or is, none."""

    old_path: str
    new_path: str
    old: Any
    new: Any


class Repository:
    """One repository on this disk."""

    def __init__(self, folder: Path, field: str) -> None:
        """Raises UserError, with the setting `field`, where the folder is no repository or cannot be read."""
        import pygit2
        from pygit2.enums import RepositoryOpenFlag

        # git refuses a repository of another user, since it would run that user's programs; nothing is run here
        pygit2.settings.owner_validation = False
        self._field, self._folder = field, folder
        _check_ordinary(folder, field)
        try:
            self._git = pygit2.Repository(str(folder), RepositoryOpenFlag.NO_SEARCH)
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise UserError(
                f"{str(folder)!r} is no git repository ({error}); name the folder that holds .git, or a bare one",
                field=field,
            ) from None

    @property
    def is_shallow(self) -> bool:
        """Whether the history is cut off; the last commits that are there have no parents then."""
        return bool(self._git.is_shallow)

    def head(self, branch: str) -> Any:
        """The id of the newest commit of a branch, a tag or a revision; empty: of what is checked out.

        Raises UserError where there is none.
        """
        import pygit2

        if self._git.is_empty or (not branch and self._git.head_is_unborn):
            raise UserError(f"the repository {str(self._folder)!r} has no commits", field=self._field)
        try:
            found = self._git.revparse_single(branch or "HEAD").peel(pygit2.Commit)
        except (pygit2.GitError, KeyError, ValueError) as error:
            known = ", ".join(sorted(self._git.listall_branches())[:20])
            raise UserError(
                f"builder.branch: there is no commit {branch or 'HEAD'!r} in {str(self._folder)!r} ({error}); "
                f"branches: {known or 'none'}",
                field="builder.branch",
            ) from None
        return found.id

    def commits(self, head: Any) -> Iterator[pygit2.Commit | str]:
        """All commits that lead to `head`, newest first, none twice; for one that cannot be read, its id as text."""
        waiting: list[tuple[int, str, Any]] = [(0, str(head), self._commit(head))]
        seen = {head.raw}
        while waiting:
            _, name, commit = heapq.heappop(waiting)
            if commit is None:
                yield name
                continue
            for parent in commit.parent_ids:
                if parent.raw not in seen:
                    seen.add(parent.raw)
                    found = self._commit(parent)
                    heapq.heappush(waiting, (-found.commit_time if found else 0, str(parent), found))
            yield commit

    def changed(self, commit: pygit2.Commit) -> list[ChangedFile] | str:
        """The files of code in which a commit with one parent differs from it, renamed ones paired; or a reason.

        Raises Missing.
        """
        parent = self._commit(commit.parent_ids[0])
        if parent is None:
            raise Missing
        differing: list[ChangedFile] = []
        waiting: list[tuple[str, Any, Any, int]] = [("", parent.tree_id, commit.tree_id, 0)]
        while waiting:
            prefix, old, new, depth = waiting.pop()
            before, after = self._entries(old), self._entries(new)
            for name in before.keys() | after.keys():
                one, other = before.get(name), after.get(name)
                if one == other:
                    continue
                path = f"{prefix}{name}"
                old_tree, new_tree = (each[1] if each and each[0] == _FOLDER else None for each in (one, other))
                if (old_tree or new_tree) and depth < _DEEPEST:
                    waiting.append((f"{path}/", old_tree, new_tree, depth + 1))
                old_file, new_file = (each[1] if each and each[0] in _FILES else None for each in (one, other))
                if language_of(path) and old_file != new_file:
                    differing.append(
                        ChangedFile(path if old_file else "", path if new_file else "", old_file, new_file)
                    )
            if len(differing) + len(waiting) > MOST_FILES:
                return f"changes more than {MOST_FILES} files or folders"
        return self._paired(sorted(differing, key=lambda each: (each.new_path, each.old_path)))

    def text(self, id_: Any) -> str | None:
        """A file's content; None where it is not UTF-8. Raises Missing, also where it is longer than LONGEST_FILE."""
        try:
            return self._read(id_, LONGEST_FILE).decode("utf-8")
        except UnicodeDecodeError:
            return None

    def is_long(self, id_: Any) -> bool:
        """Whether a file is longer than LONGEST_FILE. Raises Missing."""
        return self._size(id_) > LONGEST_FILE

    def _paired(self, files: list[ChangedFile]) -> list[ChangedFile]:
        """With a removed and an added file of similar lines as one that was renamed."""
        removed = {each.old_path: each for each in files if not each.new_path}
        n_pairs = len(removed) * sum(not each.old_path for each in files)
        made: list[ChangedFile] = []
        for each in files:
            if each.new_path and not each.old_path:
                name = PurePosixPath(each.new_path).name
                likely = (one for one in removed.values() if n_pairs <= _MOST_PAIRS or one.old_path.endswith(name))
                share, path = max(((self._alike(one.old, each.new), one.old_path) for one in likely), default=(0.0, ""))
                if share >= _SIMILAR:
                    source = removed.pop(path)
                    each = ChangedFile(source.old_path, each.new_path, source.old, each.new)
            if each.new_path:
                made.append(each)
        return [*made, *removed.values()]

    def _alike(self, old: Any, new: Any) -> float:
        """The share of their lines that two files have in common; 0 for those that are too long."""
        if old == new:
            return 1.0
        if self.is_long(old) or self.is_long(new):
            return 0.0
        before, after = (Counter(self._read(each, LONGEST_FILE).splitlines()) for each in (old, new))
        return 2 * (before & after).total() / max(1, before.total() + after.total())

    def _commit(self, id_: Any) -> pygit2.Commit | None:
        """None where it is not there, or no commit, or too long."""
        try:
            if self._size(id_) > _LONGEST_COMMIT:
                return None
            found = self._git[id_]
        except (Missing, KeyError, ValueError):
            return None
        return cast("pygit2.Commit", found) if hasattr(found, "tree_id") else None

    def _entries(self, tree: Any) -> dict[str, tuple[int, Any]]:
        """Name -> mode and id of all that a folder holds."""
        if tree is None:
            return {}
        if self._size(tree) > _LONGEST_TREE:
            raise Missing
        try:
            found = self._git[tree]
            return {
                (each.raw_name or b"").decode("utf-8", "surrogateescape"): (int(each.filemode), each.id)
                for each in found  # type: ignore[attr-defined]
            }
        except (KeyError, ValueError, TypeError):
            raise Missing from None

    def _read(self, id_: Any, longest: int) -> bytes:
        if self._size(id_) > longest:
            raise Missing
        return bytes(self._git.odb.read(id_)[1])

    def _size(self, id_: Any) -> int:
        """Bytes of an object, by its head alone. Raises Missing."""
        import pygit2

        try:
            return int(self._git.odb.read_header(id_)[1])
        except (KeyError, ValueError, pygit2.GitError):
            raise Missing from None


def message_of(commit: pygit2.Commit) -> str:
    """The beginning of a commit's message."""
    return _decoded(commit, commit.raw_message[:_LONGEST_MESSAGE])


def author_of(commit: pygit2.Commit) -> str:
    """`Name <address>`; empty where the commit does not tell."""
    try:
        author = commit.author
    except ValueError:
        return ""
    return _decoded(commit, (author.raw_name + b" <" + author.raw_email + b">")[:_LONGEST_MESSAGE])


def _decoded(commit: pygit2.Commit, text: bytes) -> str:
    """Whatever the encoding is that a commit names: there may be no such one, or one that is not of text."""
    try:
        return text.decode(commit.message_encoding or "utf-8", "replace")
    except (LookupError, ValueError):
        return text.decode("utf-8", "replace")


def _check_ordinary(folder: Path, field: str) -> None:
    """Raises UserError where a named pipe is among a repository's own files: libgit2 would wait for it without end."""
    inside = folder / ".git"
    if inside.is_file():  # it names a folder elsewhere
        return
    for path, is_folder in entries(inside if inside.is_dir() else folder):
        if not is_folder and path.is_fifo():
            raise UserError(f"{str(path)!r} is a named pipe, which no git repository has; remove it", field=field)


def changes_between(old: str, new: str) -> list[Change]:
    """The changed places of two texts, by libgit2's own diff of lines; no setting of a repository applies."""
    import pygit2
    from pygit2.enums import DiffOption

    patch = pygit2.Patch.create_from(
        old.encode(), new.encode(), flag=DiffOption.FORCE_TEXT, context_lines=0, interhunk_lines=0
    )
    found = []
    for hunk in patch.hunks:
        old_first = hunk.old_start - (hunk.old_lines > 0)  # of a pure insertion it is the line before
        new_first = hunk.new_start - (hunk.new_lines > 0)
        found.append(Change(old_first, old_first + hunk.old_lines, new_first, new_first + hunk.new_lines))
    return found
