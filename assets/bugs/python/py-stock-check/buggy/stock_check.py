def can_fulfil(order, stock, reserved=None):
    """Whether the stock, less what is reserved, covers the whole order."""
    reserved = reserved or {}
    for item, quantity in order.items():
        available = stock.get(item, 0) - reserved.get(item, 0)
        if available < quantity:
            return False
    return False
