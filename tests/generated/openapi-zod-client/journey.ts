// The client of openapi-zod-client. It checks each response at run time.

import assert from 'node:assert/strict';
import { isErrorFromAlias } from '@zodios/core';
import { isAxiosError } from 'axios';
import type { z } from 'zod';
import { createApiClient, schemas } from './api.ts';
import { printVersion, setting, step } from './steps.ts';

/** A client, and the headers of its last response, which the client does not return. */
function clientOf(token: string) {
    const api = createApiClient(setting('API_URL'), {
        axiosConfig: { headers: { Authorization: `Bearer ${token}` } },
        // The journey also sends a name that the client would refuse.
        validate: 'response',
    });
    const last = { etag: '' };
    api.axios.interceptors.response.use((response) => {
        last.etag = String(response.headers['etag']);
        return response;
    });
    return { api, last };
}

const { api, last } = clientOf(setting('TOKEN'));
const ulf = clientOf(setting('OTHER_TOKEN')).api;

/** What a call that must fail throws. */
async function failure(call: Promise<unknown>): Promise<unknown> {
    return call.then(() => assert.fail('the call succeeded'), (error: unknown) => error);
}

await printVersion('openapi-zod-client');

let todo: z.infer<typeof schemas.Todo>;
let etag: string;
await step('create', async () => {
    ({ item: todo } = await api.createTodo({ item: { name: 'Walk the dog' } }));
    etag = last.etag;
    assert.equal(todo.name, 'Walk the dog');
    assert.match(etag, /^"/);
});
const params = () => ({ id: todo.id });

await step('list', async () => {
    assert.deepEqual(await api.listTodos(), { items: [todo] });
});

await step('page', async () => {
    await api.createTodo({ item: { name: 'Feed the cat' } });
    const names: string[] = [];
    let after: string | undefined;
    do {
        const { items, next } = await api.listTodos({ queries: { limit: 1, after } });
        assert.equal(items.length, 1);
        names.push(...items.map(({ name }) => name));
        after = next;
    } while (after);
    assert.deepEqual(names, ['Walk the dog', 'Feed the cat']);
});

await step('get', async () => {
    assert.deepEqual(await api.getTodo({ params: params() }), { item: todo });
});

let stale: string;
await step('patch with If-Match', async () => {
    const change = { item: { is_complete: true } };
    const changed = await api.updateTodo(change, {
        params: params(),
        headers: { 'If-Match': etag },
    });
    assert.deepEqual(changed, { item: { ...todo, is_complete: true } });
    [stale, etag] = [etag, last.etag];
    assert.notEqual(etag, stale);
});

await step('304', async () => {
    const headers = { 'If-None-Match': etag };
    const error = await failure(api.getTodo({ params: params(), headers }));
    assert.ok(isAxiosError(error));
    assert.equal(error.response?.status, 304);
});

await step('412', async () => {
    const change = { item: { name: 'Walk the cat' } };
    const headers = { 'If-Match': stale };
    const error = await failure(api.updateTodo(change, { params: params(), headers }));
    assert.ok(isErrorFromAlias(api.api, 'updateTodo', error));
    assert.ok(error.response.status === 412);
    assert.equal(error.response.data.code, 'precondition_failed');
});

await step('403', async () => {
    const error = await failure(ulf.getTodo({ params: params() }));
    assert.ok(isErrorFromAlias(api.api, 'getTodo', error));
    assert.ok(error.response.status === 403);
    assert.equal(error.response.data.code, 'not_owner');
});

await step('404', async () => {
    const error = await failure(api.getTodo({ params: { id: todo.id + 1_000 } }));
    assert.ok(isErrorFromAlias(api.api, 'getTodo', error));
    assert.ok(error.response.status === 404);
    assert.equal(error.response.data.code, 'not_found');
});

await step('typed error', async () => {
    const error = await failure(api.createTodo({ item: { name: ' ' } }));
    assert.ok(isErrorFromAlias(api.api, 'createTodo', error));
    assert.ok(error.response.status === 400);
    const problem = error.response.data;
    assert.equal(problem.code, 'invalid_request');
    assert.equal(problem.errors?.[0]?.pointer, '#/item/name');
    // @ts-expect-error The type lists the codes.
    assert.ok(problem.code !== 'invalid_requets');
});

await step('delete', async () => {
    await api.deleteTodo(undefined, { params: params(), headers: { 'If-Match': etag } });
    const error = await failure(api.deleteTodo(undefined, { params: params() }));
    assert.ok(isErrorFromAlias(api.api, 'deleteTodo', error));
});
