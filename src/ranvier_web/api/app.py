"""The interface as a whole, its errors, and its description."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from ninja.throttling import AuthRateThrottle

from ranvier.ground.notes import InputError
from ranvier_web.api import advice, facts, people
from ranvier_web.api.door import ByKey, RefusedError, Strict
from ranvier_web.api.facts import fact_out
from ranvier_web.api.shapes import Problem
from ranvier_web.clinic.actions import ConflictError
from ranvier_web.clinic.models import Fact

ABOUT = """What the pages of a clinic can do, for programs. A key acts as an account (`ranvier key add`): its scopes and the
role of the account must both allow what is asked. Supports decisions of professionals; replaces none. Errors are
RFC 9457 problems with the place and the remedy. Send an `Idempotency-Key` (a UUID) with each new fact or decision: sent
twice, it is kept once."""


class Described(NinjaAPI):
    """Its description names the problem that any operation may answer."""

    def get_openapi_schema(self, **options: Any) -> Any:
        """The OpenAPI description."""
        found = super().get_openapi_schema(**options)
        for path in found["paths"].values():
            for operation in path.values():
                operation["responses"].setdefault("default", {
                    "description": "A problem: what, where, and what to do",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                })  # fmt: skip
        found["components"]["securitySchemes"]["ByKey"].pop("name", None)  # no such field in an HTTP scheme
        found["components"].setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        return found


api = Described(
    title="ranvier", version=version("ranvier"), description=ABOUT, auth=ByKey(), parser=Strict(), docs_url=None,
    urls_namespace="api", throttle=[AuthRateThrottle("600/m")],
)  # fmt: skip
api.add_router("", people.router)
api.add_router("", facts.router)
api.add_router("", advice.router)


def problem(request: HttpRequest, status: int, what: str, remedy: str, **more: Any) -> HttpResponse:
    """An error as `application/problem+json`."""
    title = {401: "No key", 403: "Not allowed", 404: "Not there", 409: "Somebody was quicker", 413: "Too large",
             422: "Cannot be used", 429: "Too often"}.get(status, "Not understood")  # fmt: skip
    detail = f"{what[:1].upper()}{what[1:]}. {remedy}".strip()
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    answer = api.create_response(request, body, status=status)
    answer["Content-Type"] = "application/problem+json"
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(RefusedError)
def refused(request: HttpRequest, error: RefusedError) -> HttpResponse:
    """What the door or an operation refuses."""
    return problem(request, error.status, error.what, error.remedy, **error.more)


@api.exception_handler(AuthenticationError)
def no_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """No key, or none that holds."""
    return problem(
        request, 401, "no key that holds was sent", "Send Authorization: Bearer and the secret: ranvier key add."
    )


@api.exception_handler(InputError)
def not_usable(request: HttpRequest, error: InputError) -> HttpResponse:
    """Facts that do not make a record: every fault with its place."""
    told = [{"place": p.place, "what": p.what, "remedy": p.remedy} for p in error.problems]
    return problem(request, 422, "it does not fit the record", "Mend what `problems` names.", problems=told)


@api.exception_handler(ConflictError)
def quicker(request: HttpRequest, error: ConflictError) -> HttpResponse:
    """What somebody else wrote meanwhile."""
    theirs = (
        fact_out(error.theirs).model_dump(mode="json")
        if isinstance(error.theirs, Fact)
        else {"decision": error.theirs.pk}
    )
    return problem(
        request, 409, "somebody else changed this meanwhile", "Look at `theirs`, then send again.", theirs=theirs
    )


@api.exception_handler(ValidationError)
def misshapen(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Fields that are missing, unknown or of another kind."""
    told = [
        {
            "place": ".".join(str(part) for part in one["loc"]),
            "what": str(one["msg"])[:400],
            "remedy": "See the description.",
        }
        for one in error.errors[:50]
    ]
    return problem(request, 422, "some fields cannot be used", "Mend what `problems` names.", problems=told)


@api.exception_handler(HttpError)
def not_understood(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A body that is no JSON."""
    return problem(request, error.status_code, str(error), "Send JSON in UTF-8.")


@api.exception_handler(Throttled)
def too_often(request: HttpRequest, error: Throttled) -> HttpResponse:
    """Too many requests."""
    answer = problem(request, 429, "more than 600 requests a minute", "Wait a moment.")
    if error.wait:
        answer["Retry-After"] = str(int(error.wait) + 1)
    return answer


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """A body beyond the limit of the server."""
    return problem(request, 413, "the body is too large", "Send less at once.")


@api.exception_handler(Http404)
def not_there(request: HttpRequest, error: Http404) -> HttpResponse:
    """No such thing."""
    return problem(request, 404, "there is no such thing", "See the description.")


@api.exception_handler(BadRequest)
def bad(request: HttpRequest, error: BadRequest) -> HttpResponse:
    """What cannot be read."""
    return problem(request, 400, str(error), "Mend it and send it again.")


def description() -> dict[str, Any]:
    """The OpenAPI description as plain data."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    return found
