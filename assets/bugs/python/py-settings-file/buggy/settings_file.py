def read_settings(path, opener=open):
    """Read KEY=VALUE lines; blank lines and # comments are ignored."""
    lines = opener(path).read().splitlines()
    settings = {}
    for line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, _, value = line.partition("=")
        settings[key.strip()] = value.strip()
    return settings
