"""What ``gatehold doctor`` says of changed files: whether the gateway turned down what stands in them."""

from collections.abc import Iterator

from gatehold.cli.checkup import Item, failed, ok
from gatehold.config import Configuration


def last_attempt(configuration: Configuration) -> Iterator[Item]:
    """The last attempt to bring these files into force; nothing is made or changed, and no attempt is no item."""
    from gatehold.reloading import asking
    from gatehold.store import open_store
    from gatehold.store.errors import StoreError
    from gatehold.store.opening import probe

    url, data_dir = configuration.gateway.spec.store.url, configuration.data_dir
    try:
        if probe(url, data_dir) != "current":
            return
        with open_store(url, data_dir) as store, store.reading() as connection:
            attempt = asking.newest(connection)
    except StoreError:
        return  # told by another check
    for name, report in (attempt.answers if attempt else {}).items():
        if report.revision != configuration.revision:
            continue  # of other files than these
        said = "; ".join(line.strip() for line in report.lines())
        if report.outcome.is_good:
            yield ok("reload", f"{name}: these files are in force")
        else:
            yield failed("reload", f"{name}: {said}", "the old configuration stays: see docs/reload.md")
