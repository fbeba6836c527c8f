def shift_letters(text, distance):
    """Shift each ASCII letter along the alphabet, wrapping at its end."""
    result = []
    for char in text:
        if "a" <= char <= "z":
            base = ord("a")
        elif "A" <= char <= "Z":
            base = ord("A")
        else:
            result.append(char)
            continue
        result.append(chr((ord(char) - base + distance) % 25 + base))
    return "".join(result)
