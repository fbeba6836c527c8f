"""Two rows of line completion, in Long Code Arena's form, of our own."""

from __future__ import annotations

import json

CONTENT = "import shop\n\n\ndef total(cart):\n    prices = shop.prices(cart)\n    return sum(prices)\n"
ROW = {
    "repo": "me__shop",
    "commit_hash": "0123456789abcdef",
    "completion_file": {"filename": "src/total.py", "content": CONTENT},
    "completion_lines": {"commited": [5], "inproject": [4, 2], "random": [5]},
    "repo_snapshot": {"filename": ["src/shop.py", "README.md"], "content": ["def prices(cart): ...", "A shop."]},
}
OTHER = {
    **ROW,
    "completion_file": {"filename": "build.kts", "content": "val x = 1\n"},
    "completion_lines": {"infile": [0]},
}


def write(folder, *rows):
    """Write the rows below `folder`."""
    (folder / "completion.jsonl").write_text("\n".join(json.dumps(row) for row in rows or (ROW, OTHER)))
    return folder
