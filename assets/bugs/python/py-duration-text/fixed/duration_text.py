UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def parse_duration(text):
    """Turn text such as '1h 30m' into seconds."""
    total = 0
    number = ""
    for char in text.replace(" ", ""):
        if char.isdigit():
            number += char
        elif char in UNITS and number:
            total += int(number) * UNITS[char]
            number = ""
        else:
            raise ValueError(f"unexpected {char!r} in {text!r}")
    if number:
        raise ValueError(f"no unit at the end of {text!r}")
    return total
