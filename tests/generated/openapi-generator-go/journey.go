// The client of openapi-generator for Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"reflect"

	"example/todo"
	"golang.org/x/oauth2"
)

var api = newAPI()

func main() {
	uma, ulf := signedIn("TOKEN"), signedIn("OTHER_TOKEN")

	created, response, err := api.CreateTodo(uma).TodoCreation(named("Walk the dog")).Execute()
	must(err)
	check(response.StatusCode == http.StatusCreated, response.Status)
	item := created.Item
	first := response.Header.Get("ETag")
	check(item.Name == "Walk the dog" && !item.IsComplete, item)
	step("create")

	list, _, err := api.ListTodos(uma).Execute()
	must(err)
	check(reflect.DeepEqual(list.Items, []todo.Todo{item}) && !list.HasNext(), list)
	step("list")

	_, _, err = api.CreateTodo(uma).TodoCreation(named("Feed the cat")).Execute()
	must(err)
	var names []string
	page := &todo.TodoPage{}
	for request := api.ListTodos(uma).Limit(1); ; request = request.After(page.GetNext()) {
		page, _, err = request.Execute()
		must(err)
		check(len(page.Items) == 1, page)
		names = append(names, page.Items[0].Name)
		if !page.HasNext() {
			break
		}
	}
	check(reflect.DeepEqual(names, []string{"Walk the dog", "Feed the cat"}), names)
	step("page")

	found, _, err := api.GetTodo(uma, item.Id).Execute()
	must(err)
	check(found.Item == item, found)
	step("get")

	var completion, renaming todo.TodoChangeItem
	completion.SetIsComplete(true)
	renaming.SetName("Walk the cat")
	update := func(change todo.TodoChangeItem) todo.ApiUpdateTodoRequest {
		return api.UpdateTodo(uma, item.Id).TodoChange(*todo.NewTodoChange(change))
	}
	changed, response, err := update(completion).IfMatch(first).Execute()
	must(err)
	// The name is not in the request, and keeps its value.
	check(changed.Item.IsComplete && changed.Item.Name == item.Name, changed)
	second := response.Header.Get("ETag")
	check(second != first, second)
	step("patch with If-Match")

	// A 304 is an error without a model.
	_, response, err = api.GetTodo(uma, item.Id).IfNoneMatch(second).Execute()
	check(err != nil && response.StatusCode == http.StatusNotModified, err)
	step("304")

	_, response, err = update(renaming).IfMatch(first).Execute()
	stale := problem(response, err, http.StatusPreconditionFailed)
	check(stale.Code == todo.PROBLEMCODE_PRECONDITION_FAILED, stale)
	step("412")

	_, response, err = api.GetTodo(ulf, item.Id).Execute()
	foreign := problem(response, err, http.StatusForbidden)
	check(foreign.Code == todo.PROBLEMCODE_NOT_OWNER, foreign)
	step("403")

	_, response, err = api.GetTodo(uma, item.Id+1_000).Execute()
	missing := problem(response, err, http.StatusNotFound)
	check(missing.Code == todo.PROBLEMCODE_NOT_FOUND, missing)
	step("404")

	_, response, err = api.CreateTodo(uma).TodoCreation(named(" ")).Execute()
	invalid := problem(response, err, http.StatusBadRequest)
	check(invalid.Code == todo.PROBLEMCODE_INVALID_REQUEST, invalid)
	check(invalid.Errors[0].Pointer == "#/item/name", invalid)
	step("typed error")

	response, err = api.DeleteTodo(uma, item.Id).IfMatch(second).Execute()
	must(err)
	check(response.StatusCode == http.StatusNoContent, response.Status)
	response, err = api.DeleteTodo(uma, item.Id).Execute()
	gone := problem(response, err, http.StatusNotFound)
	check(gone.Code == todo.PROBLEMCODE_NOT_FOUND, gone)
	step("delete")
}

func newAPI() *todo.TodosAPIService {
	configuration := todo.NewConfiguration()
	configuration.Servers = todo.ServerConfigurations{{URL: os.Getenv("API_URL")}}
	return todo.NewAPIClient(configuration).TodosAPI
}

// signedIn returns a context with the token in this environment variable.
func signedIn(variable string) context.Context {
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: os.Getenv(variable)})
	return context.WithValue(context.Background(), todo.ContextOAuth2, tokens)
}

func named(name string) todo.TodoCreation {
	return *todo.NewTodoCreation(*todo.NewTodoCreationItem(name))
}

// problem returns the problem in the error, which must have this status.
func problem(response *http.Response, err error, status int) todo.Problem {
	check(response.StatusCode == status, response.Status)
	var refused *todo.GenericOpenAPIError
	check(errors.As(err, &refused), err)
	model, ok := refused.Model().(todo.Problem)
	check(ok, err)
	return model
}

func step(name string) {
	fmt.Println("ok:", name)
}

func must(err error) {
	check(err == nil, err)
}

func check(holds bool, shown interface{}) {
	if !holds {
		log.Panicln(shown)
	}
}
