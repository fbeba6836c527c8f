def tokens_of(expression):
    """Split an arithmetic expression into numbers and operators."""
    tokens = []
    position = 0
    while position < len(expression):
        char = expression[position]
        if char == " ":
            continue
        end = position + 1
        if char.isdigit():
            while end < len(expression) and expression[end].isdigit():
                end += 1
        elif char not in "+-*/()":
            raise ValueError(f"unexpected {char!r} at {position}")
        tokens.append(expression[position:end])
        position = end
    return tokens
