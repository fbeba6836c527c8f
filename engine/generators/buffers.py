"""Keys and values while completions are written: buffers with room for all tokens, filled from the left.

transformers' own cache allocates all keys and values again for each token: a third of the time of a small model on a
CPU.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer


class BufferedLayer(DynamicLayer):  # type: ignore[misc]
    """One layer's keys and values in buffers of full length."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, copies: int, room: int) -> None:
        """`keys`, `values` of the prompts: (prompts, heads, tokens, head size); each prompt becomes `copies` rows."""
        super().__init__()
        self.dtype, self.device = keys.dtype, keys.device
        self._length = keys.shape[2]
        self._buffers = [_buffer(states, copies, room) for states in (keys, values)]
        self.is_initialized = True
        self._show()

    def _show(self) -> None:
        # (rows, heads, length, head size), without a copy
        self.keys, self.values = (buffer[:, :, : self._length] for buffer in self._buffers)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append states of shape (rows, heads, tokens, head size); returns all keys and values so far."""
        end = self._length + key_states.shape[2]
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, self._length : end] = states
        self._length = end
        self._show()
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows and free the others."""
        self._buffers = [buffer.index_select(0, indices) for buffer in self._buffers]
        self._show()


def has_plain_layers(cache: DynamicCache) -> bool:
    """Whether every layer keeps the keys and values of all tokens: no sliding windows, no states."""
    return all(type(layer) is DynamicLayer for layer in cache.layers)


def buffered(cache: DynamicCache, copies: int, room: int) -> Cache:
    """The cache of the prompts, each row `copies` times, with room for `room` more tokens a row.

    A model with sliding windows or states keeps transformers' own layers, which are slower but give the same result.
    """
    if not has_plain_layers(cache):
        cache.batch_repeat_interleave(copies)
        return cache
    return Cache(layers=[BufferedLayer(layer.keys, layer.values, copies, room) for layer in cache.layers])


def _buffer(states: torch.Tensor, copies: int, room: int) -> torch.Tensor:
    prompts, heads, tokens, size = states.shape
    buffer = states.new_empty(prompts * copies, heads, tokens + room, size)
    buffer.view(prompts, copies, heads, tokens + room, size)[:, :, :, :tokens] = states[:, None]
    return buffer
