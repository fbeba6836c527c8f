def polygon_area(points):
    """Area of a simple polygon given by its corners in order."""
    if len(points) < 3:
        return 0.0
    twice = 0.0
    for i, (x1, y1) in enumerate(points):
        x2, y2 = points[(i + 1) % len(points)]
        twice += x1 * y2 + x2 * y1
    return abs(twice) / 2
