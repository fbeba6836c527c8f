def status_runs(samples):
    """Collapse consecutive equal samples into (value, count) pairs."""
    runs = []
    previous = None
    count = 0
    for sample in samples:
        if count and sample != previous:
            runs.append((previous, count))
            count = 0
        previous = sample
        count += 1
    if count:
        runs.append((previous, count))
    return runs
