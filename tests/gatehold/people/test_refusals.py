"""Law: every refusal has words for people, which tell nothing of what is known here."""

import pytest

from gatehold.people.refusals import SignInRefused, Why


@pytest.mark.parametrize("why", Why)
def test_words(why: Why) -> None:
    """A sentence; the detail and the name are not in it."""
    refused = SignInRefused(why, "a-detail", user="ada", retry_after=1.0)
    assert str(refused).endswith(".")
    assert "a-detail" not in str(refused)
    assert "ada" not in str(refused)


def test_a_wrong_password_is_no_news() -> None:
    """Neither is a wrong name."""
    assert str(SignInRefused(Why.CREDENTIALS, user="ada")) == str(SignInRefused(Why.CREDENTIALS))
