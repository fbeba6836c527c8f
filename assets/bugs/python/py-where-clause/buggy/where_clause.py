def literal(value):
    """Render a value as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, (int, float)):
        return str(value)
    return "'" + str(value) + "'"


def where_clause(filters):
    """Join equality filters with AND, by column name."""
    parts = []
    for column in sorted(filters):
        value = filters[column]
        operator = "IS" if value is None else "="
        parts.append(f"{column} {operator} {literal(value)}")
    return " AND ".join(parts)
