def check_digit(digits):
    """Last digit of a 13-digit product code, from its first twelve."""
    if len(digits) != 12 or not digits.isdigit():
        raise ValueError("need twelve digits")
    total = 0
    for position, char in enumerate(digits):
        weight = 3 if position % 2 else 1
        total += weight * int(char)
    return (10 - total % 10) % 10


def is_valid_code(code):
    return len(code) == 13 and int(code[-1]) == check_digit(code[:-1])
