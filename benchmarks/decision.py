"""What a decision costs among 10,000 rules, against a linear scan over the same rules.

Run it with ``python benchmarks/decision.py [--rules N] [--json FILE]``. The rules and calls are drawn from a fixed
seed: 60 % http, 40 % kubernetes. Four engines answer the same calls: rules without conditions, a condition on every
rule that reads the request line, one that reads a 5 KiB body as well, and the first of them by a scan that tests rule
after rule until all are tested. Decoding a request is not part of a decision; reading its body for a condition is.
"""

import argparse
import gc
import json
import platform
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from policy.actions.decoding import Action, decode
from policy.actions.kubernetes import KubernetesAction
from policy.engine import Engine
from policy.model import Agent, Family, TargetName, TargetTraits, WireRequest
from policy.rules.schema import PolicyDocument

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
WORDS = ("users", "repos", "issues", "pulls", "customers", "orders", "invoices", "charges", "files", "search")
RESOURCES = ("pods", "pods/log", "pods/exec", "deployments", "deployments/scale", "services", "secrets", "jobs")
APIS = [f"api-{at}" for at in range(150)] + [f"svc{at}-{part}" for at in range(40) for part in "abc"]
CLUSTERS = [f"k8s-{at}" for at in range(21)]
GROUPS = [f"g{at}" for at in range(200)]
CONDITIONS = ("http.method != 'HEAD' || agent.subject == 'x{}'", "k8s.verb != 'x{}'")
ON_BODY = ("body.items[3].id > 2 || body.kind == 'x{}'", "object.spec.replicas > 3 || k8s.name == 'x{}'")
VARIANTS = 100
"""Different conditions of each family; what rules say word for word alike is compiled once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, decoded."""

    agent: Agent
    target: TargetName
    request: WireRequest


def some(draw: random.Random, values: Sequence[str], least: int, most: int) -> list[str]:
    """A few of them."""
    return draw.sample(values, draw.randint(least, most))


def http_rule(draw: random.Random) -> dict[str, Any]:
    """A rule for one target, or a family of them, and one path pattern."""
    segments = ["*" if draw.random() < 0.3 else draw.choice(WORDS) for _ in range(draw.randint(1, 5))]
    match: dict[str, Any] = {"paths": ["/" + "/".join(segments) + ("/**" if draw.random() < 0.4 else "")]}
    match["targets"] = [
        "*" if draw.random() < 0.03 else draw.choice([*APIS[:150], *(f"svc{at}-*" for at in range(40))])
    ]
    if draw.random() > 0.2:
        match["methods"] = some(draw, ("GET", "POST", "PUT", "PATCH", "DELETE"), 1, 3)
    return {"http": match}


def kubernetes_rule(draw: random.Random) -> dict[str, Any]:
    """A rule for some resources in some namespaces of one cluster."""
    names = ["dev-*", "prod-*", "*-team", f"ns{draw.randint(0, 300)}", f"team{draw.randint(0, 50)}-*"]
    return {
        "kubernetes": {
            "targets": ["*" if draw.random() < 0.1 else draw.choice(CLUSTERS)],
            "verbs": ["*"] if draw.random() < 0.1 else some(draw, ("get", "list", "watch", "create", "update"), 1, 4),
            "resources": ["*"] if draw.random() < 0.05 else some(draw, RESOURCES, 1, 3),
            "namespaces": ["*"] if draw.random() < 0.1 else [draw.choice(names)],
        }
    }


def rules(count: int, conditions: tuple[str, str] | None) -> list[dict[str, Any]]:
    """The same rules each time, with a condition each for http and kubernetes or without."""
    draw, found = random.Random(1), []  # noqa: S311 (the same rules each time)
    for at in range(count):
        effect = draw.choice(("allow", "allow", "deny", "constrain"))
        rule = kubernetes_rule(draw) if draw.random() < 0.4 else http_rule(draw)
        rule |= {"name": f"rule-{at:05}", "effect": effect}
        if draw.random() > 0.1:
            rule["agents"] = {"groups": some(draw, GROUPS, 1, 3)}
        if effect == "constrain":
            rule["mask"] = {"profiles": ["pii"]}
        if conditions is not None:
            rule["when"] = conditions["kubernetes" in rule].format(at % VARIANTS)
        found.append(rule)
    return found


def body(replicas: int) -> bytes:
    """A JSON body of about 5 KiB."""
    items = [{"id": at, "name": f"item {at}", "tags": ["a", "b"], "note": "x" * 40} for at in range(50)]
    return json.dumps({"metadata": {"name": "web"}, "spec": {"replicas": replicas}, "items": items}).encode()


def calls(count: int) -> list[Call]:
    """Calls of 60 agents to all targets."""
    draw = random.Random(2)  # noqa: S311 (the same calls each time)
    callers = [
        Agent(issuer="corp", subject=f"s{at}", groups=tuple(sorted(some(draw, GROUPS, 1, 6)))) for at in range(60)
    ]
    return [one_call(draw, draw.choice(callers)) for _ in range(count)]


def one_call(draw: random.Random, agent: Agent) -> Call:
    """A call that rules of the kinds above may match."""
    writes = draw.random() < 0.4
    if draw.random() < 0.6:
        target = draw.choice(APIS)
        words = [
            draw.choice(WORDS) if draw.random() < 0.7 else str(draw.randint(1, 10**6))
            for _ in range(draw.randint(1, 6))
        ]
        method, path = ("POST" if writes else "GET"), "/" + "/".join(words)
    else:
        target = draw.choice(CLUSTERS)
        namespace = draw.choice(
            [f"dev-{draw.randint(0, 99)}", f"prod-{draw.randint(0, 9)}", f"ns{draw.randint(0, 300)}"]
        )
        resource, _, subresource = draw.choice(RESOURCES).partition("/")
        api = "apis/apps/v1" if resource == "deployments" else "api/v1"
        path = f"/{api}/namespaces/{namespace}/{resource}" + ("" if writes else f"/web/{subresource}".rstrip("/"))
        method = "POST" if writes else "GET"
    headers = (("content-type", "application/json"),) if writes else ()
    request = WireRequest(method=method, path=path, headers=headers, body=body(draw.randint(1, 9)) if writes else b"")
    return Call(agent=agent, target=TargetName(target), request=request)


def targets() -> dict[str, TargetTraits]:
    """Every target of the calls."""
    return {
        name: TargetTraits(name=TargetName(name), family=family)
        for names, family in ((APIS, Family.HTTP), (CLUSTERS, Family.KUBERNETES))
        for name in names
    }


def compiled(count: int, conditions: tuple[str, str] | None) -> Engine:
    """An engine over all rules."""
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "bench"}}
    return Engine.compile([PolicyDocument.model_validate({**head, "rules": rules(count, conditions)})], targets())


def as_regex(patterns: Sequence[str] | None) -> Callable[[str], object]:
    """A test of one selector, compiled once; for a scan that is not slower than it has to be."""
    if patterns is None or "*" in patterns:
        return lambda _: True
    return re.compile("|".join(".*".join(map(re.escape, each.split("*"))) for each in patterns)).fullmatch


def as_path(pattern: str) -> Callable[[str], object]:
    """The same for a path pattern."""
    parts = ("(?:/.*)?" if part == "**" else "/[^/]+" if part == "*" else "/" + part for part in pattern[1:].split("/"))
    return re.compile("".join(parts)).fullmatch


def linear(count: int) -> Callable[[Call, Action], int]:
    """How many rules match, by testing all of them."""
    tests = []
    for rule in rules(count, None):
        match: dict[str, Any] = rule.get("http") or rule["kubernetes"]
        keys = ("methods",) if "http" in rule else ("verbs", "resources", "namespaces")
        selectors = tuple(as_regex(match.get(key)) for key in keys)
        groups = frozenset(rule["agents"]["groups"]) if "agents" in rule else None
        path = as_path(match["paths"][0]) if "http" in rule else None
        tests.append((groups, as_regex(match["targets"]), selectors, path))

    def scan(call: Call, action: Action) -> int:
        groups, target = set(call.agent.groups), call.target
        kubernetes = isinstance(action, KubernetesAction)
        values = (
            (action.verb, "/".join(filter(None, (action.resource, action.subresource))), action.namespace)
            if isinstance(action, KubernetesAction)
            else (action.method,)
        )
        return sum(
            (path is None) == kubernetes
            and (wanted is None or not wanted.isdisjoint(groups))
            and bool(on_target(target))
            and all(test(value) for test, value in zip(selectors, values, strict=True))
            and (path is None or bool(path(action.path)))
            for wanted, on_target, selectors, path in tests
        )

    return scan


def measured(decide: Callable[[Call, Action], object], made: Sequence[Call]) -> list[float]:
    """Microseconds for each call, sorted. Every action is decoded anew before, so that no body was read yet."""
    known, times = targets(), []
    decoded = [(call, decode(known[call.target], call.request)) for call in made]
    for call, action in decoded:
        start = time.perf_counter_ns()
        decide(call, action)
        times.append((time.perf_counter_ns() - start) / 1000)
    return sorted(times)


def figures(name: str, times: Sequence[float]) -> dict[str, Any]:
    """What is shown of one run."""
    return {
        "run": name,
        "p50": round(statistics.median(times), 1),
        "p99": round(times[int(len(times) * 0.99)], 1),
        "max": round(times[-1], 1),
        "calls": len(times),
    }


def engine_run(name: str, count: int, conditions: tuple[str, str] | None, made: Sequence[Call]) -> dict[str, Any]:
    """Compile, warm up, measure."""
    start = time.perf_counter()
    engine = compiled(count, conditions)
    seconds = time.perf_counter() - start

    def decide(call: Call, action: Action) -> object:
        return engine.decide(call.agent, call.target, action, now=NOW)

    measured(decide, made)
    gc.collect()
    gc.freeze()
    return {**figures(name, measured(decide, made)), "compile_s": round(seconds, 2)}


def main() -> None:
    """Run all, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=4_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    made = calls(options.calls)
    runs = [
        engine_run("index, no conditions", options.rules, None, made),
        engine_run("index, a condition on every rule", options.rules, CONDITIONS, made),
        engine_run("index, a condition on the body", options.rules, ON_BODY, made),
        figures("linear scan, no conditions", measured(linear(options.rules), made[:200])),
    ]
    print(f"{options.rules} rules, Python {platform.python_version()}, {platform.machine()}; microseconds")
    print(f"{'':36}{'p50':>10}{'p99':>10}{'max':>10}{'compile':>10}")
    for run in runs:
        seconds = f"{run['compile_s']:.2f} s" if "compile_s" in run else ""
        print(f"{run['run']:36}{run['p50']:>10.1f}{run['p99']:>10.1f}{run['max']:>10.1f}{seconds:>10}")
    if options.json:
        options.json.write_text(json.dumps({"rules": options.rules, "runs": runs}, indent=2) + "\n")


if __name__ == "__main__":
    main()
