"""The configuration of a gateway before one cluster, for tests that bring rules of their own."""

_GATEWAY = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  agentApi: {host: 127.0.0.1, port: @AGENT_API@}
  console: {host: 127.0.0.1, port: @CONSOLE@}
  packs: %(packs)s
  listen:
    - {mode: regular, host: 127.0.0.1, port: @PROXY@}
    - {mode: reverse, host: 127.0.0.1, port: @CLUSTER_PROXY@, target: main, names: [k8s-gateway.internal]}
  identity:
    issuers:
      - {name: corp, issuer: "https://idp.test", audience: gatehold, jwks: {file: "@JWKS@"}, algorithms: [EdDSA]}
  approvals: {hold: %(hold)s, expire: 15m, maxOpenPerAgent: 5000}
  limits: %(limits)s
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: main}
spec:
  family: kubernetes
  hosts: ["kubernetes.corp.example:443"]
  connect: 127.0.0.1:@CLUSTER@
  allowPrivate: true
  impersonate: %(impersonate)s
  tls: {ca: "@CA@"}
  credential: {kubernetes: {tokenFile: "@CLUSTER_TOKEN@"}}
---
"""


def one_cluster(
    policy: str,
    *,
    packs: str = "[kubernetes-discovery]",
    hold: str = "1s",
    impersonate: bool = False,
    limits: str = "{}",
) -> str:
    """All documents, with the placeholders of ``Installation.write``; ``packs`` and ``limits`` are YAML."""
    chosen = {"packs": packs, "hold": hold, "impersonate": str(impersonate).lower(), "limits": limits}
    return _GATEWAY % chosen + policy.lstrip("\n")
