// The types of openapi-typescript with the client openapi-fetch.

import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.d.ts';
import { printVersion, setting, step } from './steps.ts';

const baseUrl = setting('API_URL');
const [uma, ulf] = ['TOKEN', 'OTHER_TOKEN'].map((name) => createClient<paths>({
    baseUrl,
    headers: { Authorization: `Bearer ${setting(name)}` },
})) as [Client, Client];

type Client = ReturnType<typeof createClient<paths>>;
type Todo = components['schemas']['Todo'];

await printVersion('openapi-typescript');

let todo: Todo;
let etag: string;
await step('create', async () => {
    const { data, response } = await uma.POST('/todoitems', {
        body: { item: { name: 'Walk the dog' } },
    });
    assert.equal(response.status, 201);
    assert.ok(data);
    todo = data.item;
    etag = response.headers.get('etag') ?? '';
    assert.equal(todo.name, 'Walk the dog');
    assert.match(etag, /^"/);
});
const path = () => ({ id: todo.id });

await step('list', async () => {
    const { data } = await uma.GET('/todoitems');
    assert.deepEqual(data, { items: [todo] });
});

await step('page', async () => {
    await uma.POST('/todoitems', { body: { item: { name: 'Feed the cat' } } });
    const names: string[] = [];
    let after: string | undefined;
    do {
        const { data } = await uma.GET('/todoitems', { params: { query: { limit: 1, after } } });
        assert.equal(data?.items.length, 1);
        names.push(...data.items.map(({ name }) => name));
        after = data.next;
    } while (after);
    assert.deepEqual(names, ['Walk the dog', 'Feed the cat']);
});

await step('get', async () => {
    const { data } = await uma.GET('/todoitems/{id}', { params: { path: path() } });
    assert.deepEqual(data, { item: todo });
});

let stale: string;
await step('patch with If-Match', async () => {
    const { data, response } = await uma.PATCH('/todoitems/{id}', {
        params: { path: path(), header: { 'If-Match': etag } },
        body: { item: { is_complete: true } },
    });
    assert.deepEqual(data, { item: { ...todo, is_complete: true } });
    stale = etag;
    etag = response.headers.get('etag') ?? '';
    assert.notEqual(etag, stale);
});

await step('304', async () => {
    const { data, response } = await uma.GET('/todoitems/{id}', {
        params: { path: path(), header: { 'If-None-Match': etag } },
    });
    assert.equal(response.status, 304);
    assert.equal(data, undefined);
});

await step('412', async () => {
    const { error, response } = await uma.PATCH('/todoitems/{id}', {
        params: { path: path(), header: { 'If-Match': stale } },
        body: { item: { name: 'Walk the cat' } },
    });
    assert.equal(response.status, 412);
    assert.equal(error?.code, 'precondition_failed');
});

await step('403', async () => {
    const { error, response } = await ulf.GET('/todoitems/{id}', { params: { path: path() } });
    assert.equal(response.status, 403);
    assert.equal(error?.code, 'not_owner');
});

await step('404', async () => {
    const { error, response } = await uma.GET('/todoitems/{id}', {
        params: { path: { id: todo.id + 1_000 } },
    });
    assert.equal(response.status, 404);
    assert.equal(error?.code, 'not_found');
});

await step('typed error', async () => {
    const { error } = await uma.POST('/todoitems', { body: { item: { name: ' ' } } });
    assert.ok(error);
    assert.equal(error.code, 'invalid_request');
    assert.equal(error.errors?.[0]?.pointer, '#/item/name');
    // @ts-expect-error The type lists the codes.
    assert.ok(error.code !== 'invalid_requets');
});

await step('delete', async () => {
    const { response } = await uma.DELETE('/todoitems/{id}', {
        params: { path: path(), header: { 'If-Match': etag } },
    });
    assert.equal(response.status, 204);
    const { error } = await uma.DELETE('/todoitems/{id}', { params: { path: path() } });
    assert.equal(error?.code, 'not_found');
});
