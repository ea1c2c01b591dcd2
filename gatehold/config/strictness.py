"""What works, and should not be run like this where others can reach it."""

from collections.abc import Iterator

from gatehold.config.addresses import is_loopback
from gatehold.config.gateway import GatewaySpec
from gatehold.config.model import Configuration
from gatehold.config.target import TargetSpec
from policy.model import Problem


def lenient(configuration: Configuration) -> tuple[Problem, ...]:
    """Everything of that kind, at the line of the gateway or the target that says it."""
    gateway = configuration.gateway
    said = [(gateway.file, gateway.line, each) for each in _listeners(gateway.spec)]
    for target in configuration.targets.values():
        said += [(target.file, target.line, f"target {target.name}: {each}") for each in _credential(target.spec)]
    return tuple(Problem(file=file, line=line, message=message) for file, line, message in said)


def _listeners(spec: GatewaySpec) -> Iterator[str]:
    for number, listener in enumerate(spec.listen):
        if listener.mode == "regular" and listener.tls != "require" and not is_loopback(listener.host):
            yield (
                f"listen[{number}]: agents show their tokens to {listener.host}:{listener.port} in the open; "
                "write tls: require, or listen on the loopback interface"
            )


def _credential(spec: TargetSpec) -> Iterator[str]:
    if spec.credential is None or spec.scheme == "https":
        return
    dialled = (spec.connect,) if spec.connect else spec.hosts
    if seen := [address for address in dialled if not is_loopback(address.rpartition(":")[0].strip("[]"))]:
        yield (
            f"the credential goes to {', '.join(seen)} in the open; "
            "write scheme: https, or connect to the loopback interface"
        )
