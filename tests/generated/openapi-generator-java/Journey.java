import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import todo.ApiClient;
import todo.ApiException;
import todo.ApiResponse;
import todo.api.TodosApi;
import todo.model.Problem;
import todo.model.ProblemCode;
import todo.model.Todo;
import todo.model.TodoChange;
import todo.model.TodoChangeItem;
import todo.model.TodoCreation;
import todo.model.TodoCreationItem;
import todo.model.TodoEnvelope;
import todo.model.TodoPage;

/** The client of openapi-generator for Java. */
public final class Journey {
    private static final TodosApi UMA = apiOf(setting("TOKEN"));
    private static final TodosApi ULF = apiOf(setting("OTHER_TOKEN"));

    public static void main(String[] arguments) throws Exception {
        ApiResponse<TodoEnvelope> created = UMA.createTodoWithHttpInfo(named("Walk the dog"), null);
        check(created.getStatusCode() == 201, created.getStatusCode());
        Todo todo = created.getData().getItem();
        String first = etag(created);
        check("Walk the dog".equals(todo.getName()) && !todo.getIsComplete(), todo);
        step("create");

        TodoPage list = UMA.listTodos(null, null, null, null);
        check(list.getItems().equals(List.of(todo)) && list.getNext() == null, list);
        step("list");

        UMA.createTodo(named("Feed the cat"), null);
        List<String> names = new ArrayList<>();
        String after = null;
        do {
            TodoPage page = UMA.listTodos(1, after, null, null);
            check(page.getItems().size() == 1, page);
            names.add(page.getItems().get(0).getName());
            after = page.getNext();
        } while (after != null);
        check(names.equals(List.of("Walk the dog", "Feed the cat")), names);
        step("page");

        Todo found = UMA.getTodo(todo.getId(), null, null).getItem();
        check(found.equals(todo), found);
        step("get");

        TodoChange completion = new TodoChange().item(new TodoChangeItem().isComplete(true));
        ApiResponse<TodoEnvelope> changed =
                UMA.updateTodoWithHttpInfo(todo.getId(), completion, first, null);
        Todo complete = changed.getData().getItem();
        // The name is not in the request, and keeps its value.
        check(complete.getIsComplete() && complete.getName().equals(todo.getName()), complete);
        String second = etag(changed);
        check(!second.equals(first), second);
        step("patch with If-Match");

        // A 304 is an exception without a body.
        ApiException unchanged = refused(() -> UMA.getTodo(todo.getId(), null, second));
        check(unchanged.getCode() == 304, unchanged);
        step("304");

        TodoChange renaming = new TodoChange().item(new TodoChangeItem().name("Walk the cat"));
        Problem stale = problem(412, () -> UMA.updateTodo(todo.getId(), renaming, first, null));
        check(stale.getCode() == ProblemCode.PRECONDITION_FAILED, stale);
        step("412");

        Problem foreign = problem(403, () -> ULF.getTodo(todo.getId(), null, null));
        check(foreign.getCode() == ProblemCode.NOT_OWNER, foreign);
        step("403");

        Problem missing = problem(404, () -> UMA.getTodo(todo.getId() + 1_000, null, null));
        check(missing.getCode() == ProblemCode.NOT_FOUND, missing);
        step("404");

        Problem invalid = problem(400, () -> UMA.createTodo(named(" "), null));
        check(invalid.getCode() == ProblemCode.INVALID_REQUEST, invalid);
        check(invalid.getErrors().get(0).getPointer().equals("#/item/name"), invalid);
        step("typed error");

        UMA.deleteTodo(todo.getId(), second, null);
        Problem gone = problem(404, () -> UMA.deleteTodo(todo.getId(), null, null));
        check(gone.getCode() == ProblemCode.NOT_FOUND, gone);
        step("delete");
    }

    private static TodosApi apiOf(String token) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(setting("API_URL"));
        client.setRequestInterceptor(
                request -> request.header("Authorization", "Bearer " + token));
        return new TodosApi(client);
    }

    private static String setting(String name) {
        return Objects.requireNonNull(System.getenv(name), name);
    }

    private static TodoCreation named(String name) {
        return new TodoCreation().item(new TodoCreationItem().name(name));
    }

    private static String etag(ApiResponse<?> response) {
        return response.getHeaders().get("etag").get(0);
    }

    private static void step(String name) {
        System.out.println("ok: " + name);
    }

    private static void check(boolean holds, Object shown) {
        if (!holds) {
            throw new AssertionError(shown);
        }
    }

    /** The problem in the body of the exception, which must have this status. */
    private static Problem problem(int status, Call call) throws Exception {
        ApiException exception = refused(call);
        check(exception.getCode() == status, exception);
        return ApiClient.createDefaultObjectMapper()
                .readValue(exception.getResponseBody(), Problem.class);
    }

    private static ApiException refused(Call call) {
        try {
            call.send();
        } catch (ApiException exception) {
            return exception;
        }
        throw new AssertionError("not refused");
    }

    private interface Call {
        void send() throws ApiException;
    }
}
