def lookup(document, path, default=None):
    """Follow a dotted path through nested dicts."""
    node = document
    for key in path.split("."):
        if not isinstance(node, dict) or key not in node:
            return default
        node = node[key]
    return node
