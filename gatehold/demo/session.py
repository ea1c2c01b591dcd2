"""A scripted session: what an agent does with curl and kubectl, what a person answers, what is on record afterwards.

Each step is compared with what must come of it, on the agent's side and on the upstream's.
"""

import base64
import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx2

from gatehold.demo import records
from gatehold.demo.browsing import Unexpected, signed_in
from gatehold.demo.kubernetes.seed import PASSWORDS
from gatehold.demo.processes import finish, gatehold, plain_environment, program, run, start
from gatehold.demo.received import RequestLog
from gatehold.demo.site import APPROVER, CRM_URL, SUBJECT, Site

CURL: Final = ("curl", "-sS", "-i", "--suppress-connect-headers", "--max-time", "55")
ASKED_SECONDS: Final = 20.0
"""Within these an approval of a held call must be on the list."""
SHOWN: Final = 160
"""Characters of an answer that are shown."""
PERSONAL: Final = ("email", "phone", "ssn", "card", "iban")


class BrokenOff(Exception):
    """A step cannot go on; the message says why."""


@dataclass(slots=True, kw_only=True)
class Step:
    """One step, and what came of it."""

    name: str
    command: str = ""
    saw: list[str] = field(default_factory=list)
    """Lines that whoever ran the command saw."""
    wrong: list[str] = field(default_factory=list)
    """What should have been so and was not."""
    skipped: bool = False

    def expect(self, holds: bool, otherwise: str) -> None:
        """Note what is wrong unless it holds."""
        if not holds:
            self.wrong.append(otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What ``curl -i`` printed."""

    status: int
    headers: Mapping[str, str]
    body: str


type Yes = Callable[[Site, Step, str], None]
"""Says yes to the approval with an id, and notes what was seen."""


def play(site: Site) -> Iterator[Step]:
    """Play all steps; each is yielded when it is over, whatever came of it."""
    for name, act in STEPS:
        step = Step(name=name)
        try:
            act(site, step)
        except (BrokenOff, Unexpected) as error:
            step.wrong.append(str(error))
        except subprocess.TimeoutExpired as error:
            step.wrong.append(f"no end within {error.timeout:.0f} seconds")
        except (OSError, ValueError, LookupError, httpx2.HTTPError) as error:
            step.wrong.append(f"{type(error).__name__}: {error}")
        yield step


def _allowed(site: Site, step: Step) -> None:
    answer = _curl(site, step, "/echo")
    step.expect(answer.status == 200, "the call should be answered with 200")
    arrived = dict(json.loads(answer.body)["headers"])
    step.saw.append(_short(f"the target got Authorization: {arrived.get('authorization')}"))
    step.expect(answer.headers.get("gatehold-rule") == "read-crm", "rule read-crm should have allowed it")
    step.expect(site.customers.credential not in answer.body, "the agent can read the target's credential")
    received = list(site.customers.received)[-1]
    credential = f"Bearer {site.customers.credential}"
    step.expect(received.header("authorization") == credential, "the target should have got its own credential")
    step.expect(site.token not in str(received.headers), "the target got the agent's token")


def _masked(site: Site, step: Step) -> None:
    answer = _curl(site, step, "/customers/1")
    step.saw.append(_short(answer.body))
    step.expect(answer.status == 200, "the call should be answered with 200")
    step.expect("<EMAIL_ADDRESS>" in answer.body, "the e-mail address should be replaced")
    customer = records.customers()[0]
    leaked = [key for key in PERSONAL if str(customer[key]) in answer.body]
    step.expect(not leaked, f"these can be read: {', '.join(leaked)}")


def _denied(site: Site, step: Step) -> None:
    answer = _curl(site, step, "/report.csv")
    problem = json.loads(answer.body)
    step.saw.append(_short(f"{problem['title']}: {problem['detail']}"))
    step.expect(answer.status == 403, "the call should be answered with 403")
    step.expect(problem["code"] == "denied-by-rule", f"the code should be denied-by-rule, it is {problem['code']}")
    step.expect(not _arrived(site.customers.received, "GET", "/report.csv"), "the call reached the target")


def _signed_in(site: Site, step: Step) -> None:
    step.command = f"open {site.console_url}/login"
    with signed_in(site) as browsing:
        inbox = browsing.get("/")
        step.saw.append(f"the inbox of {APPROVER}")
        step.expect("Waiting for you" in inbox.text, "the inbox should be shown")
        step.expect(site.password not in inbox.text, "the password should be nowhere")


def _held(site: Site, step: Step) -> None:
    _delete(site, step, "/customers/7", _yes_in_the_console)


def _held_on_the_command_line(site: Site, step: Step) -> None:
    _delete(site, step, "/customers/8", _yes_on_the_command_line)


def _delete(site: Site, step: Step, path: str, say_yes: Yes) -> None:
    command = [*CURL, "-X", "DELETE", f"{CRM_URL}{path}"]
    step.command = _as_typed(command)
    done = _answered(site, step, command, site.customers.received, ("DELETE", path), say_yes)
    answer = _parse(done)
    step.saw.append(f"HTTP {answer.status}")
    step.expect(answer.status == 204, "after the yes the call should be answered with 204")
    step.expect(_arrived(site.customers.received, "DELETE", path), "after the yes it should arrive")


def _kubectl_get(site: Site, step: Step) -> None:
    if _without_kubectl(step):
        return
    command = ["kubectl", "get", "pods", "-n", "prod"]
    step.command = _as_typed(command)
    done = run(command, site)
    step.saw += _lines(done)[:2]
    step.expect(done.returncode == 0, "kubectl should end with 0")
    step.expect(bool(re.search(r"^web-\S+ +1/1 +Running", done.stdout, re.MULTILINE)), "a pod of web should run")
    credentials = {request.header("authorization") for request in site.cluster.received}
    step.expect(credentials == {f"Bearer {site.cluster.token}"}, "the cluster should have got its own credential only")


def _kubectl_secret(site: Site, step: Step) -> None:
    if _without_kubectl(step):
        return
    command = ["kubectl", "get", "secret", "db-credentials", "-n", "prod", "-o", "jsonpath={.data}"]
    step.command = _as_typed(command)
    done = run(command, site)
    step.saw += _lines(done)[:1]
    step.expect(done.returncode == 0, "kubectl should end with 0")
    step.expect('"password":' in done.stdout, "the secret's keys should be seen")
    password = PASSWORDS["prod"]
    spelt = (password, base64.b64encode(password.encode()).decode())
    step.expect(not any(each in done.stdout for each in spelt), "the agent can read the secret's value")


def _kubectl_scale(site: Site, step: Step) -> None:
    if _without_kubectl(step):
        return
    command = ["kubectl", "scale", "deployment/web", "-n", "prod", "--replicas=5"]
    step.command = _as_typed(command)
    call = ("PATCH", "/apis/apps/v1/namespaces/prod/deployments/web/scale")
    done = _answered(site, step, command, site.cluster.received, call, _yes_in_the_console)
    step.saw += _lines(done)[:1]
    step.expect(done.returncode == 0 and "scaled" in done.stdout, "after the yes kubectl should say that it is scaled")
    step.expect(_arrived(site.cluster.received, *call), "after the yes the call should arrive")
    step.expect(any("+  replicas: 5" in line for line in step.saw), "the approver should have seen the change")


def _kubectl_exec(site: Site, step: Step) -> None:
    if _without_kubectl(step):
        return
    command = ["kubectl", "exec", "deployment/web", "-n", "prod", "--", "id"]
    step.command = _as_typed(command)
    done = run(command, site)
    step.saw += _lines(done)[-1:]
    step.expect(done.returncode != 0, "kubectl should fail")
    step.expect(
        "Interactive access to pods is off for agents." in done.stderr, "kubectl should print the rule's reason"
    )
    entered = any("/exec?" in each.path for each in site.cluster.received)
    step.expect(not entered, "the call reached the cluster")


def _recorded(site: Site, step: Step) -> None:
    step.command = "gatehold recordings list --json; mitmdump -nr FILE"
    done = gatehold(site, "recordings", "list", "--agent", SUBJECT, "--json")
    session = next(item for item in json.loads(done.stdout)["items"] if item["session"] == site.session)
    verdicts = session["verdicts"]
    step.saw.append(f"session {session['session']}: {session['calls']} calls, {_told(verdicts)}")
    step.expect({"allow", "deny", "hold"} <= verdicts.keys(), "calls allowed, denied and held should be on record")
    flows = "".join(_flows(file) for file in session["files"])
    shown = next((line for line in flows.splitlines() if "/customers/1" in line), "")
    step.saw.append(_short(shown))
    step.expect("GET https://crm.corp.example/customers/1 " in f"{shown} ", "the masked call should be replayable")
    step.expect("<EMAIL_ADDRESS>" in flows, "it should be recorded as the agent saw it")
    customer = records.customers()[0]
    secret = [
        site.token,
        site.password,
        site.customers.credential,
        site.cluster.token,
        *(str(customer[key]) for key in PERSONAL),
    ]
    step.expect(not any(value in flows for value in secret), "a secret or personal data is on record")


def _verified(site: Site, step: Step) -> None:
    step.command = "gatehold audit verify"
    done = gatehold(site, "audit", "verify")
    step.saw += _lines(done)[:1]
    step.expect(done.returncode == 0, "the journal should be intact")


STEPS: Final[Sequence[tuple[str, Callable[[Site, Step], None]]]] = (
    ("allowed", _allowed),
    ("masked", _masked),
    ("denied", _denied),
    ("signed in to the console", _signed_in),
    ("held and approved", _held),
    ("held and approved on the command line", _held_on_the_command_line),
    ("kubectl get", _kubectl_get),
    ("kubectl get, masked", _kubectl_secret),
    ("kubectl scale, held and approved", _kubectl_scale),
    ("kubectl exec, denied", _kubectl_exec),
    ("recorded and read back", _recorded),
    ("verified", _verified),
)


def _answered(  # noqa: PLR0913, PLR0917 (who asks what of whom, and who answers)
    site: Site, step: Step, command: Sequence[str], log: RequestLog, call: tuple[str, str], say_yes: Yes
) -> subprocess.CompletedProcess[str]:
    """Run a command that is held, say yes while it waits, and return what it printed then."""
    since = datetime.now(UTC).replace(microsecond=0)  # lists tell whole seconds; a kept store may hold older questions
    client = start(command, site)
    try:
        approval = _pending(site, client, *call, since=since)
        step.saw.append(f"waits for approval: {approval['message']}")
        step.expect(not _arrived(log, *call), "the call reached the target before anybody said yes")
        say_yes(site, step, approval["id"])
    except BaseException:
        client.kill()
        client.communicate()
        raise
    return finish(client)


def _yes_in_the_console(site: Site, step: Step, approval: str) -> None:
    with signed_in(site) as browsing:
        listed = f"/approvals/{approval}" in browsing.get("/").links
        step.expect(listed, "the inbox should show it")
        page = browsing.get(f"/approvals/{approval}")
        step.saw += [f"  {line}" for line in page.diff]
        after = browsing.approve(approval, page, reason="part of the demo")
        step.saw.append(f"approved in the console by {APPROVER}")
        step.expect(bool(re.search(r" is (approved|spent)\. ", after.text)), "the inbox should tell what became of it")


def _yes_on_the_command_line(site: Site, step: Step, approval: str) -> None:
    yes = gatehold(site, "approvals", "approve", approval, "--as", APPROVER, "--reason", "part of the demo")
    step.saw.append(f"gatehold approvals approve: {_short((yes.stdout + yes.stderr).strip())}")
    if yes.returncode:
        raise BrokenOff("the approval should be accepted")


def _pending(
    site: Site, client: subprocess.Popen[str], method: str, path: str, *, since: datetime
) -> Mapping[str, Any]:
    """The approval that a held call waits for. Raises ``BrokenOff`` where there is none in time."""
    give_up = time.monotonic() + ASKED_SECONDS
    while True:
        over = client.poll() is not None or time.monotonic() > give_up
        items = json.loads(gatehold(site, "approvals", "list", "--state", "pending", "--json").stdout)["items"]
        for item in items:
            asked = (item["action"]["method"], item["action"]["path"].split("?")[0])
            if asked == (method, path) and datetime.fromisoformat(item["created"]) >= since:
                return dict(item)
        if over:
            raise BrokenOff("an approval should be asked for" + _last_words(client))


def _last_words(client: subprocess.Popen[str]) -> str:
    """What a client printed that has ended."""
    if client.poll() is None:
        return ", and the call is not answered either"
    return f"; the client ended with {client.returncode}: {_short(''.join(client.communicate()))}"


def _curl(site: Site, step: Step, path: str) -> Answer:
    command = [*CURL, f"{CRM_URL}{path}"]
    step.command = _as_typed(command)
    answer = _parse(run(command, site))
    masked = answer.headers.get("gatehold-masked")
    step.saw.append(f"HTTP {answer.status}" + (f", masked {masked}" if masked else ""))
    return answer


def _parse(done: subprocess.CompletedProcess[str]) -> Answer:
    """Read ``curl -i`` output. Raises ``BrokenOff`` where there is no answer."""
    head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
    status, *lines = head.split("\n")
    match = re.match(r"HTTP/[\d.]+ (\d+)", status)
    if not match:
        raise BrokenOff(f"curl ended with {done.returncode}: {done.stderr.strip()}")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(status=int(match[1]), headers=headers, body=body)


def _flows(file: str) -> str:
    """A flow file as stock mitmdump prints it, bodies included."""
    with TemporaryDirectory(prefix="gatehold-demo-") as home:  # it makes a CA of its own there
        command = [program("mitmdump"), "-nr", file, "--set", "flow_detail=3", "--set", f"confdir={home}"]
        done = subprocess.run(  # noqa: S603 - stock mitmdump on our own file
            command, capture_output=True, text=True, check=False, timeout=30, env=plain_environment()
        )
    if done.returncode:
        raise BrokenOff(f"mitmdump cannot read {file}: {done.stderr.strip()}")
    return done.stdout


def _without_kubectl(step: Step) -> bool:
    if shutil.which("kubectl"):
        return False
    step.skipped = True
    step.saw.append("kubectl is not installed")
    return True


def _arrived(log: RequestLog, method: str, path: str) -> bool:
    """Whether a call reached its target; the gateway's own tries with ``dryRun`` change nothing."""
    return any(
        each.method == method and each.path.split("?")[0] == path and "dryRun=All" not in each.path for each in log
    )


def _as_typed(command: Sequence[str]) -> str:
    """What a person would type: without the options that only this script needs."""
    return shlex.join([command[0], *command[len(CURL) :]] if tuple(command[: len(CURL)]) == CURL else command)


def _told(verdicts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))


def _lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [_short(line) for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else flat[: SHOWN - 4] + " ..."
