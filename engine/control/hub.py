"""Small files of models on the Hugging Face hub: downloaded once, in a thread, so that no page has to wait long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import OutsideFailure, UserError

WAIT_S = 3.0  # how long a page or a shell waits for the hub
RETRY_S = 60.0  # after which a hub that did not answer is asked again
CONNECT_S = 2.0  # how long the library waits for the hub's first answer
SMALL_BYTES = 10_000_000


class NotKnown(OutsideFailure):
    """The hub has no answer now: it cannot be reached, needs a token, or the file is too large."""


class NotReached(NotKnown):
    """No network, no answer in time, or switched off (HF_HUB_OFFLINE)."""


@dataclass(frozen=True)
class Lookup:
    """A request to the hub, answered in a separate thread."""

    answer: Future[Path | None] = field(default_factory=Future)
    asked_at: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        """Whether it failed long enough ago to be tried again."""
        has_failed = self.answer.done() and self.answer.exception() is not None
        return has_failed and time.monotonic() - self.asked_at > RETRY_S


class Hub:
    """Downloads small files of models by their hub id."""

    def __init__(self) -> None:
        self._lookups: dict[tuple[str, str], Lookup] = {}
        self._changing = threading.Lock()
        self._not_reached_at = -RETRY_S  # when the hub last did not answer

    def file(self, repo: str, name: str) -> Path | None:
        """A file of a model's repository, in the hub's cache on this machine; None if there is no such file.

        Raises NotKnown if the hub cannot be asked now, UserError if it has no such repository.
        """
        with self._changing:
            lookup = self._lookups.get((repo, name))
            if lookup is None or lookup.is_over():
                lookup = self._lookups[repo, name] = Lookup()
                # a daemon: a shell that ends does not wait for the network
                threading.Thread(target=self._answer, args=(lookup.answer, repo, name), daemon=True).start()
        left = max(0.0, lookup.asked_at + WAIT_S - time.monotonic())
        try:
            return lookup.answer.result(left)
        except Late:
            self._not_reached_at = time.monotonic()
            raise NotReached(f"the hub has not answered yet about {name} of {repo!r}") from None

    def _answer(self, answer: Future[Path | None], repo: str, name: str) -> None:
        try:
            answer.set_result(_found(repo, name, may_ask=time.monotonic() - self._not_reached_at > RETRY_S))
        except NotReached as error:
            self._not_reached_at = time.monotonic()
            answer.set_exception(error)
        except Exception as error:
            answer.set_exception(error)


def _found(repo: str, name: str, *, may_ask: bool) -> Path | None:
    import huggingface_hub as hub
    from httpx2 import HTTPError  # what the hub's client raises, its own errors included
    from huggingface_hub import errors
    from huggingface_hub.utils.tqdm import disable_progress_bars

    cached = hub.try_to_load_from_cache(repo, name)
    if isinstance(cached, str):
        return Path(cached)
    if cached is not None:
        return None  # it is known that there is no such file
    if not may_ask:
        raise NotKnown("the hub could not be reached a moment ago")
    try:
        # asked first, without the library's retries, which take half a minute without a network
        size = hub.get_hf_file_metadata(hub.hf_hub_url(repo, name), timeout=CONNECT_S).size
        if size is not None and size > SMALL_BYTES:
            raise NotKnown(f"{name} of {repo!r} has {size:,} bytes")
        disable_progress_bars()
        return Path(hub.hf_hub_download(repo, name, etag_timeout=CONNECT_S))
    except errors.LocalEntryNotFoundError as error:
        raise NotReached(str(error)) from error
    except errors.EntryNotFoundError:
        return None
    except errors.GatedRepoError as error:  # the worker may have the token, and reports the error if it has not
        raise NotKnown(str(error)) from error
    except errors.RepositoryNotFoundError:
        raise UserError(
            f"{repo!r} is not a folder here, and the Hugging Face hub has no model of that name, or it is private; "
            "check the name, or set HF_TOKEN"
        ) from None
    except errors.HFValidationError as error:
        raise UserError(
            f"{repo!r} is not a folder here, and not a valid name of a model on the Hugging Face hub: {error}"
        ) from None
    except (OSError, HTTPError) as error:
        raise NotReached(str(error)) from error
