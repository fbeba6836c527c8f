"""Filters: which files of a repository may stand in a context."""

from __future__ import annotations

from random import Random

from engine import params
from engine.builders.composing import Endings, FileFilter, Target
from engine.params import setting


class NullFile(FileFilter):
    """Drops all files, so that there is no context (S3, NullFileFilter)."""

    name = "null_file"

    def keeps(self, path: str, text: str, target: Target) -> bool:
        return False


class InclusiveFileExtension(FileFilter):
    """Keeps files with one of these endings (S3, InclusiveFileExtensionFilter)."""

    name = "inclusive_file_extension"

    class Params(params.Params):
        """The white list."""

        endings: Endings = setting((".py",), "endings of names, such as .py|.md")

    def keeps(self, path: str, text: str, target: Target) -> bool:
        return path.endswith(self.params.endings)


class ExclusiveFileExtension(FileFilter):
    """Drops files with one of these endings (S3, ExclusiveFileExtensionFilter)."""

    name = "exclusive_file_extension"

    class Params(params.Params):
        """The black list."""

        endings: Endings = setting((), "endings of names, such as .json|.csv")

    def keeps(self, path: str, text: str, target: Target) -> bool:
        return not path.endswith(self.params.endings)


class EmptyFile(FileFilter):
    """Drops files of white space alone (S3, EmptyFileFilter)."""

    name = "empty_file"

    def keeps(self, path: str, text: str, target: Target) -> bool:
        return bool(text.strip())


class FileLength(FileFilter):
    """Keeps files of so many characters (S3, FileLengthFilter)."""

    name = "file_length"

    class Params(params.Params):
        """Both ends belong to it."""

        min: int = setting(0, "fewest", unit="characters", ge=0)
        max: int = setting(20_000, "most", unit="characters", ge=0)

    def keeps(self, path: str, text: str, target: Target) -> bool:
        return bool(self.params.min <= len(text) <= self.params.max)


class TokenizedFileLength(FileFilter):
    """Keeps files of so many tokens (S3, TokenizedFileLengthFilter)."""

    name = "tokenized_file_length"

    class Params(params.Params):
        """Both ends belong to it."""

        min: int = setting(0, "fewest", unit="tokens", ge=0)
        max: int = setting(8192, "most", unit="tokens", ge=0)

    def keeps(self, path: str, text: str, target: Target) -> bool:
        n = target.lengths.count(target.lengths.first(text, self.params.max + 1))
        return bool(self.params.min <= n <= self.params.max)


class CharTokenRatio(FileFilter):
    """Keeps files with so many characters a token, in a slice of them chosen by chance (S3, CharTokenRatioFilter).

    Few characters a token are data rather than code. An empty file has no ratio and is kept.
    """

    name = "char_token_ratio"

    class Params(params.Params):
        """Both ends belong to it; the numbers are those of S3's recipe."""

        min: float = setting(1.5, "fewest characters a token", ge=0)
        max: float = setting(1e9, "most characters a token", ge=0)
        slice: int = setting(2048, "of a file, which is tokenised", unit="characters", ge=1)
        seed: int = setting(1337, "of the slice's place")

    def keeps(self, path: str, text: str, target: Target) -> bool:
        last = max(0, len(text) - self.params.slice)
        start = Random(f"{self.params.seed}:{path}").randint(0, last)  # whatever the target
        part = text[start : start + self.params.slice]
        n = target.lengths.count(part)
        return not n or bool(self.params.min <= len(part) / n <= self.params.max)
