def mean_ratings(reviews):
    """Map each product to its mean rating, or None if nobody rated it."""
    means = {}
    for product, ratings in reviews.items():
        valid = [rating for rating in ratings if 1 <= rating <= 5]
        means[product] = round(sum(valid) / len(valid), 2)
    return means
