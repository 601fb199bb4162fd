"""The client of openapi-python-client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from todo_client import AuthenticatedClient
from todo_client.api.todos import create_todo, delete_todo, get_todo, list_todos, update_todo
from todo_client.models import (
    Problem,
    ProblemCode,
    Todo,
    TodoChange,
    TodoChangeItem,
    TodoCreation,
    TodoCreationItem,
    TodoEnvelope,
    TodoPage,
)
from todo_client.types import UNSET, Response

url = os.environ["API_URL"]
uma = AuthenticatedClient(base_url=url, token=os.environ["TOKEN"])
ulf = AuthenticatedClient(base_url=url, token=os.environ["OTHER_TOKEN"])


@contextmanager
def step(name: str) -> Iterator[None]:
    yield
    print(f"ok: {name}", flush=True)


def created(name: str) -> Response[Problem | TodoEnvelope]:
    body = TodoCreation(item=TodoCreationItem(name=name))
    return create_todo.sync_detailed(client=uma, body=body)


def problem(response: Response, status: int) -> Problem:
    """The body of an error response with this status."""
    assert response.status_code == status, response
    assert isinstance(response.parsed, Problem), response
    assert response.parsed.status == status, response
    return response.parsed


print(f"version: openapi-python-client {version('openapi-python-client')}")

with step("create"):
    response = created("Walk the dog")
    assert response.status_code == 201, response
    assert isinstance(response.parsed, TodoEnvelope), response
    todo: Todo = response.parsed.item
    etag = response.headers["etag"]
    assert (todo.name, todo.is_complete) == ("Walk the dog", False), todo

with step("list"):
    page = list_todos.sync(client=uma)
    assert isinstance(page, TodoPage), page
    assert (page.items, page.next_) == ([todo], UNSET), page

with step("page"):
    created("Feed the cat")
    names = []
    after = UNSET
    while True:
        page = list_todos.sync(client=uma, limit=1, after=after)
        assert isinstance(page, TodoPage), page
        assert len(page.items) == 1, page
        names.append(page.items[0].name)
        after = page.next_
        if not after:
            break
    assert names == ["Walk the dog", "Feed the cat"], names

with step("get"):
    assert get_todo.sync(todo.id, client=uma) == TodoEnvelope(item=todo)

with step("patch with If-Match"):
    completion = TodoChange(item=TodoChangeItem(is_complete=True))
    response = update_todo.sync_detailed(todo.id, client=uma, body=completion, if_match=etag)
    assert isinstance(response.parsed, TodoEnvelope), response
    # The name is not in the request, and keeps its value.
    assert response.parsed.item == Todo(todo.id, todo.name, todo.owner_id, True), response
    stale, etag = etag, response.headers["etag"]
    assert etag != stale

with step("304"):
    response = get_todo.sync_detailed(todo.id, client=uma, if_none_match=etag)
    assert (response.status_code, response.parsed) == (304, None), response

with step("412"):
    renaming = TodoChange(item=TodoChangeItem(name="Walk the cat"))
    response = update_todo.sync_detailed(todo.id, client=uma, body=renaming, if_match=stale)
    assert problem(response, 412).code is ProblemCode.PRECONDITION_FAILED

with step("403"):
    response = get_todo.sync_detailed(todo.id, client=ulf)
    assert problem(response, 403).code is ProblemCode.NOT_OWNER

with step("404"):
    response = get_todo.sync_detailed(todo.id + 1_000, client=uma)
    assert problem(response, 404).code is ProblemCode.NOT_FOUND

with step("typed error"):
    refused = problem(created(" "), 400)
    assert refused.code is ProblemCode.INVALID_REQUEST
    assert refused.errors, refused
    assert refused.errors[0].pointer == "#/item/name", refused

with step("delete"):
    response = delete_todo.sync_detailed(todo.id, client=uma, if_match=etag)
    assert response.status_code == 204, response
    response = delete_todo.sync_detailed(todo.id, client=uma)
    assert problem(response, 404).code is ProblemCode.NOT_FOUND
