def merge_shifts(shifts):
    """Join overlapping or touching (start, end) shifts."""
    merged = []
    for start, end in sorted(shifts):
        if merged and start <= merged[-1][1]:
            first, last = merged[-1]
            merged[-1] = (first, max(last, end))
        else:
            merged.append((start, end))
    return merged
