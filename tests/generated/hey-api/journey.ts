// The client of @hey-api/openapi-ts.

import assert from 'node:assert/strict';
import { createClient, createConfig } from './client/client/index.ts';
import {
    createTodo, deleteTodo, getTodo, listTodos, updateTodo, type Todo,
} from './client/index.ts';
import { printVersion, setting, step } from './steps.ts';

function clientOf(token: string) {
    return createClient(createConfig({ baseUrl: setting('API_URL'), auth: () => token }));
}

const client = clientOf(setting('TOKEN'));
const ulf = clientOf(setting('OTHER_TOKEN'));

await printVersion('@hey-api/openapi-ts');

let todo: Todo;
let etag: string;
await step('create', async () => {
    const { data, response } = await createTodo({
        client,
        body: { item: { name: 'Walk the dog' } },
    });
    assert.ok(data && response);
    assert.equal(response.status, 201);
    todo = data.item;
    etag = response.headers.get('etag') ?? '';
    assert.equal(todo.name, 'Walk the dog');
    assert.match(etag, /^"/);
});
const path = () => ({ id: todo.id });

await step('list', async () => {
    const { data } = await listTodos({ client });
    assert.deepEqual(data, { items: [todo] });
});

await step('page', async () => {
    await createTodo({ client, body: { item: { name: 'Feed the cat' } } });
    const names: string[] = [];
    let after: string | undefined;
    do {
        const { data } = await listTodos({ client, query: { limit: 1, after } });
        assert.equal(data?.items.length, 1);
        names.push(...data.items.map(({ name }) => name));
        after = data.next;
    } while (after);
    assert.deepEqual(names, ['Walk the dog', 'Feed the cat']);
});

await step('get', async () => {
    const { data } = await getTodo({ client, path: path() });
    assert.deepEqual(data, { item: todo });
});

let stale: string;
await step('patch with If-Match', async () => {
    const { data, response } = await updateTodo({
        client,
        path: path(),
        headers: { 'If-Match': etag },
        body: { item: { is_complete: true } },
    });
    assert.deepEqual(data, { item: { ...todo, is_complete: true } });
    stale = etag;
    etag = response?.headers.get('etag') ?? '';
    assert.notEqual(etag, stale);
});

await step('304', async () => {
    const { data, response } = await getTodo({
        client,
        path: path(),
        headers: { 'If-None-Match': etag },
    });
    assert.equal(response?.status, 304);
    assert.equal(data, undefined);
});

await step('412', async () => {
    const { error, response } = await updateTodo({
        client,
        path: path(),
        headers: { 'If-Match': stale },
        body: { item: { name: 'Walk the cat' } },
    });
    assert.equal(response?.status, 412);
    assert.equal(error?.code, 'precondition_failed');
});

await step('403', async () => {
    const { error, response } = await getTodo({ client: ulf, path: path() });
    assert.equal(response?.status, 403);
    assert.equal(error?.code, 'not_owner');
});

await step('404', async () => {
    const { error, response } = await getTodo({ client, path: { id: todo.id + 1_000 } });
    assert.equal(response?.status, 404);
    assert.equal(error?.code, 'not_found');
});

await step('typed error', async () => {
    const { error } = await createTodo({ client, body: { item: { name: ' ' } } });
    assert.ok(error);
    assert.equal(error.code, 'invalid_request');
    assert.equal(error.errors?.[0]?.pointer, '#/item/name');
    // @ts-expect-error The type lists the codes.
    assert.ok(error.code !== 'invalid_requets');
});

await step('delete', async () => {
    const { response } = await deleteTodo({
        client,
        path: path(),
        headers: { 'If-Match': etag },
    });
    assert.equal(response?.status, 204);
    const { error } = await deleteTodo({ client, path: path() });
    assert.equal(error?.code, 'not_found');
});
