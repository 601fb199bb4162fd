// Parses bodies that the server has sent with the schemas that the client has for them, in the strict
// form that refuses unknown members.
//
//     node bodies.ts FILE
//
// FILE is a JSON array of `{operation, status, body}`. An error that has no operation, such as that
// of an unknown path, is a `Problem`.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { ZodTypeAny } from 'zod';
import { api, schemas } from './strict.ts';

interface Sent {
    operation: string | null;
    status: number;
    body: unknown;
}

interface Endpoint {
    alias?: string;
    response: ZodTypeAny;
    errors?: readonly { status: number | 'default'; schema: ZodTypeAny }[];
}

function schemaFor({ operation, status }: Sent): ZodTypeAny {
    if (operation === null) return schemas.Problem;
    const endpoints: readonly Endpoint[] = api.api;
    const endpoint = endpoints.find(({ alias }) => alias === operation);
    assert.ok(endpoint, `no operation ${operation}`);
    if (status < 300) return endpoint.response;
    const error = endpoint.errors?.find((error) => error.status === status);
    assert.ok(error, `${operation} has no schema for ${status}`);
    return error.schema;
}

const [, , file = ''] = process.argv;
const all = JSON.parse(await readFile(file, 'utf8')) as Sent[];
for (const sent of all) {
    const schema = schemaFor(sent);
    const { operation, status, body } = sent;
    const parsed = schema.safeParse(body);
    assert.ok(parsed.success, `${operation} ${status}: ${parsed.error} in ${JSON.stringify(body)}`);
    assert.deepEqual(parsed.data, body);
    assert.ok(!schema.safeParse({ unknown: 1 }).success, `${operation} ${status}: takes anything`);
}
console.log(`parsed: ${all.length}`);
