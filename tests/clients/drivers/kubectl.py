"""kubectl with the kubeconfig that ``gatehold env --kubeconfig`` prints."""

from tests.clients.client import Client

CLIENT = Client(
    name="kubectl",
    language="sh",
    example="kubectl --kubeconfig=agent.kubeconfig --namespace=prod get secret db-credentials --output=yaml\n",
    answer=r"kind: Secret",
    needs="the kubeconfig",
    refused=("get secret db-credentials --output=yaml", "delete secret db-credentials"),
    refusal="default-deny",
    unauthenticated=r"Unauthorized|must be logged in",
    unauthenticated_told="Unauthorized",
    moved=("agent.kubeconfig", "{}.kubeconfig"),
    programs=("kubectl",),
)
