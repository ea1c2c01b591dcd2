"""What works, and should not be run like this where others can reach it."""

from collections.abc import Iterator

from gatehold.config.addresses import is_loopback
from gatehold.config.gateway import GatewaySpec
from gatehold.config.model import Configuration
from policy.model import Problem


def lenient(configuration: Configuration) -> tuple[Problem, ...]:
    """Everything of that kind, at the line of the gateway that says it."""
    gateway = configuration.gateway
    return tuple(Problem(file=gateway.file, line=gateway.line, message=each) for each in _listeners(gateway.spec))


def _listeners(spec: GatewaySpec) -> Iterator[str]:
    for number, listener in enumerate(spec.listen):
        if listener.mode == "regular" and listener.tls != "require" and not is_loopback(listener.host):
            yield (
                f"listen[{number}]: agents show their tokens to {listener.host}:{listener.port} in the open; "
                "write tls: require, or listen on the loopback interface"
            )
