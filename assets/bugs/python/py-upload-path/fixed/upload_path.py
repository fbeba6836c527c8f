import posixpath


def upload_path(root, name):
    """Path of an uploaded file, which must stay below the root folder."""
    root = posixpath.normpath(root)
    if not name:
        raise ValueError("empty name")
    path = posixpath.normpath(posixpath.join(root, name))
    if not path.startswith(root + "/"):
        raise ValueError(f"outside of {root}: {name}")
    return path
