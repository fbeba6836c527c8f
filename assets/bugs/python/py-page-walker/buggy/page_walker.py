def count_items(fetch):
    """Count the items on all pages; fetch(cursor) returns (items, next cursor)."""
    items, cursor = fetch(None)
    total = len(items)
    while cursor is not None:
        items, _ = fetch(cursor)
        total += len(items)
    return total
