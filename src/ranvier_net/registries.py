"""How two public registries are asked: ClinicalTrials.gov (API v2) and Europe PMC. What their answers mean is for others to say.

Both come in pages. ClinicalTrials.gov gives a token for the next page and none on the last; every page repeats the whole
question. Europe PMC gives a cursor; the last page is empty or repeats the cursor.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ranvier_net.client import Answer, Client, NotUnderstoodError
from ranvier_net.paging import Archive, Ask, pages

TRIALS = "https://clinicaltrials.gov"
PAPERS = "https://www.ebi.ac.uk"
PAGE = 100  # entries of one page; both allow up to 1000


def trials(
    client: Client, condition: str, *, since: date, base: str = TRIALS, archive: Archive | None = None
) -> Iterator[Answer]:
    """Pages of studies of a condition that were posted or changed since a day, latest change first."""
    params = {
        "query.cond": condition,
        "filter.advanced": f"AREA[LastUpdatePostDate]RANGE[{since.isoformat()},MAX]",
        "sort": "LastUpdatePostDate:desc",
        "countTotal": "true",
        "pageSize": str(PAGE),
        "format": "json",
    }
    return pages(client, Ask(f"{base}/api/v2/studies", params), _next_token, archive=archive)


def papers(
    client: Client, title: str, *, since: date, until: date, base: str = PAPERS, archive: Archive | None = None
) -> Iterator[Answer]:
    """Pages of papers with these words in the title, first published between two days."""
    words = title.replace('"', " ")
    params = {
        "query": f'TITLE:"{words}" AND FIRST_PDATE:[{since.isoformat()} TO {until.isoformat()}]',
        "format": "json",
        "resultType": "lite",
        "pageSize": str(PAGE),
        "cursorMark": "*",
    }
    return pages(client, Ask(f"{base}/europepmc/webservices/rest/search", params), _next_cursor, archive=archive)


def _object(answer: Answer) -> dict[str, object]:
    data = answer.json()
    if not isinstance(data, dict):
        raise NotUnderstoodError(f"{answer.url} did not answer with an object.", "Check the address.")
    return data


def _next_token(answer: Answer, ask: Ask) -> Ask | None:
    token = _object(answer).get("nextPageToken")
    return Ask(ask.url, {**ask.params, "pageToken": token}) if isinstance(token, str) and token else None


def _next_cursor(answer: Answer, ask: Ask) -> Ask | None:
    data = _object(answer)
    cursor, found = data.get("nextCursorMark"), data.get("resultList")
    entries = found.get("result") if isinstance(found, dict) else None
    if not isinstance(cursor, str) or not cursor or not entries or cursor == ask.params.get("cursorMark"):
        return None
    return Ask(ask.url, {**ask.params, "cursorMark": cursor})
