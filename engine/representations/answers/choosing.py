"""Which of the pieces of an answer is the fix: each is read in every way that fits it, and the best reading is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise

from engine.domain import lines_of
from engine.languages.source import source
from engine.representations.answers import blocks, edits
from engine.representations.answers.additions import with_helpers, with_imports
from engine.representations.answers.blocks import Block
from engine.representations.answers.cleaning import narrow, unnumbered
from engine.representations.answers.edits import Change
from engine.representations.answers.fitting import DoesNotFit, fitted
from engine.representations.answers.kept import Readings
from engine.representations.answers.lines import alike, filled, replaced, says_add, shortened, swapped, trailing
from engine.representations.answers.whole import Found, found_in, parts_of
from engine.representations.line_ends import as_in_file, plain

_MOST_BLOCKS = 40


class Choice(Readings):
    """Reads the pieces of an answer in every way that fits them."""

    _last: tuple[str, list[Block], str] | None = None  # the text that was divided last, its blocks, and the rest

    def is_one_block(self, text: str) -> bool:
        """Whether all of a text is one fenced block."""
        return text.lstrip()[:1] in ("`", "~") and [each.where for each in self._divided(text)[0]] == ["fence"]

    def look_at(self, text: str) -> None:
        """Read all pieces of a text."""
        if not text.strip():
            why = "ends before its reasoning does" if self.is_thinking else "is empty"
            self._why["empty"] = f"the answer {why}"
            return
        self.look_at_blocks(text)
        if not self._is_sure:
            self._look_at_text(self._divided(text)[1])

    def look_at_blocks(self, text: str) -> None:
        """Read what stands between fences and tags."""
        found, rest = self._divided(text)
        nested = [inner for each in found if each.tag in ("md", "markdown") for inner in blocks.fenced(each.text)[0]]
        objects = blocks.quoted(
            found[0].text if len(found) == 1 and found[0].tag == "json" else text if not found else ""
        )
        elements = list(blocks.tagged(rest, self._longest))
        every = [each for each in (*found, *nested, *elements, *objects) if each.text.strip()]
        chosen = self._likeliest(every)
        changing = [each for each in chosen if self._is_change(each)]
        self._change(changing, has_head=False)
        for each in chosen:
            if each not in changing or not self.found:
                self._read(each)
        if not self._is_sure:
            if "same" not in self._why:  # else the blocks hold whole functions by themselves
                for whole in blocks.joined(text, found[:_MOST_BLOCKS], 4, 1000):
                    self._read(whole)
            self._pairs(found[:_MOST_BLOCKS])
            self._pairs(elements[:_MOST_BLOCKS])
            if self.place.function is None or not self.found:
                for each in chosen:
                    if each not in changing:
                        self._read_lines(each)

    def _divided(self, text: str) -> tuple[list[Block], str]:
        if self._last is None or self._last[0] is not text:
            self._last = (text, *blocks.fenced(text))
        return self._last[1:]

    def _likeliest(self, every: Sequence[Block]) -> list[Block]:
        """Those that may hold the function first, and no more than can be read."""
        name = self.place.function.name if self.place.function else ""
        short = [each for each in every if len(each.text) <= self._longest]
        if len(short) < len(every):
            self._why["code"] = f"the code in the answer is too long to be the {self.place.what}"
        by_name, others = ([each for each in short if (name in each.text) is is_named] for is_named in (True, False))
        return [*by_name[: _MOST_BLOCKS // 2], *others[: _MOST_BLOCKS // 2]]

    # --- the whole function or file

    def _read(self, block: Block) -> None:
        """Read a piece as the whole function or file."""
        marks = self.place.marks
        text = "".join(line for line in lines_of(block.text) if line.strip() not in marks)
        if not text.strip():
            return
        if block.where != "bare":
            self._why.setdefault("code", f"the answer does not hold the {self.place.what}")
        text = narrow(unnumbered(text))
        if self.place.function is None:
            self._read_file(block, text)
        else:
            self._read_function(block, text)

    def _read_function(self, block: Block, text: str) -> None:
        if not self._may_parse(text):
            return
        found = list(found_in(text, self.place))
        for each in found:
            self._take(block, each)
        if any(not each.written.has_error for each in found):
            return
        assert self.place.function is not None
        for part in parts_of(text, self.place, self.place.function.name):  # by layout, where the parser is confused
            inside = list(found_in(part, self.place)) if self._may_parse(part) else []
            for each in inside:
                self._take(block, each)
            if not inside and block.may_be_cut and text.rstrip().endswith(part.rstrip()):
                self._why["cut"] = self._cut

    def _take(self, block: Block, each: Found) -> None:
        place, asked = self.place, self.place.function
        assert asked is not None
        code = each.code + trailing(each.read, each.written)
        how = "renamed" if each.is_renamed else "function"
        is_last = not "".join(each.read.lines[each.written.span.end :]).strip()
        is_open = place.bug.language == "python" and any(code.count(quotes) % 2 for quotes in ('"""', "'''"))
        has_error = is_open or (each.written.has_error and not asked.has_error)
        if shortened(code, place):
            made = filled(code, place)
            if made is None or not self._parses(made):
                self._why["left_out"] = f"the answer leaves out lines of the {place.what} that cannot be filled in"
                return
            code, how, has_error = made, "filled", False
        elif block.may_be_cut and is_last and (has_error or self._stops_inside(each, is_open=block.where != "bare")):
            self._why["cut"] = self._cut
            return
        whole = code if how == "filled" else with_helpers(code, place, each.read, each.written)
        patched = with_imports(place.with_code(whole), place, each.read, whole)
        added = ("+helpers" if whole != code else "") + ("+imports" if patched != place.with_code(whole) else "")
        self._keep(block, how, patched, whole, has_error=has_error, added=added)

    def _stops_inside(self, each: Found, *, is_open: bool) -> bool:
        """Whether the last line is the beginning of one of the function's lines, so that the rest of it is missing.

        `is_open`: its block is not closed; then the last line of the function has to be there, unless it is faulty.
        """
        text = "".join(each.read.lines)
        last = text.rpartition("\n")[2].strip() or text.rstrip("\n").rpartition("\n")[2].strip()
        first, after = self.place.faulty
        known = [line.strip() for line in self.place.lines]
        others = [*known[:first], *known[after:]]  # the faulty lines themselves may have become shorter
        if bool(last) and last not in known and any(line.startswith(last) for line in others):
            return True
        tail = [line for line in known[after:] if line]
        return is_open and bool(tail) and tail[-1] not in map(str.strip, lines_of(each.code))

    def _read_file(self, block: Block, text: str) -> None:
        before, after = self.place.faulty
        lines = self.place.lines
        outside = {"".join(line.split()) for line in [*lines[:before], *lines[after:]]} - {""}
        there = {"".join(line.split()) for line in lines_of(text)}
        is_file = len(outside & there) >= 0.6 * len(outside) and not shortened(text, self.place)
        if is_file and (block.where != "bare" or self._parses(text)):
            self._keep(block, "file", self.place.with_code(text), text)

    # --- changes of lines

    def _is_change(self, block: Block) -> bool:
        if edits.is_headed(block.text) or block.tag in blocks.DIFFS:
            return True
        signed = [line for line in lines_of(block.text) if line[:1] in ("+", "-")]
        return any(line[0] == "-" and "".join(line[1:].split()) in self._known for line in signed) or (
            len(signed) > 0 and len(lines_of(block.text)) > len(signed) and all(line[0] == "+" for line in signed)
        )

    def _change(self, pieces: Sequence[Block], *, has_head: bool) -> None:
        """Make the changes of all pieces together, or of each alone where they do not fit together."""
        read = [(each, self._changes(each, has_head)) for each in pieces]
        read = [(each, changes) for each, changes in read if changes]
        if len(read) > 1 and self._fit(read[0][0], [change for _, changes in read for change in changes]):
            return
        for each, changes in read:
            self._fit(each, changes)

    def _changes(self, block: Block, has_head: bool) -> list[Change]:
        marks = self.place.marks
        text = "".join(line for line in lines_of(block.text) if line.lstrip("+- \t").rstrip() not in marks)
        return edits.changes_in(text, self.place.bug.path, self._known, has_head=has_head)

    def _fit(self, block: Block, changes: Sequence[Change], how: str = "") -> bool:
        bug, fault = self.place.bug, self.place.fault
        try:
            text = fitted(changes, lines_of(plain(bug.buggy)), (fault.start - 1, fault.end))
        except DoesNotFit as error:
            self._why["misfit"] = str(error)
            return False
        patched = as_in_file(text, bug)
        self._keep(block, how or edits.form_of(block.text), patched, patched, is_file=True)
        return True

    def _pairs(self, found: Sequence[Block]) -> None:
        """Pieces that stand in the function, each with the next one, which takes its place."""
        for old, new in pairwise(found):
            is_short = len(old.text) + len(new.text) <= self._longest and len(lines_of(old.text)) < len(
                self.place.lines
            )
            if is_short and self._stands(old.text) and not self._stands(new.text) and alike(old.text, new.text) > 0.3:
                self._fit(new, [edits.replacement(old.text, new.text)], "replacement")

    def _stands(self, text: str) -> bool:
        keys = ["".join(line.split()) for line in lines_of(text) if line.strip()]
        return bool(keys) and all(key in self._known for key in keys)

    # --- some lines only

    def _read_lines(self, block: Block) -> None:
        name = self.place.function.name if self.place.function else ""
        is_call = bool(name) and f"{name}(" in block.text and f"{name}(" not in "".join(self.place.lines[1:])
        is_cut = block.may_be_cut and "cut" in self._why
        if block.tag in blocks.NO_CODE or is_call or is_cut or len(block.text) > self._longest:
            return
        marks = self.place.marks
        text = "".join(line for line in lines_of(narrow(unnumbered(block.text))) if line.strip() not in marks)
        for code in replaced(text, self.place, block.before):
            if self._parses(code):
                self._keep(block, "lines", self.place.with_code(code), code)
                return

    def _look_at_text(self, text: str) -> None:
        """Read the text that is not marked as code."""
        if edits.is_headed(text):
            self._change([Block("bare", text)], has_head=True)
        elif any(line.startswith("+") for line in lines_of(text)):
            self._signs(text)
        if self._is_sure:
            return
        if self.place.function is not None:
            for part in self._parts(text):
                self._read(Block("bare", part))
        elif len(text) <= self._longest and self._may_parse(text):
            self._read(Block("bare", text))
        if not self.found:
            self._inline(text)
        if not self.found and len(text) <= self._longest and not self._has_prose(text):
            self._read_lines(Block("bare", text))

    def _parts(self, text: str) -> Iterable[str]:
        if len(text) <= self._longest and not self._has_prose(text):
            yield text
        assert self.place.function is not None
        yield from list(parts_of(text, self.place, self.place.function.name)) or parts_of(text, self.place, None)

    def _has_prose(self, text: str) -> bool:
        """Whether a text is more than code."""
        if not self._may_parse(text):
            return True
        return source(text, self.place.bug.language).has_error and not self._parses(text)

    def _signs(self, text: str) -> None:
        """Lines with + and - in a text, where all that are removed are the file's."""
        block = Block("bare", text)
        changes = [
            each
            for each in self._changes(block, has_head=False)
            if any(sign == "-" for sign, _ in each.lines)
            and all("".join(line.split()) in self._known for sign, line in each.lines if sign == "-" and line.strip())
        ]
        if changes:
            self._fit(block, changes, "signs")

    def _inline(self, text: str) -> None:
        """Code within sentences: one piece that stands in the function, and the one that takes its place."""
        pieces = list(islice(blocks.inline(text), _MOST_BLOCKS))
        for made in swapped(pieces, "".join(self.place.lines)):
            if self._parses(made):
                self._keep(Block("inline", text[:400]), "replacement", self.place.with_code(made), made)
                return
        first, after = self.place.faulty
        for code, before in pieces:
            if first == after and not says_add(before):
                continue  # a name in a sentence is nothing that is missing
            self._read_lines(Block("inline", f"{code.strip()}\n", before=before))
