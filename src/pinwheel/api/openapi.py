# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The API as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1): from the table of endpoints, the types, and the settings."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from pinwheel.api import types
from pinwheel.api.endpoint import EVENTS, JSON, JSON_LINES, MAX_DIGITS, MAX_TEXT, Answer, Body, Endpoint, Parameter
from pinwheel.api.endpoints import ENDPOINTS
from pinwheel.api.problem import GENERAL, STATUSES, WITH_BODY
from pinwheel.settings.model import Namespace
from pinwheel.settings.schema import settings_schema
from pinwheel.settings.tree import Settings

Json = dict[str, Any]

_SETTINGS, _PATCH = "Settings", "Patch"
_REFERENCE = "#/components/schemas/"
_STRUCTURED = (JSON, JSON_LINES)
_DESCRIPTION = """The settings API of a Pinwheel node. On the node it is at the unix socket `/run/pinwheel/api.sock`; \
over the network, where `settings.api.remote` enables it, with mutual TLS. Errors have one shape: `Failure`."""


def openapi(model: type[Namespace] = Settings, version: str = "0", endpoints: Iterable[Endpoint] = ENDPOINTS) -> Json:
    """Give the description of the API.

    Args:
        model: the root of the settings that the image knows.
        version: of Pinwheel.
        endpoints: the table.
    """
    settings = {key: value for key, value in settings_schema(model).items() if key != "$schema"}
    paths: Json = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pinwheel", "version": version, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": dict(sorted((_type_schemas() | {_SETTINGS: settings, _PATCH: _nullable(settings)}).items())),
            "responses": {str(status): _failure(words) for status, words in STATUSES.items()},
            "securitySchemes": {"certificate": {"type": "mutualTLS", "description": "The role is the subject's O."}},
        },
        "security": [{"certificate": []}],
    }


def text(document: Json) -> str:
    """Write a description as a file has it: the same every time."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _operation(endpoint: Endpoint) -> Json:
    later = f"Not in this version; it will be for {endpoint.later}." if endpoint.later else ""
    words = " ".join(part for part in (endpoint.description, later) if part)
    parameters = [_path_parameter(name) for name in endpoint.path_parameters] + list(map(_query, endpoint.parameters))
    operation: Json = {
        "operationId": endpoint.name,
        "tags": [endpoint.group],
        "summary": endpoint.summary,
        "description": words,
        "x-pinwheel-role": endpoint.role,
        "parameters": parameters,
        "requestBody": _body(endpoint.body) if endpoint.body else None,
        "responses": _responses(endpoint),
    }
    return {key: value for key, value in operation.items() if value}


def _responses(endpoint: Endpoint) -> Json:
    answers = () if endpoint.later else endpoint.answers
    errors = {*GENERAL, *endpoint.errors, *(WITH_BODY if endpoint.body else ()), *((501,) if endpoint.later else ())}
    good: Json = {}
    for answer in answers:
        said = good.setdefault(str(answer.status), {"description": answer.description or "Done."})
        if answer.type:
            said.setdefault("content", {})[answer.media] = _content(answer)
    return good | {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(errors)}


def _content(answer: Answer) -> Json:
    if answer.media == EVENTS:
        return {}  # OpenAPI 3.1 has no words for what a stream of events is made of
    return {"schema": _schema(answer.type) if answer.media in _STRUCTURED else {"type": "string"}}


def _body(body: Body) -> Json:
    content = {media: {"schema": _schema(body.type)} for media in body.media}
    return {"description": body.description, "required": body.required, "content": content}


def _schema(name: str) -> Json:
    if name in {_SETTINGS, _PATCH}:
        return {"$ref": _REFERENCE + name}
    schemas, _ = _components([types.named(name)])
    return schemas[0]


def _path_parameter(name: str) -> Json:
    number = {"type": "integer", "minimum": 0, "maximum": 10**MAX_DIGITS - 1}
    return {"name": name, "in": "path", "required": True, "schema": number}


def _query(parameter: Parameter) -> Json:
    described: Json = {"name": parameter.name, "in": "query", "description": parameter.description}
    if parameter.required:
        described["required"] = True
    if parameter.kind == "texts":
        described |= {"style": "form", "explode": False}
    return described | {"schema": _value(parameter)}


def _value(parameter: Parameter) -> Json:
    words = {"type": "string", "minLength": 1, "maxLength": parameter.maximum or MAX_TEXT}
    default = {} if parameter.default is None else {"default": parameter.default}
    match parameter.kind:
        case "texts":
            return {"type": "array", "items": words, "minItems": 1}
        case "flag":
            return {"type": "boolean", "default": False}
        case "number":
            return {"type": "integer", "minimum": parameter.minimum, "maximum": parameter.maximum} | default
        case "choice":
            return {"type": "string", "enum": list(parameter.choices)} | default
    return words | default


def _nullable(schema: Json) -> Json:
    """Give the schema of patches of documents: in every table any key can be null, and none must be there."""
    result = {key: value for key, value in schema.items() if key not in {"required", "default", "examples"}}
    if "properties" in schema:
        result["properties"] = {key: _or_null(value) for key, value in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _or_null(schema["additionalProperties"])
    if "anyOf" in schema:
        result["anyOf"] = [_nullable(choice) for choice in schema["anyOf"]]
    return result


def _or_null(schema: Json) -> Json:
    return {"anyOf": [_nullable(schema), {"type": "null"}]} if schema else schema


def _failure(words: str) -> Json:
    return {"description": words, "content": {JSON: {"schema": {"$ref": _REFERENCE + "Failure"}}}}


def _type_schemas() -> Json:
    named = (kind for kind in vars(types).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct))
    return _components(list(named))[1]


def _components(kinds: list[Any]) -> tuple[tuple[Json, ...], Json]:
    return msgspec.json.schema_components(kinds, ref_template=_REFERENCE + "{name}")
