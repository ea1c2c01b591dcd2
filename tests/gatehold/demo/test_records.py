"""The made-up customers."""

from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.records import COUNT, customers, german_iban, luhn_check_digit, orders


def passes_luhn(number: str) -> bool:
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def passes_mod_97(iban: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


def test_customers_are_the_same_every_time() -> None:
    """Two readings agree, ids are 1 and up, and checksums hold."""
    assert customers() == customers()
    assert [customer["id"] for customer in customers()] == list(range(1, COUNT + 1))
    for customer in customers():
        assert passes_luhn(customer["card"].replace(" ", ""))
        assert passes_mod_97(customer["iban"])
    assert len({customer["email"] for customer in customers()}) == COUNT


def test_orders_speak_of_customers() -> None:
    """Every order belongs to a customer and repeats personal data in its text."""
    known = {customer["id"]: customer for customer in customers()}
    for order in orders():
        assert known[order["customer"]]["phone"] in order["note"]


@given(st.text("0123456789", min_size=1, max_size=18))
def test_check_digit_satisfies_luhn(digits: str) -> None:
    """Any digits with their check digit pass the test."""
    assert passes_luhn(digits + luhn_check_digit(digits))


@given(st.integers(0, 10**8 - 1), st.integers(0, 10**10 - 1))
def test_iban_satisfies_mod_97(bank: int, account: int) -> None:
    """Any bank code and account number make a valid IBAN of 22 characters."""
    iban = german_iban(f"{bank:08d}", f"{account:010d}")
    assert len(iban) == 22
    assert passes_mod_97(iban)
