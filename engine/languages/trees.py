"""Whether two files are the same code: their syntax trees, compared by a digest of each."""

from __future__ import annotations

from hashlib import blake2b

from engine.languages import LANGUAGES
from engine.languages.source import parse


def tree_digest(text: str, language: str) -> str | None:
    """16 hex digits that two files share if their syntax trees are equal; empty for a file that does not parse.

    A tree is the types of its nodes in their order, where each begins and ends, and the text of each leaf: names,
    numbers, operators, brackets, keywords. Comments and white space are no part of it, except inside strings, and in
    Python what an indent says. A docstring is a string, so it counts. The parser is tree-sitter with the language's own
    grammar (https://tree-sitter.github.io); None where there is no grammar of the language.
    """
    if language not in LANGUAGES:
        return None
    known = LANGUAGES[language]
    cursor = parse(text.encode("utf-8", "surrogatepass"), language).walk()
    if cursor.node is None or cursor.node.has_error:
        return ""
    digest = blake2b(digest_size=8)
    depth = 0
    while True:
        node = cursor.node
        assert node is not None
        is_code = node.type not in known.comments
        if is_code:
            digest.update(b"\0%d " % depth + node.type.encode())
        if is_code and node.type not in known.strings and cursor.goto_first_child():
            depth += 1
            continue
        if is_code:
            digest.update(b"\0" + (node.text or b""))
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return digest.hexdigest()
            depth -= 1


def edit_size(before: str, after: str) -> int:
    """Characters of the one stretch that differs between two texts, those removed and those added."""
    shorter = min(len(before), len(after))
    start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    left = shorter - start
    end = next((at for at in range(left) if before[-1 - at] != after[-1 - at]), left)
    return len(before) + len(after) - 2 * (start + end)
