"""Careful calls of AWS by its library: addresses and proxies of the environment do not count, answers are bounded, and
nothing of what the service says of a failure is told but its code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, TypeVar

from quarterdeck.broker.execution.providers import protocol
from quarterdeck.broker.execution.providers.protocol import refused, unreachable, without_credential
from quarterdeck.kernel.errors import Problem, Unavailable

T = TypeVar("T")
LARGEST = 8 << 20
"""Bytes of an answer."""
CODE = re.compile(r"[A-Za-z.]{1,60}")


def session(name: str) -> Any:
    """What makes clients. Raises `Unavailable` (`provider_library_missing`)."""
    try:
        import botocore.session
    except ImportError:
        raise Unavailable(
            f"This worker cannot speak to {name}: boto3 is not installed.",
            code="provider_library_missing",
            hint="Install quarterdeck[aws] where it runs.",
        ) from None
    made = botocore.session.Session()
    made.register_component("data_loader", _descriptions())
    return made


@lru_cache(maxsize=1)
def _descriptions() -> Any:
    """The library's descriptions of services, which it reads for long, once for the process."""
    import botocore.loaders

    return botocore.loaders.create_loader()


def client(name: str, made: Any, service: str, region: str, endpoint: str | None) -> Any:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.httpsession import URLLib3Session

    waiting = (min(5.0, protocol.SECONDS), protocol.SECONDS)
    config = Config(
        connect_timeout=waiting[0],
        read_timeout=waiting[1],
        retries={"mode": "standard", "total_max_attempts": 2},
        proxies={},
        ignore_configured_endpoint_urls=True,
    )
    try:
        found = made.create_client(service, region_name=region, endpoint_url=endpoint, config=config)
    except (BotoCoreError, ValueError) as error:  # a profile or a region that is not there
        raise refused(name, f"cannot be asked ({type(error).__name__})") from None
    found.meta.events.register("before-send", partial(_bounded, URLLib3Session(timeout=waiting, proxies={})))
    return found


def answered(name: str, call: Callable[[], T], absent: tuple[str, ...] = ()) -> T | None:
    """The answer; None for a refusal with one of these codes. Raises `ProviderFailure` and `Invalid`."""
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, NoCredentialsError  # noqa: A004 - its own
    from botocore.parsers import ResponseParserError

    try:
        return call()
    except NoCredentialsError:
        raise without_credential(name, "Give the connection a credential, or the agent's machine a role.") from None
    except ClientError as error:
        code = code_of(error.response)
        if code in absent:
            return None
        raise _refused(name, code) from None
    except (HTTPClientError, ConnectionError) as error:
        raise unreachable(name, error) from None
    except (BotoCoreError, ResponseParserError, ValueError, LookupError) as error:
        raise refused(name, f"gave no answer that can be read ({type(error).__name__})") from None


def code_of(response: Any) -> str:
    code = str(response.get("Error", {}).get("Code") or "")
    return code if CODE.fullmatch(code) else "refused"


def _refused(name: str, code: str) -> Problem:
    return refused(name, f"refused the call ({code})")


def _bounded(http: Any, request: Any, **_: Any) -> Any:
    """Send it in the place of the library, which would read whatever comes."""
    from botocore.exceptions import HTTPClientError

    request.stream_output = True
    response = http.send(request)
    content = b""
    while part := response.raw.read(64 << 10):
        content += part
        if len(content) > LARGEST:
            response.raw.close()
            raise HTTPClientError(error="more than can be read")
    response._content = content  # noqa: SLF001 - what the library itself keeps it in
    return response
