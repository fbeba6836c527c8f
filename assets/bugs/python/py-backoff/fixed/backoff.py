def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(min(delay, cap))
        delay *= factor
    return delays
