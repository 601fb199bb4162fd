package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"example/todo"
	"golang.org/x/oauth2"
)

func main() {
	configuration := todo.NewConfiguration()
	if url := os.Getenv("API_URL"); url != "" {
		configuration.Servers = todo.ServerConfigurations{{URL: url}}
	}
	api := todo.NewAPIClient(configuration).TodosAPI
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: os.Getenv("TOKEN")})
	signedIn := context.WithValue(context.Background(), todo.ContextOAuth2, tokens)

	body := *todo.NewTodoCreation(*todo.NewTodoCreationItem("Sing"))
	created, _, err := api.CreateTodo(signedIn).TodoCreation(body).Execute()
	var refused *todo.GenericOpenAPIError
	if errors.As(err, &refused) {
		if problem, ok := refused.Model().(todo.Problem); ok {
			fmt.Printf("%s: %s\n", problem.Code, problem.Detail)
		}
	}
	if err != nil {
		panic(err)
	}
	fmt.Printf("created %d: %s\n", created.Item.Id, created.Item.Name)
}
