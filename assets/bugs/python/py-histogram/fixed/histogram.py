def histogram(values, low, high, bins):
    """Count the values in equal bins over low..high, both ends included."""
    if bins < 1 or high <= low:
        raise ValueError("empty range")
    counts = [0] * bins
    width = (high - low) / bins
    for value in values:
        if value < low or value > high:
            continue
        index = min(int((value - low) / width), bins - 1)
        counts[index] += 1
    return counts
