"""Pod logs: made-up lines with personal data, the same for the same pod, followed without end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, micro_timestamp, name_of
from gatehold.demo.kubernetes.requests import Call

WRITTEN = 12
"""Lines that every log holds already."""
LINES = (
    '{{"level":"info","msg":"login ok","user":"jane.doe@example.com","ip":"203.0.113.7"}}',
    '{{"level":"info","msg":"payment","pan":"4111 1111 1111 1111","amount":"129.90","currency":"EUR"}}',
    "GET /v1/customers/{number} 200 12ms ssn=219-09-9999 phone=+1-202-555-0173",
    '{{"level":"debug","msg":"cache miss","key":"customer:{number}"}}',
    "connected to postgres://shop@db.internal:5432/shop in 4ms",
    '{{"level":"warn","msg":"refund pending","iban":"DE89370400440532013000","ticket":{number}}}',
)


def log_line(number: int) -> str:
    """The line with that number, without its end."""
    return f"{number:06d} {LINES[number % len(LINES)].format(number=number)}"


def open_log(cluster: Cluster, call: Call) -> AsyncIterator[bytes]:
    """The log of a pod's container; raises ApiError (400, 404) before it starts."""
    pod = cluster.store.get(call.target.resource, call.target.namespace, call.target.name)
    check_container(pod, call.query.first("container"))
    tail, limit = call.query.number("tailLines"), call.query.number("limitBytes")
    return _lines(cluster, call, first=max(0, WRITTEN - tail) if tail is not None else 0, limit=limit)


async def _lines(cluster: Cluster, call: Call, *, first: int, limit: int | None) -> AsyncIterator[bytes]:
    left = limit
    number = first
    while True:
        if number >= WRITTEN:
            if not call.query.flag("follow"):
                return
            await asyncio.sleep(cluster.log_interval)
            if not _exists(cluster, call):
                return
        line = _stamped(cluster, call, number)
        if left is not None:
            line = line[:left]
            left -= len(line)
        if line:
            yield line
        if left == 0:
            return
        number += 1


def _stamped(cluster: Cluster, call: Call, number: int) -> bytes:
    line = log_line(number) + "\n"
    if call.query.flag("timestamps"):
        moment = cluster.store.clock() - timedelta(seconds=max(0, WRITTEN - number))
        line = f"{micro_timestamp(moment)} {line}"
    return line.encode()


def _exists(cluster: Cluster, call: Call) -> bool:
    return cluster.store.find(call.target.resource, call.target.namespace, call.target.name) is not None


def check_container(pod: KubernetesObject, wanted: str) -> None:
    """Raise ApiError (400) unless the name says which container is meant."""
    names = [
        container["name"]
        for containers in ("initContainers", "containers", "ephemeralContainers")
        for container in lookup(pod, f"spec.{containers}") or []
    ]
    if wanted and wanted not in names:
        raise statuses.bad_request(f"container {wanted} is not valid for pod {name_of(pod)}")
    if not wanted and len(names) > 1:
        listed = " ".join(names)
        raise statuses.bad_request(
            f"a container name must be specified for pod {name_of(pod)}, choose one of: [{listed}]"
        )
