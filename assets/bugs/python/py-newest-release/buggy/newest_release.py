def release_key(version):
    """Sort key of versions such as '1.10.2' or '2.0.0-rc1'."""
    number, _, label = version.partition("-")
    parts = tuple(number.split("."))
    return parts, label == "", label


def newest(versions):
    """The highest version, or None; a release follows its candidates."""
    if not versions:
        return None
    return max(versions, key=release_key)
