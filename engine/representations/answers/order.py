"""How a piece of an answer can be read, which of two readings is better, and whether one changes anything."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.languages.trees import tree_digest
from engine.representations.answers.blocks import ALIASES, DIFFS, NO_CODE, Block

WHERE = {  # where a piece stands
    "fence": "a fenced block",
    "open_fence": "a fenced block that is never closed",
    "tag": "between two tags: `<code>`, `<answer>`, `[PYTHON]`, an environment of LaTeX",
    "open_tag": "behind a tag that is never closed",
    "json": "a text in an object of JSON",
    "inline": "code within a sentence",
    "bare": "the text itself",
}
HOW = {  # how a piece is read, the surest first
    "function": "the function, alone or among other code",
    "numbered_diff": "a unified diff whose heads have numbers, which may be wrong",
    "diff": "a diff whose heads have no numbers",
    "begin_patch": "a patch between `*** Begin Patch` and `*** End Patch`",
    "search_replace": "blocks of `<<<<<<< SEARCH`, `=======` and `>>>>>>> REPLACE`",
    "signs": "lines with + and - and no head",
    "filled": "the function with a comment such as `// ...` for lines that stay",
    "renamed": "the function under another name",
    "file": "the whole file, where the fault is in no function",
    "replacement": "two pieces, of which the first stands in the function and the second takes its place",
    "lines": "lines that take the place of the faulty ones",
}
ADDED = {
    "+helpers": "functions that it calls and the file lacks, below it",
    "+imports": "imports that it needs and the file lacks, below the others",
}
_ORDER = {how: place for place, how in enumerate(HOW)}
_GOOD = re.compile(
    r"\b(?:fix|correct|repair|final|solution|solved|updated|after\b|patched)|修复|修正|正确|改正|最终|改后|修改后",
    re.IGNORECASE,
)
_BAD = re.compile(r"\b(?:original|buggy|before|faulty|broken|instead of|old)|原始|原来|有问题", re.IGNORECASE)
_WRONG = re.compile(r"\b(?:incorrect|wrong|never|don't|do not)|错误|不要", re.IGNORECASE)
_OTHER = re.compile(r"\b(?:alternativ|another)|另一种", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """One piece, read in one way."""

    key: tuple[int, ...]  # the smallest is the best
    rule: str
    text: str  # of the patched file


def key(block: Block, how: str, language: str, number: int, *, has_error: bool) -> tuple[int, ...]:
    """By which readings are compared; `number`: how many there were before."""
    way = len(HOW) if has_error else _ORDER[how]
    return way, _strangeness(block, language), _doubt(block), number


def is_sure(reading: Reading) -> bool:
    """Whether nothing that is looked at later can be better."""
    return reading.key[0] < _ORDER["renamed"]


def alone(code: str, language: str) -> str:
    """The code of a function as a text that can be parsed alone."""
    if language == "java":
        return f"class A {{\n{code}}}\n"
    return f"if 1:\n{code}" if language == "python" and code[:1] in " \t" else code


def is_same(code: str, old: str, language: str) -> bool:
    """Whether two pieces of code differ in nothing but comments and layout."""
    one, other = (tree_digest(alone(each, language), language) for each in (code, old))
    return one == other if one and other else code.split() == old.split()


def _strangeness(block: Block, language: str) -> int:
    """0 of a piece in the bug's language, 1 where no language is told, 2 of one in another."""
    if block.tag in ALIASES.get(language, ()) or block.tag in DIFFS:
        return 0
    others = {tag for names in ALIASES.values() for tag in names} | NO_CODE
    return 2 if block.tag in others else 1


def _doubt(block: Block) -> int:
    """What the words above a piece say of it: 0 that it is the fix, 1 nothing, 2 that it is not."""
    good, wrong = (max((each.end() for each in words.finditer(block.before)), default=-1) for words in (_GOOD, _WRONG))
    if _OTHER.search(block.before) or wrong > good:
        return 2
    return 0 if good >= 0 else 2 if _BAD.search(block.before) else 1
