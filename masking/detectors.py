"""Presidio's recognizers as detectors. The only module that imports Presidio; importing it takes seconds.

What is found is what Presidio finds: its patterns, its validators, its scores. They are evaluated here and not by
``AnalyzerEngine.analyze`` for three reasons: Presidio drops a pattern that times out and goes on, which would be a
leak; its e-mail pattern is quadratic; and most texts need not be looked at at all.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

import regex
import tldextract
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from masking import ahead, numbering, urls
from masking.detection import Detector, Hit, distinct, lift
from masking.errors import Unmaskable
from masking.numbers import is_issued_ssn, is_nhs, luhn
from masking.phones import PhoneDetector
from masking.private_domains import is_private
from masking.profiles.spec import EntitySpec
from masking.screens import COUNTRY_ENTITIES, SCREENS, derived, of_own
from masking.secret_patterns import SECRET_PATTERNS, SecretPattern
from masking.shown import tells

REGEX_SECONDS = 2.0
"""How long one pattern may take on one text before the text counts as unmaskable."""
_LONGEST_EMAIL = 1024
_DIGIT = regex.compile(r"\d")
_HOST_ENDS = re.compile("[/?#]")
_DOMAINS = 4096
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9._%+-]+")
_EXACT_FLAGS = regex.DOTALL | regex.MULTILINE


def _words(recognizer: Any) -> tuple[str, ...]:
    """Its context words. Those with a space or a sign equal no word of any text, and never count."""
    return tuple(word.lower() for word in recognizer.context or () if regex.fullmatch(r"\w+", word))


class PatternDetector:
    """A recognizer made of regular expressions, with or without a validator."""

    def __init__(self, recognizer: Any, screen: str | None = None) -> None:
        self.entity: str = recognizer.supported_entities[0]
        self.context = _words(recognizer)
        self.screen = screen
        self.screens_all = screen is not None and tells(screen)
        self._recognizer = recognizer
        self._patterns = [
            (regex.compile(pattern.regex, flags=recognizer.global_regex_flags), float(pattern.score))
            for pattern in recognizer.patterns
        ]
        self._validates = type(recognizer).validate_result is not PatternRecognizer.validate_result

    def reach(self, *, lifted: bool) -> float:
        """The highest score that a hit can have."""
        if self._validates:
            return 1.0
        best = max(score for _, score in self._patterns)
        return lift(best) if lifted else best

    def find(self, text: str, *, lifted: bool, threshold: float) -> list[Hit]:
        """All hits that reach ``threshold``, in order."""
        hits: list[Hit] = []
        try:
            for pattern, base in self._patterns:
                if self._validates or (lift(base) if lifted else base) >= threshold:
                    hits += self._judged(text, self._spans(pattern, text), base, lifted=lifted, threshold=threshold)
        except TimeoutError:
            raise Unmaskable("a detector ran out of time") from None
        return distinct(hits)

    def _spans(self, pattern: "regex.Pattern[str]", text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in pattern.finditer(text, timeout=REGEX_SECONDS))

    def _judged(
        self, text: str, spans: Iterator[tuple[int, int]], base: float, *, lifted: bool, threshold: float
    ) -> Iterator[Hit]:
        for start, end in spans:
            score = self._score(text[start:end], base) if end > start else 0.0
            if score > 0 and lifted and self.context:
                score = lift(score)
            if score > 0 and score >= threshold:
                yield Hit(self.entity, start, end, score)

    def _score(self, value: str, base: float) -> float:
        if not value.isascii() and any(_is_later_digit(each) for each in value):
            return 1.0 if self._validates else base
        valid = self._recognizer.validate_result(value)
        if valid is not None:
            base = 1.0 if valid else 0.0
        return 0.0 if self._recognizer.invalidate_result(value) else base


def _is_later_digit(character: str) -> bool:
    """Whether only ``regex``, which knows a later Unicode, takes it for a digit: no validator can read its value."""
    return not character.isdecimal() and _DIGIT.match(character) is not None


class EmailDetector(PatternDetector):
    """Presidio's e-mail pattern, applied only where an ``@`` stands between what it needs.

    Left alone it takes quadratic time on dots and letters. A match holds exactly one ``@``; its domain and the run of
    characters before it are found in linear time, and only then the pattern is asked, at that place. Domains of private
    networks count like those under a public suffix.
    """

    _DOMAIN = regex.compile(r"@\w++(?:-++\w++)*+(?:\.\w++(?:-++\w++)*+)++")
    _LOCAL = regex.compile(r"[!#$%&'*+\-/=?^_`{|}~.\w]*+")
    _WINDOW = 330

    def _spans(self, pattern: "regex.Pattern[str]", text: str) -> Iterator[tuple[int, int]]:
        done = 0
        at = text.find("@")
        while at >= 0:
            domain = self._DOMAIN.match(text, at)
            if domain and at > done and text[at - 1] != ".":
                start = max(done, self._local_start(text, at))
                # So few characters take no time worth a clock.
                seconds = REGEX_SECONDS if domain.end() - start > self._WINDOW else None
                match = pattern.search(text, start, domain.end(), timeout=seconds)
                if match:
                    yield match.span()
                    done = match.end()
            at = text.find("@", at + 1)

    def _local_start(self, text: str, at: int) -> int:
        """Where the run of characters begins that may stand in a local part and ends at ``at``."""
        window = self._WINDOW
        while True:
            before = text[max(0, at - window) : at]
            run: int = self._LOCAL.match(before[::-1]).end()
            if run < len(before) or window >= at:
                return at - run
            window *= 4

    def _score(self, value: str, base: float) -> float:  # noqa: ARG002  (a valid address is always sure)
        if len(value) > _LONGEST_EMAIL:
            return 1.0
        local, _, domain = value.rpartition("@")
        # Signs of a URL before the domain would make something else of it.
        known = is_host(domain if _PLAIN_LOCAL.fullmatch(local) else value)
        return 1.0 if known or (is_private(domain) and not _HOST_ENDS.search(local)) else 0.0


class UrlDetector(PatternDetector):
    """Presidio's patterns for URLs, which look back and forth from every character, read in linear time."""

    def __init__(self, recognizer: Any, screen: str | None = None) -> None:
        super().__init__(recognizer, screen)
        self._forms = {pattern: urls.taken_apart(pattern.pattern) for pattern, _ in self._patterns}

    def _spans(self, pattern: "regex.Pattern[str]", text: str) -> Iterator[tuple[int, int]]:
        form = self._forms[pattern]
        if form is None:
            return super()._spans(pattern, text)
        return form.spans(text) if "." in text else iter(())


class CountryDetector(PatternDetector):
    """One of the recognizers for a country."""

    def __init__(self, recognizer: Any) -> None:
        super().__init__(recognizer, derived(pattern.regex for pattern in recognizer.patterns))
        flags = recognizer.global_regex_flags
        self._forms = {pattern: ahead.taken_apart(pattern.pattern, flags) for pattern, _ in self._patterns}

    def _spans(self, pattern: "regex.Pattern[str]", text: str) -> Iterator[tuple[int, int]]:
        form = self._forms[pattern]
        return form.spans(text, REGEX_SECONDS) if form else super()._spans(pattern, text)


class CheckedDetector(PatternDetector):
    """Digits with spaces, dots and hyphens between them, whose check is made at once and not digit by digit."""

    _CHECKS: Mapping[str, Callable[[str], bool]] = {
        "CREDIT_CARD": lambda value: luhn(_joined(value)),
        "UK_NHS": lambda value: is_nhs(_joined(value)),
        "US_SSN": is_issued_ssn,
    }

    def _score(self, value: str, base: float) -> float:
        if not value.isascii():
            return super()._score(value, base)
        if not self._CHECKS[self.entity](value):
            return 0.0
        return 1.0 if self._validates else base


def _joined(value: str) -> str:
    return value.replace("-", "").replace(" ", "")


class IbanDetector(PatternDetector):
    """Presidio's IBAN pattern: of the groups of a match the longest valid one counts."""

    def _spans(self, pattern: "regex.Pattern[str]", text: str) -> Iterator[tuple[int, int]]:
        for match in pattern.finditer(text, timeout=REGEX_SECONDS):
            ends = (match.span(group)[1] for group in range(len(match.groups()), 0, -1))
            spans = ((match.start(), end if end > 0 else match.end()) for end in ends)
            valid = next((span for span in spans if self._score(text[slice(*span)], 0.5) > 0), None)
            if valid:
                yield valid


class _SecretRecognizer(PatternRecognizer):
    """One form of a key or token, with the check that refuses placeholders."""

    def __init__(self, secret: SecretPattern) -> None:
        self._accepts = secret.accepts
        super().__init__(
            supported_entity=secret.entity,
            patterns=[Pattern(secret.entity, secret.regex, secret.score)],
            global_regex_flags=_EXACT_FLAGS,
        )

    def validate_result(self, pattern_text: str) -> bool | None:
        return None if self._accepts is None or self._accepts(pattern_text) else False


@cache
def _suffixes() -> Callable[[str], tldextract.tldextract.ExtractResult]:
    """The public suffix list that comes with tldextract: the default would be fetched over HTTP."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)


@lru_cache(_DOMAINS)
def is_host(text: str) -> bool:
    """Whether a domain, or the one in an e-mail address, ends in a public suffix with something before it."""
    return bool(_suffixes()(text).fqdn)


@cache
def recognizers() -> dict[str, Any]:
    """Presidio's predefined recognizers for English that need no model, by entity."""
    # Its logger writes the texts that it fails to validate.
    logging.getLogger("presidio-analyzer").addFilter(lambda _record: False)
    engine = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": ""}])
    engine.load()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    return {recognizer.supported_entities[0]: recognizer for recognizer in registry.recognizers}


def _is_for_a_country(kind: object) -> bool:
    return isinstance(kind, type) and ".country_specific." in kind.__module__ and issubclass(kind, PatternRecognizer)


@cache
def country_recognizers() -> dict[str, Any]:
    """Presidio's recognizers for the identifiers of one country, by entity; those made of patterns alone.

    Most of them are loaded for another language than English. They are patterns all the same, which no language model
    takes part in.
    """
    found: dict[str, Any] = {}
    for name in predefined_recognizers.__all__:
        kind: Any = getattr(predefined_recognizers, name)
        if _is_for_a_country(kind):
            recognizer = kind()
            if recognizer.supported_entities[0] in COUNTRY_ENTITIES:
                found[recognizer.supported_entities[0]] = recognizer
    return found


_SPECIAL: dict[str, type[PatternDetector]] = {
    "CREDIT_CARD": CheckedDetector,
    "EMAIL_ADDRESS": EmailDetector,
    "IBAN_CODE": IbanDetector,
    "UK_NHS": CheckedDetector,
    "URL": UrlDetector,
    "US_SSN": CheckedDetector,
}


@cache
def builtin(entity: str) -> tuple[Detector, ...]:
    """The detectors of an entity that is built in."""
    if entity == "PHONE_NUMBER":
        return (_phone_detector(recognizers()[entity]),)
    if entity in SCREENS:
        return (_SPECIAL.get(entity, PatternDetector)(recognizers()[entity], SCREENS[entity]),)
    if entity in COUNTRY_ENTITIES:
        return (CountryDetector(country_recognizers()[entity]),)
    secrets = [secret for secret in SECRET_PATTERNS if secret.entity == entity]
    return tuple(PatternDetector(_SecretRecognizer(secret), secret.screen) for secret in secrets)


def _phone_detector(recognizer: PhoneRecognizer) -> PhoneDetector:
    return PhoneDetector(
        entity="PHONE_NUMBER",
        context=_words(recognizer),
        score=float(recognizer.SCORE),
        regions=tuple(recognizer.supported_regions),
    )


def custom(entity: str, spec: EntitySpec) -> Detector:
    """The detector of an entity that a profile defines."""
    recognizer: Any = PatternRecognizer(
        supported_entity=entity,
        patterns=[Pattern(entity, spec.regex, spec.score)] if spec.regex else [],
        deny_list=list(spec.deny_list),
        deny_list_score=spec.score,
        context=list(spec.context),
    )
    return PatternDetector(recognizer, of_own([pattern.regex for pattern in recognizer.patterns]))


def warm() -> None:
    """Everything that is slow the first time."""
    numbering.load()
    builtin("PHONE_NUMBER")[0].find("phone 212-555-5555", lifted=True, threshold=0.0)
    builtin("EMAIL_ADDRESS")[0].find("a@example.com", lifted=False, threshold=0.0)
