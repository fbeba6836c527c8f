def ipv4_number(text):
    """Turn a dotted address into its 32-bit number."""
    parts = text.strip().split(".")
    if len(parts) != 4:
        raise ValueError(f"not an address: {text}")
    number = 0
    for part in parts:
        if not part.isdigit() or int(part) > 255:
            raise ValueError(f"not an address: {text}")
        number = number * 256 + int(part)
    return number
