from rate_limiter import RateLimiter


def test_below_the_limit():
    limiter = RateLimiter(3, 10)
    assert [limiter.allow(t) for t in (0, 1, 2)] == [True, True, True]


def test_above_the_limit():
    limiter = RateLimiter(2, 10)
    assert [limiter.allow(t) for t in (0, 1, 2, 9)] == [True, True, False, False]


def test_old_hits_expire():
    limiter = RateLimiter(1, 10)
    assert limiter.allow(0)
    assert limiter.allow(15)


def test_hit_expires_after_exactly_the_period():
    limiter = RateLimiter(1, 10)
    assert limiter.allow(0)
    assert not limiter.allow(9.5)
    assert limiter.allow(10)


def test_period_slides():
    limiter = RateLimiter(2, 10)
    assert [limiter.allow(t) for t in (0, 6, 11, 12, 16)] == [True, True, True, False, True]


def test_nothing_allowed():
    assert not RateLimiter(0, 5).allow(1)
