"""The pages, one file each: a few plain functions, then `build` that lays out and connects."""
