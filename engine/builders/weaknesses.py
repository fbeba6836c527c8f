"""Kinds of weakness by their number in MITRE's list (https://cwe.mitre.org), and what a model is told of one.

Two rounds of training sets are made of a suite of weaknesses: in the first one the category is hidden, in the second
one it is given, with examples of good code if asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal
from zlib import crc32

from engine.domain import Bug, lines_of

Category = Literal["hidden", "given"]
MOST_EXAMPLES = 3
_POOL = 40  # examples kept of one category
_LONGEST_EXAMPLE = 30  # lines

# Names and, where a name says too little, what is wrong, after MITRE's descriptions.
DESCRIPTIONS = {
    20: "Improper Input Validation",
    22: "Path Traversal: a path made of outside input leads out of the folder that it should stay in",
    23: "Relative Path Traversal: a path with '..' leads out of the folder that it should stay in",
    36: "Absolute Path Traversal: outside input names any file by its absolute path",
    78: "OS Command Injection: outside input becomes part of a command of the operating system",
    79: "Cross-site Scripting: outside input becomes part of a web page without being escaped",
    89: "SQL Injection: outside input becomes part of an SQL statement",
    90: "LDAP Injection: outside input becomes part of an LDAP query",
    94: "Code Injection: outside input becomes part of code that is run",
    113: "HTTP Response Splitting: outside input with line ends becomes part of an HTTP header",
    119: "Improper Restriction of Operations within the Bounds of a Memory Buffer",
    125: "Out-of-bounds Read: data is read past the end, or before the beginning, of a buffer",
    129: "Improper Validation of Array Index",
    134: "Use of Externally-Controlled Format String",
    190: "Integer Overflow or Wraparound: a calculation gives a number that is too large for its type",
    191: "Integer Underflow: a subtraction gives a number that is too small for its type",
    193: "Off-by-one Error: a calculation or a bound is one more, or one less, than it should be",
    197: "Numeric Truncation Error: a number is converted to a type that is too small for it",
    209: "Error Message Containing Sensitive Information",
    252: "Unchecked Return Value: what a method returns is not checked, so that a failure goes unnoticed",
    259: "Use of Hard-coded Password",
    327: "Use of a Broken or Risky Cryptographic Algorithm",
    369: "Divide By Zero: a number is divided by a value that may be zero",
    390: "Detection of Error Condition Without Action",
    396: "Declaration of Catch for Generic Exception",
    400: "Uncontrolled Resource Consumption",
    404: "Improper Resource Shutdown or Release",
    416: "Use After Free: memory is used after it has been freed",
    476: "NULL Pointer Dereference: a pointer or reference is used that may be null",
    481: "Assigning Instead of Comparing: '=' stands where '==' is meant",
    482: "Comparing Instead of Assigning: '==' stands where '=' is meant",
    502: "Deserialization of Untrusted Data",
    561: "Dead Code",
    563: "Assignment to Variable without Use",
    570: "Expression is Always False",
    571: "Expression is Always True",
    597: "Use of Wrong Operator in String Comparison: strings are compared with '==' instead of equals()",
    606: "Unchecked Input for Loop Condition",
    674: "Uncontrolled Recursion",
    690: "Unchecked Return Value to NULL Pointer Dereference",
    787: "Out-of-bounds Write: data is written past the end, or before the beginning, of a buffer",
    789: "Memory Allocation with Excessive Size Value",
    835: "Loop with Unreachable Exit Condition",
}


def cwe_of(text: str) -> str:
    """The weakness named in a text, "CWE-476" for "cwe-0476" or "CWE476_NULL_Pointer_Dereference"; empty for none."""
    found = re.search(r"(?i)cwe[-_ ]?0*(\d+)", text)
    return f"CWE-{found[1]}" if found else ""


def described(cwe: str, name: str = "") -> str:
    """The weakness with its one-line description; `name`: what its suite calls it, for one that is not listed here."""
    text = DESCRIPTIONS.get(int(cwe.partition("-")[2] or 0), name)
    return f"{cwe}: {text}" if text else cwe


@dataclass
class Round:
    """What is told of each bug of a suite, besides its code."""

    category: Category
    examples: int = 0  # of good code with the same weakness repaired, shown where the category is given
    # weakness and language -> group and code of each
    _pool: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def wants_examples(self) -> bool:
        """Whether `learn` has to be called with the suite before `told`."""
        return self.category == "given" and self.examples > 0

    def learn(self, bugs: Iterable[tuple[str, Bug]]) -> None:
        """Keep short good code as examples; each bug comes with its group, which examples for it are not taken from.

        So many of each weakness and language are kept, and of each group one, that memory does not grow with the suite.
        """
        for group, bug in bugs:
            pool = self._pool.setdefault((bug.cwe, bug.language), [])
            is_new = all(group != other for other, _ in pool)
            if len(pool) < _POOL and is_new and len(lines_of(bug.fixed)) <= _LONGEST_EXAMPLE:
                pool.append((group, bug.fixed))

    def told(self, bug: Bug, group: str, name: str = "") -> Bug:
        """The bug with its notes. No example holds the lines of its fix."""
        if self.category == "hidden" or not bug.cwe:
            return bug
        fix = "".join(bug.fixed_lines.split())
        notes = [described(bug.cwe, name)]
        if self.wants_examples:
            others = (code for other, code in self._pool.get((bug.cwe, bug.language), []) if other != group)
            fit = [code for code in others if not fix or fix not in "".join(code.split())]
            first = crc32(bug.id.encode("utf-8", "surrogatepass")) % max(1, len(fit))  # not the same for all bugs
            for code in [*fit[first:], *fit[:first]][: self.examples]:
                notes += ["code without this weakness:", *(line.rstrip() for line in lines_of(code))]
        return replace(bug, notes=tuple(notes))
