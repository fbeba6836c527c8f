def cart_total(items, discounts=None):
    """Total of (name, price, quantity) items after percentage discounts."""
    discounts = discounts or {}
    total = 0.0
    for name, price, quantity in items:
        if quantity < 0:
            raise ValueError(f"negative quantity for {name}")
        percent = discounts.get(name, 0)
        total += price * quantity * (1 - percent / 100)
    return round(total, 2)
