"""Finds code that is much like code seen before: MinHash (Broder 1997) with banding, in 400 bytes for each function.

The signatures are rensa's, of 128 permutations, of which the last 8 bits are kept (b-bit minwise hashing, Li and König
2010, arXiv 0910.3349). 8 values in a row are a band; functions that share a band are compared in all 128 values. Of two
functions with a Jaccard similarity of 0.85 that finds 99 %, of two with 0.7 it compares 60 %.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from engine.languages.tokens import grams

SHINGLE = 5  # tokens
_VALUES, _ROWS = 128, 8  # of a signature, and of a band
_BANDS = _VALUES // _ROWS
_CHANCE = 1 / 256  # that two different values have the same last 8 bits
_SEED = 1


def signature_of(tokens: Sequence[str]) -> bytes:
    """A function's signature: the last byte of each of its 128 values."""
    from rensa import RMinHash

    shingles = [" ".join(each) for each in grams(tokens, SHINGLE)]
    values = RMinHash.digests_from_token_sets([shingles or [""]], _VALUES, _SEED)[0]
    return bytes([value & 0xFF for value in values])


class Near:
    """The functions seen so far, by number; of equal bands the first is kept."""

    def __init__(self, share: float) -> None:
        """`share`: the Jaccard similarity of two functions' shingles, from which one is like the other."""
        self._share = share
        self._n = 0
        self._signatures = bytearray()
        self._bands = [_Band(number, self._signatures) for number in range(_BANDS)]

    def like(self, signature: bytes) -> tuple[int, float] | None:
        """The number of the most similar function that was added, and its estimated similarity; None: there is none."""
        found = {each for band in self._bands if (each := band.find(signature)) is not None}
        best = max(((self._similarity(signature, number), -number) for number in found), default=(0.0, 0))
        return (-best[1], best[0]) if best[0] >= self._share else None

    def add(self, signature: bytes) -> None:
        """Functions are numbered from 0 in the order in which they are added."""
        self._signatures += signature
        for band in self._bands:
            band.add(self._n)
        self._n += 1

    def _similarity(self, signature: bytes, number: int) -> float:
        other = self._signatures[number * _VALUES : (number + 1) * _VALUES]
        same = sum(map(int.__eq__, signature, other)) / _VALUES
        return max(0.0, (same - _CHANCE) / (1 - _CHANCE))


class _Band:
    """One band of all signatures: a hash table with open addressing that holds numbers of functions only."""

    def __init__(self, number: int, signatures: bytearray) -> None:
        self._start = number * _ROWS
        self._signatures = signatures
        self._table = array("i", [-1]) * 1024
        self._used = 0

    def find(self, signature: bytes) -> int | None:
        """The first function with the same band, or None."""
        number = self._table[self._slot(signature[self._start : self._start + _ROWS])]
        return None if number < 0 else number

    def add(self, number: int) -> None:
        """Unless there is one with the same band."""
        if 2 * self._used >= len(self._table):
            held = [each for each in self._table if each >= 0]
            self._table = array("i", [-1]) * (2 * len(self._table))
            for each in held:
                self._table[self._slot(self._key(each))] = each
        slot = self._slot(self._key(number))
        if self._table[slot] < 0:
            self._table[slot] = number
            self._used += 1

    def _key(self, number: int) -> bytes:
        first = number * _VALUES + self._start
        return bytes(self._signatures[first : first + _ROWS])

    def _slot(self, key: bytes) -> int:
        """Where a band's function stands, or the free place for it."""
        mask = len(self._table) - 1
        slot = hash(key) & mask
        while self._table[slot] >= 0 and self._key(self._table[slot]) != key:
            slot = (slot + 1) & mask
        return slot
