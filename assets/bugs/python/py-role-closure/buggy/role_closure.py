def expand_roles(role, includes, found=None):
    """The role and every role it includes, directly or not."""
    if found is None:
        found = set()
    found.add(role)
    for child in includes.get(role, ()):
        expand_roles(child, includes, found)
    return found
