def folder_size(node):
    """Bytes of a file {"size": n} or a folder {"children": [...]}."""
    children = node.get("children")
    if children is None:
        return node.get("size", 0)
    total = 0
    for child in children:
        total += folder_size(child)
    return total
