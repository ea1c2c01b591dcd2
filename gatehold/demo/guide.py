"""What a person is told to type to try a demonstration."""

import os
import shlex
from pathlib import Path

from gatehold.demo.processes import program
from gatehold.demo.site import APPROVER, CRM_URL, HOST, Site

TRIES = (
    ("kubectl scale deployment/web --replicas=5", "waits; the page shows what changes. Approve it there"),
    (f"curl {CRM_URL}/customers/1", "allowed; card number and e-mail address are masked"),
    (f"curl {CRM_URL}/report.csv", "denied by a rule"),
    (f"curl -X DELETE {CRM_URL}/customers/7", "waits as well; deny it, and curl prints your reason"),
    ("kubectl get pods", "allowed"),
    ("kubectl exec deployment/web -- id", "denied by a rule"),
)
MISLEADING = ("https_proxy", "NO_PROXY", "no_proxy", "CURL_HOME")
"""Variables that make curl or kubectl ignore those that are exported here."""


def guide(site: Site) -> str:
    """The text: for the browser of the one who answers, the agent's shell, and the operator's.

    The password stands here only.
    """
    width = max(len(command) for command, _ in TRIES)
    tries = [f"  {command:<{width}}   # {remark}" for command, remark in TRIES]
    return "\n".join(
        [
            f"Gatehold serves; everything of it is in {site.directory}.",
            "",
            "In a browser, be the one who answers:",
            "",
            f"  {site.console_url}",
            f"  name:      {APPROVER}",
            f"  password:  {site.password}",
            "",
            "In a second shell, be the agent:",
            "",
            *(f"  {line}" for line in exports(site)),
            "",
            *tries,
            "",
            "In a third shell, look at what happened:",
            "",
            *(f"  {line}" for line in operating(site)),
            "",
            f"The policy is {_quoted(site.config / 'policy.yaml')}; a changed one holds from the next start.",
            "Ctrl-C ends everything.",
        ]
    )


def exports(site: Site) -> list[str]:
    """Lines that make a shell the agent's. The token itself stays in its file."""
    misleading = [name for name in MISLEADING if name in os.environ]
    return [
        *([f"unset {' '.join(misleading)}"] if misleading else []),
        f'export HTTPS_PROXY="http://agent:$(cat {_quoted(site.token_file)})@{HOST}:{site.ports.proxy}"',
        f"export CURL_CA_BUNDLE={_quoted(site.ca)}",
        f"export KUBECONFIG={_quoted(site.kubeconfig)}",
    ]


def operating(site: Site) -> list[str]:
    """Lines for the operator's shell."""
    directory, config = _quoted(Path(program("gatehold")).parent), _quoted(site.config)
    return [
        f"export PATH={directory}:$PATH",
        f"gatehold recordings show {site.session} --config {config}",
        f"gatehold recordings open {site.session} --config {config}   # in mitmweb",
        f"gatehold approvals list --config {config}   # answers: approvals approve ID --as {APPROVER}",
        f"gatehold audit verify --config {config}",
    ]


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
