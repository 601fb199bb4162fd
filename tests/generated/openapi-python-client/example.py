import os

from todo_client import AuthenticatedClient
from todo_client.api.todos import create_todo
from todo_client.models import Problem, TodoCreation, TodoCreationItem

url = os.environ.get("API_URL", "http://localhost:8000")
api = AuthenticatedClient(base_url=url, token=os.environ["TOKEN"])
result = create_todo.sync(client=api, body=TodoCreation(item=TodoCreationItem(name="Sing")))
if isinstance(result, Problem):
    raise SystemExit(f"{result.code}: {result.detail}")
print(f"created {result.item.id}: {result.item.name}")
