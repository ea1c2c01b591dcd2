"""The Python client of Kubernetes."""

from tests.clients.client import Client

CLIENT = Client(
    name="kubernetes (Python)",
    language="python",
    example="""from kubernetes import client, config

config.load_kube_config("agent.kubeconfig")
secret = client.CoreV1Api().read_namespaced_secret("db-credentials", "prod")
print(secret.kind, secret.data)
""",
    answer="Secret {",
    needs="the kubeconfig",
    refused=("read_namespaced_secret", "delete_namespaced_secret"),
    refusal="default-deny",
    unauthenticated=r"401",
    unauthenticated_told="401",
    moved=("agent.kubeconfig", "{}.kubeconfig"),
)
