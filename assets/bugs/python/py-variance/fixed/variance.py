def mean(values):
    return sum(values) / len(values)


def sample_variance(values):
    """Unbiased variance of at least two values."""
    if len(values) < 2:
        raise ValueError("need two values")
    center = mean(values)
    squares = [(value - center) ** 2 for value in values]
    return sum(squares) / (len(values) - 1)
