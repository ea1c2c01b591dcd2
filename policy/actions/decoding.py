"""The one way from a request to its action: the family of the target picks the decoder."""

from typing import assert_never

from policy.actions.http import HttpAction, decode_http
from policy.actions.kubernetes import KubernetesAction, decode_kubernetes
from policy.model import Family, TargetTraits, WireRequest

type Action = HttpAction | KubernetesAction


def decode(traits: TargetTraits, request: WireRequest) -> Action:
    """What a request asks of this target; raises ``Refusal`` (malformed) where it could be taken for something else."""
    match traits.family:
        case Family.HTTP:
            return decode_http(traits, request)
        case Family.KUBERNETES:
            return decode_kubernetes(traits, request)
        case _:
            assert_never(traits.family)
