"""Every way into a container, and every way to more rights, as data."""

from collections.abc import Iterator

from tests.e2e.rows import (
    APPLY,
    CONTAINER,
    FORCED,
    JSON,
    JSON_PATCH,
    MERGE,
    PROTOBUF,
    STRATEGIC,
    YAML,
    Row,
    manifest,
    row,
)


def container_rows(pod: str) -> Iterator[Row]:
    """Every way into a container of a pod."""
    one = f"/api/v1/namespaces/prod/pods/{pod}"
    sockets = {
        "exec": ("exec?command=sh&stdin=true&stdout=true", "v5.channel.k8s.io"),
        "exec v4": ("exec?command=sh&stdout=true", "v4.channel.k8s.io"),
        "attach": ("attach?stdin=true&stdout=true", "v5.channel.k8s.io"),
        "portforward": ("portforward?ports=8080", "SPDY/3.1+portforward.k8s.io"),
        "portforward v4": ("portforward?ports=8080", "v4.channel.k8s.io"),
        "proxy": ("proxy/", "chat"),
        "encoded": ("%65xec?command=sh", "v5.channel.k8s.io"),
        "slash": ("exec/?command=sh", "v5.channel.k8s.io"),
    }
    for name, (tail, protocol) in sockets.items():
        yield Row(
            name=f"WebSocket {name}", method="GET", path=f"{one}/{tail}", headers=_socket(protocol), expect="refused"
        )
        for method in ("GET", "POST"):
            spdy = (
                ("Connection", "Upgrade"),
                ("Upgrade", "SPDY/3.1"),
                ("X-Stream-Protocol-Version", "v4.channel.k8s.io"),
            )
            yield Row(name=f"SPDY {method} {name}", method=method, path=f"{one}/{tail}", headers=spdy, expect="refused")
            yield row(f"{method} {name}, no upgrade", method, f"{one}/{tail}", expect="refused")
    bearer = _socket("v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.Y2x1c3Rlcg")
    yield Row(name="WebSocket with a token in its protocol", method="GET", path=f"{one}/exec?command=sh", headers=bearer, expect="refused")  # fmt: skip
    debug = {"spec": {"ephemeralContainers": [{"name": "d", "image": "sh", "targetContainerName": "web"}]}}
    for content_type in (MERGE, STRATEGIC):
        yield row(
            f"debug container {content_type}", "PATCH", f"{one}/ephemeralcontainers", debug, content_type, "refused"
        )
    yield row("debug container, whole", "PUT", f"{one}/ephemeralcontainers", debug, expect="refused")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        yield row(f"pod proxy {method}", method, f"{one}/proxy/admin", expect="refused")
        yield row(
            f"service proxy {method}", method, "/api/v1/namespaces/prod/services/http:web:80/proxy/x", expect="refused"
        )
        yield row(
            f"node proxy {method}", method, "/api/v1/nodes/demo-node-1/proxy/run/prod/web/web?cmd=id", expect="refused"
        )
    for name, path in {
        "pod": f"/api/v1/proxy/namespaces/prod/pods/{pod}/",
        "service": "/api/v1/proxy/namespaces/prod/services/web/",
        "node": "/api/v1/proxy/nodes/demo-node-1/exec",
        "encoded": f"/api/v1/%70roxy/namespaces/prod/pods/{pod}/",
        "nothing": "/api/v1/proxy",
    }.items():
        for method in ("GET", "POST"):
            yield row(f"legacy proxy {method} {name}", method, path, expect="refused")


def escalation_rows() -> Iterator[Row]:
    """Ways to more rights than one was given, in a namespace in which one may do everything."""
    pods, deployments = "/api/v1/namespaces/dev-1/pods", "/apis/apps/v1/namespaces/dev-1/deployments"
    for name, spec in {
        "privileged": {"containers": [{**CONTAINER, "securityContext": {"privileged": True}}]},
        "host network": {"hostNetwork": True, "containers": [CONTAINER]},
        "host path": {"containers": [CONTAINER], "volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
        "init container": {
            "containers": [CONTAINER],
            "initContainers": [{**CONTAINER, "name": "i", "securityContext": {"privileged": True}}],
        },
        "capability": {"containers": [{**CONTAINER, "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]},
        "service account": {"containers": [CONTAINER], "serviceAccountName": "admin"},
        "service account of old": {"containers": [CONTAINER], "serviceAccount": "admin"},
    }.items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
        whole = manifest("apps/v1", "Deployment", "x", 1)
        whole["metadata"]["namespace"] = "dev-1"
        whole["spec"]["template"]["spec"] = spec
        for content_type in (JSON, YAML, PROTOBUF):
            yield row(f"pod, {name} {content_type}", "POST", pods, pod, content_type, "refused")
            yield row(f"deployment, {name} {content_type}", "POST", deployments, whole, content_type, "refused")
        change = {"spec": {"template": {"spec": spec}}}
        for content_type in (MERGE, STRATEGIC):
            yield row(
                f"deployment, {name} {content_type}", "PATCH", f"{deployments}/api", change, content_type, "refused"
            )
        operations = [{"op": "add", "path": "/spec/template/spec", "value": spec}]
        yield row(f"deployment, {name} json", "PATCH", f"{deployments}/api", operations, JSON_PATCH, "refused")
        declared = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, **change}
        yield row(f"deployment, {name} apply", "PATCH", f"{deployments}/api?{FORCED}", declared, APPLY, "refused")
    secret = "/api/v1/namespaces/dev-1/secrets/db-credentials"
    copied = [{"op": "copy", "from": "/data/password", "path": "/metadata/annotations"}]
    for name, method, path, body, content_type in (
        ("secrets", "GET", "/api/v1/secrets", None, JSON),
        ("secrets, watched", "GET", "/api/v1/namespaces/dev-1/secrets?watch=1", None, JSON),
        ("secrets, watched as of old", "GET", "/api/v1/watch/secrets", None, JSON),
        ("a secret", "GET", secret, None, JSON),
        ("a secret, copied", "PATCH", f"{secret}?dryRun=All", copied, JSON_PATCH),
        ("a secret, patched", "PATCH", secret, {}, MERGE),
        ("secrets, deleted as a trial", "DELETE", "/api/v1/namespaces/dev-1/secrets?dryRun=All", None, JSON),
        ("a token", "POST", "/api/v1/namespaces/dev-1/serviceaccounts/default/token", {"spec": {}}, JSON),
        (
            "a definition",
            "DELETE",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/frontends.shop.example",
            None,
            JSON,
        ),
        ("an API", "PATCH", "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps", {"spec": {"service": {}}}, MERGE),
        ("a node", "PATCH", "/api/v1/nodes/demo-node-1", {"metadata": {"labels": {"a": "b"}}}, MERGE),
        ("a kubelet", "GET", "/api/v1/nodes/demo-node-1/proxy/pods", None, JSON),
        ("a namespace", "PATCH", "/api/v1/namespaces/dev-1", {"metadata": {"labels": {"a": "b"}}}, MERGE),
        ("a system namespace", "POST", "/api/v1/namespaces/kube-system/configmaps", {"metadata": {"name": "x"}}, JSON),
        ("a role", "POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", {"metadata": {"name": "x"}}, JSON),
        ("a webhook", "POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", {}, JSON),
        ("a certificate", "POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", {}, JSON),
        ("logs of the node", "GET", "/logs/kube-apiserver.log", None, JSON),
    ):
        yield row(name, method, path, body, content_type, "refused")


def _socket(protocol: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", protocol),
    )
