def unique_records(records, key):
    """Drop records whose key field was seen before, keeping the order."""
    seen = set()
    kept = []
    for record in records:
        value = record.get(key)
        if value is None:
            kept.append(record)
            continue
        if value in seen:
            continue
        seen.add(value)
        kept.append(record)
    return kept
