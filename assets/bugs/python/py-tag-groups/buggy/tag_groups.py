def group_by_tag(entries, groups={}):
    for name, tags in entries:
        for tag in tags:
            groups.setdefault(tag.lower(), []).append(name)
    return groups
