from urllib.parse import unquote_plus


def query_params(query):
    """Parse a query string into a dict of lists of values."""
    params = {}
    for pair in query.lstrip("?").split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        params.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return params
