def max_drawdown(prices):
    """Largest relative loss from an earlier high, as a fraction."""
    if not prices:
        return 0.0
    peak = prices[0]
    worst = 0.0
    for price in prices[1:]:
        peak = max(peak, price)
        loss = (peak - price) / peak
        worst = max(worst, loss)
    return worst
