def bracket_top(income, upper):
    """Where the taxed part of a bracket ends; the last has no upper bound."""
    if upper is None:
        return income
    return min(income, upper)


def income_tax(income, brackets):
    """Tax over ascending (lower, upper, rate) brackets."""
    tax = 0.0
    for lower, upper, rate in brackets:
        if income <= lower:
            break
        tax += (bracket_top(income, upper) - lower) * rate
    return round(tax, 2)
