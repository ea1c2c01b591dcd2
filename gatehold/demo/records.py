"""The customers of the demo: made up, the same on every run, and valid where a checksum makes a value believable.

Card numbers pass Luhn's test, IBANs ISO 7064 mod 97-10; the numbers belong to nobody (test ranges of the card
schemes, `example.com` addresses, the 555-01xx range of the North American numbering plan).
"""

from random import Random
from typing import Any

COUNT = 40
SEED = 20_240_229

GIVEN_NAMES = (
    "Ana", "Björn", "Chiara", "David", "Elif", "Farid", "Grace", "Hannah", "Ivan", "Jane",
    "Kenji", "Lucía", "Mateusz", "Noor", "Olga", "Priya", "Quentin", "Rosa", "Samuel", "Thandiwe",
)  # fmt: skip
FAMILY_NAMES = (
    "Mustermann", "Lindqvist", "Rossi", "Cohen", "Özdemir", "Haddad", "Okafor", "Weber", "Petrov", "Doe",
    "Tanaka", "García", "Kowalski", "Bakker", "Ivanova", "Sharma", "Lefèvre", "Santos", "Miller", "Dlamini",
)  # fmt: skip
STREETS = ("Lindenallee", "Harbour Street", "Via Roma", "Calle Mayor", "Rue des Lilas", "Oak Avenue")
CITIES = ("Hamburg", "Bristol", "Torino", "Sevilla", "Lyon", "Portland")
CARD_PREFIXES = ("411111", "555555", "601111", "378282")
ITEMS = ("espresso machine", "trail shoes", "desk lamp", "noise-cancelling headphones", "road atlas")


def luhn_check_digit(digits: str) -> str:
    """The digit that makes `digits` + it pass Luhn's test (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def german_iban(bank: str, account: str) -> str:
    """An IBAN with valid check digits from an 8-digit bank code and a 10-digit account number (ISO 13616)."""
    remainder = int(f"{bank}{account}131400") % 97
    return f"DE{98 - remainder:02d}{bank}{account}"


def customers() -> list[dict[str, Any]]:
    """All customers, ids from 1."""
    random = Random(SEED)  # noqa: S311 - sample data, wanted to be the same every time
    return [_customer(number, random) for number in range(1, COUNT + 1)]


def orders() -> list[dict[str, Any]]:
    """Two orders a customer; delivery addresses and notes repeat personal data in running text."""
    random = Random(SEED + 1)  # noqa: S311 - as above
    return [_order(number, customer, random) for number, customer in enumerate(customers() * 2, start=1)]


def _customer(number: int, random: Random) -> dict[str, Any]:
    given = GIVEN_NAMES[(number - 1) % len(GIVEN_NAMES)]
    family = FAMILY_NAMES[(number - 1) * 7 % len(FAMILY_NAMES)]
    return {
        "id": number,
        "name": f"{given} {family}",
        "email": f"customer{number}.{given.encode('ascii', 'ignore').decode().lower()}@example.com",
        "phone": f"+1-202-555-01{random.randrange(100):02d}",
        "address": f"{random.randrange(1, 200)} {random.choice(STREETS)}, {random.choice(CITIES)}",
        "ssn": f"{random.randrange(100, 665):03d}-{random.randrange(10, 99):02d}-{random.randrange(1000, 9999):04d}",
        "card": _card(random),
        "iban": german_iban("50010517", f"{random.randrange(10**9):010d}"),
        "plan": random.choice(("free", "team", "business")),
        "balance": f"{random.randrange(0, 500_000) / 100:.2f}",
    }


def _card(random: Random) -> str:
    prefix = random.choice(CARD_PREFIXES)
    length = 14 if prefix.startswith("37") else 15
    digits = prefix + "".join(str(random.randrange(10)) for _ in range(length - len(prefix)))
    number = digits + luhn_check_digit(digits)
    return number if length == 14 else " ".join(number[at : at + 4] for at in range(0, 16, 4))


def _order(number: int, customer: dict[str, Any], random: Random) -> dict[str, Any]:
    return {
        "id": 1000 + number,
        "customer": customer["id"],
        "item": random.choice(ITEMS),
        "amount": f"{random.randrange(500, 90_000) / 100:.2f}",
        "currency": "EUR",
        "shipTo": f"{customer['name']}, {customer['address']}",
        "note": f"call {customer['phone']} before delivery, receipt to {customer['email']}",
    }
