"""JSON Schemas written from the tables of CDS Hooks 2.0.1, and its invariants; for the tests only."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}
URL = {"type": "string", "pattern": "^https?://"}


def thing(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


CODING = thing({"code": TEXT}, {"system": TEXT, "display": TEXT})
ACTION = thing(
    {"type": {"enum": ["create", "update", "delete"]}, "description": TEXT},
    {"resource": {"type": "object"}, "resourceId": TEXT},
)
SUGGESTION = thing(
    {"label": TEXT}, {"uuid": UUID, "isRecommended": {"type": "boolean"}, "actions": {"type": "array", "items": ACTION}}
)
LINK = thing(
    {"label": TEXT, "url": URL, "type": {"enum": ["absolute", "smart"]}},
    {"appContext": TEXT, "autolaunchable": {"type": "boolean"}},
)
CARD = thing(
    {
        "summary": {"type": "string", "minLength": 1, "maxLength": 139},
        "indicator": {"enum": ["info", "warning", "critical"]},
        "source": thing({"label": TEXT}, {"url": URL, "icon": URL, "topic": CODING}),
    },
    {
        "uuid": UUID,
        "detail": TEXT,
        "suggestions": {"type": "array", "items": SUGGESTION, "minItems": 1},
        "selectionBehavior": {"enum": ["at-most-one", "any"]},
        "overrideReasons": {"type": "array", "items": CODING, "minItems": 1},
        "links": {"type": "array", "items": LINK, "minItems": 1},
    },
)
RESPONSE = thing(
    {"cards": {"type": "array", "items": CARD}}, {"systemActions": {"type": "array", "items": ACTION, "minItems": 1}}
)
SERVICE = thing(
    {"hook": TEXT, "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}, "description": TEXT},
    {
        "title": TEXT,
        "prefetch": {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
        "usageRequirements": TEXT,
        "version": TEXT,
    },
)
DISCOVERY = thing({"services": {"type": "array", "items": SERVICE}})


def breaches(response: dict[str, Any]) -> list[str]:
    """Which invariants of the response are broken (cds-resp-1 to 7), and every null or empty member."""
    found = [f"nothing in {path}" for path in _hollow(response, "$") if path != "$.cards"]
    seen: set[str] = set()
    for card in response["cards"]:
        suggestions = card.get("suggestions", [])
        recommended = [s for s in suggestions if s.get("isRecommended")]
        if card.get("selectionBehavior") == "at-most-one" and len(recommended) > 1:
            found.append("resp-1: more than one is recommended")
        if suggestions and "selectionBehavior" not in card:
            found.append("resp-6: suggestions without selectionBehavior")
        for action in (a for s in suggestions for a in s.get("actions", [])):
            if action["type"] == "delete" and ("resourceId" not in action or "resource" in action):
                found.append("resp-2: delete names a resourceId and no resource")
            if action["type"] != "delete" and "resource" not in action:
                found.append("resp-2: create and update carry a resource")
            if not action.get("description"):
                found.append("resp-5: an action without description")
        for link in card.get("links", []):
            if "appContext" in link and link["type"] != "smart":
                found.append("resp-3: appContext of a link that is not smart")
        for reason in card.get("overrideReasons", []):
            if "display" not in reason:
                found.append("resp-4: an override reason without display")
        for name in [card.get("uuid"), *(s.get("uuid") for s in suggestions)]:
            if name in seen:
                found.append(f"resp-7: {name} twice")
            seen.add(name)
    return found


def _hollow(value: Any, path: str) -> list[str]:
    if value is None or value == "" or value == {} or value == []:
        return [path]
    if isinstance(value, dict):
        return [p for key, below in value.items() for p in _hollow(below, f"{path}.{key}")]
    if isinstance(value, list):
        return [p for n, below in enumerate(value) for p in _hollow(below, f"{path}[{n}]")]
    return []
