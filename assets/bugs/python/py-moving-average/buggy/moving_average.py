def moving_average(values, size):
    """Return the mean of every full window of the given size."""
    if size < 1:
        raise ValueError("size must be at least 1")
    means = []
    for start in range(len(values) - size):
        window = values[start : start + size]
        means.append(sum(window) / size)
    return means
