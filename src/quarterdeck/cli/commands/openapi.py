"""`quarterdeck openapi`: the description of every route."""

from __future__ import annotations

import json


def openapi() -> None:
    """Print the OpenAPI document as JSON; needs no data directory, database or network.

    quarterdeck openapi > openapi.json
    """
    from quarterdeck.app import openapi_document

    print(json.dumps(openapi_document(), indent=2, ensure_ascii=False))
