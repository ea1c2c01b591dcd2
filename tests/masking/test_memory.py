"""What is remembered is bounded, in number and in length."""

from masking import memory


def test_short_texts_are_asked_about_once() -> None:
    """And long ones every time."""
    asked: list[str] = []

    def answer(text: str) -> int:
        asked.append(text)
        return len(text)

    ask = memory.remembered(answer)
    short, long = "x", "y" * (memory._LONGEST + 1)
    assert [ask(short), ask(short), ask(long), ask(long)] == [1, 1, len(long), len(long)]
    assert asked == [short, long, long]
