"""What the agents of these tests may ask for."""

from typing import Final

ASKING: Final = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: asking}
rules:
  - name: planners-send-notes
    effect: allow
    agents: {groups: [planners]}
    http: {targets: [crm], methods: [PUT], paths: ["/notes/**"]}
    approval: {groups: [sre], message: "'note for ' + http.path + ': ' + string(body.title)"}
  - name: planners-patch-notes
    effect: allow
    agents: {groups: [planners]}
    http: {targets: [crm], methods: [PATCH], paths: ["/notes/{id}"]}
    approval: {groups: [sre], grant: 30m, scope: rule}
"""
"""Beside those of the standard configuration: deletes of customers, and many replicas in ``prod``."""
