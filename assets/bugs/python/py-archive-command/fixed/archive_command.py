import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + shlex.quote(pattern))
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
