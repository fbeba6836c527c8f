def format_clock(seconds):
    """Format a length in seconds as H:MM:SS, or M:SS below an hour."""
    if seconds < 0:
        return "-" + format_clock(-seconds)
    hours = seconds // 3600
    minutes = seconds % 360 // 60
    rest = seconds % 60
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
