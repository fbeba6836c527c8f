def page_bounds(total, per_page, page):
    """Half-open range of item indexes shown on a page; pages start at 1."""
    if per_page <= 0 or page < 1:
        raise ValueError("per_page and page must be positive")
    start = min((page - 1) * per_page, total)
    stop = min(start + per_page, total)
    return start, stop
