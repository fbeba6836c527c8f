import pytest
from bank_account import Account


def test_partial_withdrawal():
    account = Account(500)
    account.withdraw(200)
    account.withdraw(99)
    assert account.balance == 201


def test_account_can_be_emptied():
    account = Account(500)
    account.withdraw(500)
    assert account.balance == 0
    assert account.entries == [("withdraw", 500)]


def test_overdraft_is_refused():
    account = Account(500)
    for amount in (501, 502, 1000):
        with pytest.raises(ValueError):
            account.withdraw(amount)
    assert account.balance == 500
    assert account.entries == []


def test_amounts_must_be_positive():
    account = Account(10)
    with pytest.raises(ValueError):
        account.withdraw(0)
    with pytest.raises(ValueError):
        account.deposit(-1)


def test_entries_are_in_order():
    account = Account()
    account.deposit(70)
    account.withdraw(30)
    assert account.entries == [("deposit", 70), ("withdraw", 30)]
