// The API, through a client whose types are generated from its OpenAPI document.

import createClient from 'openapi-fetch';
import { accessToken } from './auth';
import type { components, paths } from './openapi';
import { settings } from './settings';

export type Todo = components['schemas']['Todo'];
type Problem = components['schemas']['Problem'];

const client = createClient<paths>({ baseUrl: settings.apiUrl });
client.use({
    async onRequest({ request }) {
        request.headers.set('Authorization', `Bearer ${await accessToken()}`);
        return request;
    },
});

/** The API has refused a request. */
export class ApiError extends Error {
    constructor(readonly problem: Problem) {
        // `#/item/name` becomes `name`.
        const fields = problem.errors?.map(({ pointer, detail }) => (
            `${pointer.split('/').at(-1)} ${detail}`
        ));
        super(fields?.join(', ') ?? problem.detail);
    }
}

/** A page of todos, and the cursor of the next page. */
export async function listTodos(after?: string) {
    return dataOf(await client.GET('/todoitems', { params: { query: { after } } }));
}

export async function createTodo(name: string): Promise<Todo> {
    return dataOf(await client.POST('/todoitems', { body: { item: { name } } })).item;
}

export async function setComplete(id: number, complete: boolean): Promise<Todo> {
    const params = { path: { id } };
    const body = { item: { is_complete: complete } };
    return dataOf(await client.PATCH('/todoitems/{id}', { params, body })).item;
}

export async function deleteTodo(id: number): Promise<void> {
    const { error } = await client.DELETE('/todoitems/{id}', { params: { path: { id } } });
    // Somebody else may have deleted it already.
    if (error && error.code !== 'not_found') throw new ApiError(error);
}

function dataOf<T>({ data, error }: { data?: T; error?: Problem }): T {
    if (data === undefined) throw error ? new ApiError(error) : new Error('no response body');
    return data;
}
