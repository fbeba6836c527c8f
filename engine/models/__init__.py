"""Models on disk: find, load, tokenise; what their files say; layouts of the hole that a model fills."""
