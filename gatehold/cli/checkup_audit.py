"""What sinks and anchors need, how far sinks have come, and whether the journal reaches what anchors vouch for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatehold.cli.checkup import Item, failed, ok, warning

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.config.recordings import SinkSpec


def sinks(configuration: "Configuration") -> Iterator[Item]:
    """A line for each sink; nothing is sent."""
    from gatehold.config.values import CredentialUnavailable
    from gatehold.sinks.position import load, position_file

    for sink in configuration.gateway.spec.audit.sinks:
        check = f"sink {sink.name}"
        try:
            where = _look_at(sink)
        except (CredentialUnavailable, ValueError, OSError) as error:
            yield failed(check, str(error), "see docs/audit.md")
            continue
        position = load(position_file(configuration.data_dir, sink.name))
        yield ok(check, f"{where}; {f'told to event {position.seq}' if position else 'begins with the next start'}")


def anchors(configuration: "Configuration") -> Iterator[Item]:
    """A line for each anchor; nothing is copied."""
    from gatehold.sinks.anchors import behind
    from gatehold.sinks.serving import anchor_store

    spec = configuration.gateway.spec
    for anchor in spec.audit.anchors:
        check = f"anchor {anchor.name}"
        try:
            store = anchor_store(anchor, spec.recordings)
            found = behind(configuration.data_dir, store)
            copies = len(store.newest())
        except (OSError, ValueError) as error:
            yield failed(check, f"cannot be read: {error}", "it has to be there before the gateway starts")
            continue
        if found is not None:
            todo = "find out who put an old copy in its place; see docs/audit.md"
            yield failed(check, str(found), todo)
        elif copies:
            yield ok(check, "the journal reaches what it vouches for")
        else:
            yield warning(check, "keeps no checkpoint yet", "it gets one with the next start")


def _look_at(sink: "SinkSpec") -> str:
    """Where it leads. Raises CredentialUnavailable, OSError, and ValueError that does not repeat a secret."""
    from urllib.parse import urlsplit

    from gatehold.channels.signing import keys

    if sink.webhook is not None:
        if sink.webhook.secret is not None:
            keys(sink.webhook.secret.resolve().reveal())
        return f"webhook to {urlsplit(sink.webhook.url).hostname}"
    if sink.syslog is not None:
        return f"syslog to {sink.syslog.address}"
    if sink.file is None:
        return "standard output"
    if not sink.file.parent.is_dir():
        raise ValueError(f"{sink.file.parent} is no directory")
    return str(sink.file)
