"""Masking against Presidio as it comes: the same bodies, the same run, the results compared.

usage: python -m benchmarks.masking [--rounds 5] [--vanilla-leaves 4000] [--json FILE]

Presidio is asked about every string of a body, leaf by leaf, with the same context words (those of the member's name
and of the text). It is asked about a sample of the leaves where there are very many, and its time is scaled up. Ours is
measured cold (nothing remembered, everything compiled) and warm, each the best of several rounds. What is compared: in
the masked whole body, leaf by leaf: of every sampled one, exactly the spans that Presidio finds are replaced; what it
finds and is still there is counted as missed, and a leaf in which anything else differs as extra.
"""

import argparse
import base64
import json
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.population import populate
from masking import detectors
from masking.engine import MaskingEngine
from masking.profiles import resolve
from masking.screening import backend

KEY = b"k" * 32
ENTITIES = ["CREDIT_CARD", "CRYPTO", "EMAIL_ADDRESS", "IBAN_CODE", "PHONE_NUMBER", "US_ITIN", "US_SSN"]
JSON, TEXT = "application/json", "text/plain"
PII, PERSONAL, EVERYTHING = ("pii",), ("pii", "pci"), ("pii", "pci", "kubernetes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A body and the profiles that it is masked with."""

    name: str
    body: bytes
    content_type: str
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of one corpus. Times in milliseconds."""

    corpus: str
    profiles: str
    size: int
    hits: int
    vanilla: float
    cold: float
    warm: float
    missed: int
    """Values that Presidio finds and that were not hidden."""
    extra: int
    """Leaves in which something else than what Presidio finds is replaced: between letters, by name, secrets."""

    @property
    def line(self) -> str:
        """A row of the table."""
        speed = self.size / 1000 / self.warm
        ratios = f"{self.vanilla / self.cold:8.0f}x {self.vanilla / self.warm:8.0f}x"
        return (
            f"{self.corpus:16} {self.profiles:20} {self.size:9} {self.hits:6} {self.vanilla:10.0f} {self.cold:8.1f}"
            f" {self.warm:8.1f} {speed:6.0f} {ratios} {self.missed:6} {self.extra:6}"
        )


def pods(count: int) -> bytes:
    """A list of pods as a Kubernetes API answers it."""
    cluster = Cluster(token="t" * 20)
    items = populate(cluster.store, count)
    return json.dumps(
        {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}, separators=(",", ":")
    ).encode()


def users(count: int) -> bytes:
    """Records full of personal data."""
    made = random.Random(1)  # noqa: S311 - a corpus, no secret
    return json.dumps(
        [
            {
                "id": number,
                "name": f"User {number}",
                "email": f"user{number}.{made.randint(0, 9999)}@example.com",
                "phone": f"+1 212-555-{made.randint(1000, 9999)}",
                "card": "4111 1111 1111 1111" if number % 3 == 0 else "",
                "ssn": f"{made.randint(100, 665):03d}-{made.randint(10, 99)}-{made.randint(1000, 9999)}",
                "note": "Lorem ipsum dolor sit amet " * 5,
            }
            for number in range(count)
        ]
    ).encode()


def issues(count: int) -> bytes:
    """Issues of a code host: addresses, node identifiers, Markdown with line breaks and the odd e-mail address."""
    made = random.Random(2)  # noqa: S311 - a corpus, no secret
    words = ["the", "build", "fails", "when", "a", "pod", "restarts", "after", "call", "of", "its", "number", "probe"]
    found = []
    for number in range(count):
        login = f"dev-{made.randint(1, 60)}"
        url = f"https://api.code.example/repos/acme/web/issues/{number}"
        text = "".join(made.choice(words) + (" " if made.random() < 0.9 else "\r\n") for _ in range(120))
        found.append(
            {
                "url": url,
                "labels_url": url + "/labels{/name}",
                "id": made.randint(10**8, 10**10),
                "node_id": base64.b64encode(f"012:Issue{number}".encode()).decode(),
                "number": number,
                "title": text[:60].replace("\r\n", " "),
                "user": {"login": login, "id": made.randint(1, 10**7), "type": "User", "site_admin": False},
                "labels": [{"name": "bug", "color": "d73a4a", "default": True}],
                "created_at": "2026-11-21T04:03:52Z",
                "body": text + (f" mail {login}@example.com\r\n" if number % 10 == 0 else ""),
            }
        )
    return json.dumps(found).encode()


def logs(size: int) -> bytes:
    """Lines of a web server's log with nothing in them."""
    made = random.Random(3)  # noqa: S311 - a corpus, no secret
    lines: list[bytes] = []
    written = 0
    while written < size:
        minute, item, took = made.randint(10, 59), made.randint(1, 9999), made.randint(1, 90)
        line = f"2026-11-21T04:{minute}:52Z INFO web GET /items/{item} 200 {took}ms\n"
        lines.append(line.encode())
        written += len(line)
    return b"".join(lines)


def corpora() -> list[Corpus]:
    """Everything that is measured."""
    small, large, plain = pods(40), pods(500), pods(500).replace(b"@", b"-")
    return [
        Corpus(name="pods 230 KB", body=small, content_type=JSON, profiles=PII),
        Corpus(name="pods, 500", body=large, content_type=JSON, profiles=PII),
        Corpus(name="pods, 500", body=large, content_type=JSON, profiles=EVERYTHING),
        Corpus(name="pods, no hit", body=plain, content_type=JSON, profiles=PII),
        Corpus(name="users", body=users(400), content_type=JSON, profiles=PERSONAL),
        Corpus(name="issues", body=issues(500), content_type=JSON, profiles=PERSONAL),
        Corpus(name="logs 5 MB", body=logs(5_000_000), content_type=TEXT, profiles=PERSONAL),
    ]


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """All strings, with the nearest name above each."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, name)
    elif isinstance(value, str):
        yield name, value


def words_of(text: str, key: str) -> list[str]:
    """The context that a text is judged in."""
    return re.findall(r"\w+", key) + re.findall(r"\w+", text.lower())


def analyzer() -> AnalyzerEngine:
    """Presidio as it comes, without a language model and without the network."""
    logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL)
    # Its e-mail recognizer would fetch the public suffix list: it gets the bundled one.
    bundled = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)
    tldextract.extract = bundled  # type: ignore[assignment]
    nlp = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": ""}])
    nlp.load()
    detectors.warm()
    return AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])


def milliseconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def fresh(corpus: Corpus) -> Callable[[], Any]:
    """The masking of a body by an engine that has seen none."""
    engine = MaskingEngine(resolve({}), key=KEY)
    engine.load()
    engine.prepare(corpus.profiles)
    return lambda: engine.mask_body(corpus.body, content_type=corpus.content_type, profiles=corpus.profiles)


def measured(corpus: Corpus, presidio: AnalyzerEngine, rounds: int, most: int) -> Figures:
    """All figures of one corpus."""
    every = leaves_of(corpus.body, corpus.content_type)
    sample = every if len(every) <= most else random.Random(4).sample(every, most)  # noqa: S311 - which leaves, no secret
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def vanilla() -> None:
        for key, text in sample:
            results = presidio.analyze(text, "en", entities=ENTITIES, context=words_of(text, key), score_threshold=0.5)
            asked = [each for each in results if each.entity_type != "CREDIT_CARD" or "pci" in corpus.profiles]
            found[key, text] = sorted((each.start, each.end) for each in asked)

    taken = milliseconds(vanilla) * len(every) / len(sample)
    cold = min(milliseconds(fresh(corpus)) for _ in range(rounds))
    work = fresh(corpus)
    masked = work()
    warm = min(milliseconds(work) for _ in range(rounds))
    missed, extra = compared(found, every, leaves_of(masked.body, corpus.content_type))
    return Figures(
        corpus=corpus.name,
        profiles="+".join(corpus.profiles),
        size=len(corpus.body),
        hits=sum(masked.counts.values()),
        vanilla=taken,
        cold=cold,
        warm=warm,
        missed=missed,
        extra=extra,
    )


def leaves_of(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """What Presidio is asked about, one by one."""
    if content_type == JSON:
        return list(leaves(json.loads(body)))
    return [("", line) for line in body.decode().splitlines()]


def compared(
    found: Mapping[tuple[str, str], list[tuple[int, int]]],
    before: list[tuple[str, str]],
    after: list[tuple[str, str]],
) -> tuple[int, int]:
    """How many values of Presidio are not hidden, and how many leaves differ from what it would have made of them."""
    missed = extra = 0
    for (key, text), (_, masked) in zip(before, after, strict=True):
        spans = found.get((key, text))
        if spans is not None:
            left = sum(text[start:end] in masked for start, end in spans)
            missed += left
            extra += not left and not re.fullmatch(expected(text, spans), masked)
    return missed, extra


def expected(text: str, spans: list[tuple[int, int]]) -> str:
    """An expression for a text of which exactly these spans are replaced, by whatever it is."""
    pieces, position = [], 0
    for start, end in spans:
        if start >= position:
            pieces += (re.escape(text[position:start]), "(?s:.+)")
        position = max(position, end)
    return "".join((*pieces, re.escape(text[position:])))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vanilla-leaves", type=int, default=4000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    presidio = analyzer()
    print(f"screened with {backend()}")
    print(
        f"{'corpus':16} {'profiles':20} {'bytes':>9} {'hits':>6} {'vanilla ms':>10} {'cold':>8} {'warm':>8} {'MB/s':>6}"
        f" {'cold':>9} {'warm':>9} {'missed':>6} {'extra':>6}"
    )
    rows = []
    for corpus in corpora():
        figures = measured(corpus, presidio, options.rounds, options.vanilla_leaves)
        print(figures.line, flush=True)
        rows.append(asdict(figures))
    if options.json:
        options.json.write_text(json.dumps({"backend": backend(), "corpora": rows}))


if __name__ == "__main__":
    main()
