"""The environment variables that clients read: which proxy, and which certificate authorities."""

import re
from dataclasses import dataclass

from gatehold.agent_environment.places import Place
from gatehold.agent_environment.trust import TRUST_STORE_PASSWORD, TrustPaths
from policy.errors import GateholdError

TOKEN = "GATEHOLD_TOKEN"  # noqa: S105 - a variable's name
USER = "agent"
"""In the proxy's address; the gateway reads the password only."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_BUNDLE_VARIABLES = (
    "SSL_CERT_FILE",  # OpenSSL, and so curl, httpx, aiohttp, urllib, uv; Go
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "GIT_PROXY_SSL_CAINFO",
    "PIP_CERT",
    "npm_config_cafile",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
)
_PLAIN_PATH = re.compile(r"[^\x00-\x1f\x7f'\"\\]+")


class Unwritable(GateholdError):
    """A path that clients would read as something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable; the agent's token stands between ``text`` and ``then``, where it has one."""

    name: str
    text: str
    then: str | None = None

    def filled(self, token: str = f"${{{TOKEN}}}") -> str:
        """The value with something in the token's place."""
        return self.text if self.then is None else f"{self.text}{token}{self.then}"


def variables(proxy: Place, paths: TrustPaths, *, direct: tuple[str, ...] = ()) -> tuple[Variable, ...]:
    """All of them, for agents that reach the gateway at ``proxy`` and see its files at ``paths``.

    ``direct`` are hosts beside loopback that are not asked for through the proxy: the gateway's own listeners.
    Raises Unwritable.
    """
    if not _PLAIN_PATH.fullmatch(paths.directory):
        raise Unwritable("the directory's name holds quotes, backslashes or control characters; say another --out")
    around = dict.fromkeys((*LOOPBACK, *direct))
    through = [_proxy(name, proxy) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")]
    past = [Variable(name=name, text=",".join(around)) for name in ("NO_PROXY", "no_proxy")]
    trusted = [Variable(name=name, text=paths.bundle) for name in _BUNDLE_VARIABLES]
    return (
        *through,
        *past,
        *trusted,
        Variable(name="NODE_EXTRA_CA_CERTS", text=paths.authority),
        Variable(name="NODE_USE_ENV_PROXY", text="1"),
        Variable(name="JAVA_TOOL_OPTIONS", text=_java(proxy, paths, tuple(around))),
    )


def _proxy(name: str, place: Place) -> Variable:
    if not place.takes_token:
        return Variable(name=name, text=f"{place.scheme}://{place.authority}")
    return Variable(name=name, text=f"{place.scheme}://{USER}:", then=f"@{place.authority}")


def _java(proxy: Place, paths: TrustPaths, around: tuple[str, ...]) -> str:
    """Java reads no proxy variables, and knows no user in them: an application's Authenticator, or the agent proxy."""
    options = {
        "javax.net.ssl.trustStore": paths.trust_store,
        "javax.net.ssl.trustStoreType": "PKCS12",
        "javax.net.ssl.trustStorePassword": TRUST_STORE_PASSWORD,
    }
    if proxy.scheme == "http":  # Java speaks no TLS with a proxy
        for scheme in ("http", "https"):
            options |= {f"{scheme}.proxyHost": proxy.host, f"{scheme}.proxyPort": str(proxy.port)}
        options["http.nonProxyHosts"] = "|".join(f"[{host}]" if ":" in host else host for host in around)
        options["jdk.http.auth.tunneling.disabledSchemes"] = ""  # Basic, which it would not send to a proxy otherwise
    return " ".join(_java_option(f"-D{name}={value}") for name, value in options.items())


def _java_option(option: str) -> str:
    return f'"{option}"' if re.search(r"\s", option) else option
