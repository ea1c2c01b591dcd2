"""Law: every option of a stock mitmdump is one that operators may choose, is forced, or is refused when it differs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from mitmproxy import options
from mitmproxy.tools.dump import DumpMaster

from addons import proxy_options

LIMIT = 1_000_000


@pytest.fixture
async def stock() -> AsyncIterator[options.Options]:
    """The options of a stock mitmdump."""
    master = DumpMaster(options.Options())
    yield master.options
    await master.done()


def _other(value: Any, typespec: Any) -> Any:
    """A value of the option's type that is not this one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int) or "int" in str(typespec):
        return (value or 0) + 1
    if isinstance(value, list | tuple) or "Sequence" in str(typespec):
        return [*(value or ()), "other"]
    return f"{value or ''}other"


def _set(chosen: options.Options, name: str, value: Any) -> None:
    """Past the addons, which would object to some of these values for reasons of their own."""
    chosen._options[name].set(value)


def _is_refused(chosen: options.Options, name: str) -> bool:
    return proxy_options.problems(chosen, LIMIT) == [f"the mitmproxy option {name} cannot be set here"]


async def test_defaults_are_in_order(stock: options.Options) -> None:
    """A stock mitmdump without options can become a gateway."""
    assert proxy_options.problems(stock, LIMIT) == []


async def test_each_option_is_looked_at(stock: options.Options) -> None:
    """One by one: set to something else, it is refused, unless it is named as harmless or will be as it was set."""
    names = set(stock.keys())
    assert len(names) > 80
    for name in sorted(names - proxy_options.CHOSEN_BY_OPERATORS):
        before, option = getattr(stock, name), stock._options[name]
        value = _other(before, option.typespec)
        _set(stock, name, value)
        wanted = proxy_options.forced(LIMIT).get(name, object())
        assert _is_refused(stock, name) is (value != wanted), name
        _set(stock, name, before)
    assert proxy_options.problems(stock, LIMIT) == []


async def test_operators_choose_a_few(stock: options.Options) -> None:
    """The list names nothing that there is not, and nothing that is forced."""
    assert set(stock.keys()) | {"gatehold_config"} >= proxy_options.CHOSEN_BY_OPERATORS
    assert not set(proxy_options.forced(LIMIT)) & proxy_options.CHOSEN_BY_OPERATORS
    for name in proxy_options.CHOSEN_BY_OPERATORS - {"gatehold_config", "scripts"}:
        _set(stock, name, _other(getattr(stock, name), stock._options[name].typespec))
    assert proxy_options.problems(stock, LIMIT) == []


OPENING = {
    "ignore_hosts": [".*"], "allow_hosts": [".*"], "tcp_hosts": [".*"], "udp_hosts": [".*"], "ssl_insecure": True,
    "stream_large_bodies": "1k", "rawtcp": True, "save_stream_file": "flows", "map_remote": ["|a|b"], "map_local": ["|a|b"],
    "modify_headers": ["/a/b/c"], "modify_body": ["/a/b/c"], "server_replay": ["flows"], "client_replay": ["flows"],
    "stickyauth": "~all", "stickycookie": "~all", "proxyauth": "any", "hardump": "/dev/null", "block_list": ["/~all/200"],
    "connection_strategy": "eager", "upstream_cert": True, "validate_inbound_headers": False, "mode": ["socks5"],
    "upstream_auth": "a:b", "onboarding": True,  "store_streamed_bodies": True, "rfile": "flows",
    "certs": ["*=a.pem"], "ssl_verify_upstream_trusted_ca": "a.pem", "client_certs": "a.pem", "tcp_timeout": 60,
    "body_size_limit": "1g", "dns_name_servers": ["192.0.2.1"], "request_client_cert": True,
}  # fmt: skip


@pytest.mark.parametrize("name", OPENING)
async def test_no_option_opens_the_gateway(stock: options.Options, name: str) -> None:
    """Each of these, as it comes, is a way around a rule, a mask or the record; those with such a default are forced."""
    value = OPENING[name]
    if value == stock.default(name):
        assert proxy_options.forced(LIMIT)[name] != value
    else:
        _set(stock, name, value)
        assert _is_refused(stock, name)


async def test_what_is_forced_can_be_set(stock: options.Options) -> None:
    """mitmproxy takes each of these values, and who asks for just that is not refused."""
    forced = proxy_options.forced(LIMIT)
    stock.update(**forced)
    assert {name: getattr(stock, name) for name in forced} == forced
    assert proxy_options.problems(stock, LIMIT) == []


async def test_no_other_script_beside_the_gateway(stock: options.Options) -> None:
    """One script is the bundle; a second one could do anything."""
    _set(stock, "scripts", ["addons/bundle.py"])
    assert proxy_options.problems(stock, LIMIT) == []
    _set(stock, "scripts", ["addons/bundle.py", "other.py"])
    assert len(proxy_options.problems(stock, LIMIT)) == 1
