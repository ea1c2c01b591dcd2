"""The guard drops what infrastructure is full of, and nothing that stands by itself."""

import pytest

from masking.guard import keeps


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        ("CREDIT_CARD", "sha256:4111111111111111ab", "4111111111111111"),
        ("CREDIT_CARD", "a-4111111111111111", "4111111111111111"),
        ("US_SSN", "_078-05-1123", "078-05-1123"),
        ("US_SSN", "078-05-1123-77", "078-05-1123"),
        ("CRYPTO", "x1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        ("US_ITIN", "build/911-70-1234", "911-70-1234"),
        ("EMAIL_ADDRESS", "git@github.com:acme/app.git", "git@github.com"),
        ("EMAIL_ADDRESS", "ssh://deploy@git.example.com/app", "deploy@git.example.com"),
        ("EMAIL_ADDRESS", "https://user:pw@example.com/", "pw@example.com"),
    ],
)
def test_parts_of_longer_tokens_and_addresses_of_hosts_are_dropped(entity: str, text: str, value: str) -> None:
    """Identifiers, digests and repository addresses are no personal data."""
    start = text.index(value)
    assert not keeps(entity, text, start, start + len(value))


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        ("CREDIT_CARD", "card 4111111111111111.", "4111111111111111"),
        ("US_SSN", "(078-05-1123)", "078-05-1123"),
        ("EMAIL_ADDRESS", "mailto:bob@example.com", "bob@example.com"),
        ("EMAIL_ADDRESS", "see https://example.com or write to bob@example.com", "bob@example.com"),
        ("PHONE_NUMBER", "x+1-202-555-0173x", "+1-202-555-0173"),
    ],
)
def test_values_by_themselves_are_kept(entity: str, text: str, value: str) -> None:
    """A value between spaces or punctuation is believed."""
    start = text.index(value)
    assert keeps(entity, text, start, start + len(value))
