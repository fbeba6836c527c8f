def effective_settings(defaults, overrides):
    """Lay overrides over defaults, section by section."""
    result = dict(defaults)
    for key, value in overrides.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = effective_settings(result[key], value)
        else:
            result[key] = value
    return result
