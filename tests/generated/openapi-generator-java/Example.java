import todo.*;
import todo.api.TodosApi;
import todo.model.*;

class Example {
    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv().getOrDefault("API_URL", "http://localhost:8000"));
        client.setRequestInterceptor(request ->
                request.header("Authorization", "Bearer " + System.getenv("TOKEN")));
        TodoCreation body = new TodoCreation().item(new TodoCreationItem().name("Sing"));
        try {
            Todo todo = new TodosApi(client).createTodo(body, null).getItem();
            System.out.println("created " + todo.getId() + ": " + todo.getName());
        } catch (ApiException error) {
            Problem problem =
                    client.getObjectMapper().readValue(error.getResponseBody(), Problem.class);
            System.err.println(problem.getCode() + ": " + problem.getDetail());
        }
    }
}
