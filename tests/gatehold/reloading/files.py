"""Configurations for the tests of reloading."""

from pathlib import Path

GATEWAY = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: test}
spec: {dataDir: ./data}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: crm}
spec: {family: http, hosts: ["crm.corp.example:443"], mask: {profiles: [pii, names]}, dlp: {profiles: [secrets]}}
---
apiVersion: gatehold.dev/v1
kind: MaskProfile
metadata: {name: names}
spec:
  entities: {EMAIL_ADDRESS: {}}
  keys: [{match: name, entity: NAME}, {match: phone, entity: PHONE}]
"""
WALLS = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: walls}
rules:
  - {name: wall, effect: deny, http: {targets: [crm], paths: ["/orders"]}}
  - {name: asks, effect: constrain, http: {targets: [crm], methods: [PUT]}, approval: {groups: [sre]}}
  - {name: door, effect: allow, http: {targets: [crm], methods: [GET]}, mask: {profiles: [pii]}, dlp: {profiles: [pii]}}
  - {name: tried, effect: deny, mode: shadow, http: {targets: [crm], methods: [PATCH]}}
"""
TESTS = """
apiVersion: gatehold.dev/v1
kind: PolicyTest
metadata: {name: tests}
cases:
  - name: nobody reads orders
    agent: {subject: a}
    request: {target: crm, method: GET, path: /orders}
    expect: {verdict: deny}
"""


def write(directory: Path, *, gateway: str = GATEWAY, walls: str = WALLS, tests: str = TESTS) -> Path:
    """A configuration in a directory; what is empty is not there."""
    directory.mkdir(exist_ok=True)
    for name, text in (("gateway.yaml", gateway), ("walls.yaml", walls), ("tests.yaml", tests)):
        path = directory / name
        if text:
            path.write_text(text)
        else:
            path.unlink(missing_ok=True)
    return directory
