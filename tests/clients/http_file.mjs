// Sends the requests of .vscode/todo.http as the extension REST Client of VS Code does. Each heading
// ends with the status that the response must have.
//
//     node tests/clients/http_file.mjs
//
// Needs the environment that tests/todo_api/support/entra_clients.rs sets. Prints a line for each
// request, with its method and path.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { settings } from './lib/matrix.mjs';
import { UMA, Visitor } from './lib/visitor.mjs';

const file = await readFile(new URL('../../.vscode/todo.http', import.meta.url), 'utf8');
const variables = new Map();
/** The responses to the requests with a name. */
const responses = new Map();

/** A line `@name = value`. */
const VARIABLE = /^@(\w+) = (.+)$/;
const HEADING = /^### (.+): (\d{3})$/;

/** Replaces `{{variable}}`, `{{$guid}}` and `{{request.response.headers.NAME}}` or `.body.$.PATH`. */
function resolve(text) {
    return text.replace(/\{\{(.+?)\}\}/g, (_, name) => {
        if (name === '$guid') return randomUUID();
        if (variables.has(name)) return resolve(variables.get(name));
        const reference = /^(\w+)\.response\.(headers\.|body\.\$\.)(.+)$/.exec(name);
        const response = responses.get(reference?.[1]);
        assert.ok(response, `{{${name}}} is not defined`);
        const value = reference[2] === 'headers.'
            ? response.headers.get(reference[3])
            : reference[3].split('.').reduce((part, member) => part?.[member], response.body);
        assert.ok(value, `{{${name}}} has no value`);
        return value;
    });
}

/** Reads one request: comments, the request line, header fields, an empty line, the body. */
function parse(block) {
    const lines = block.trim().split('\n').filter((line) => !VARIABLE.test(line));
    const [, title, status] = HEADING.exec(lines[0]) ?? assert.fail(`no status: ${lines[0]}`);
    const name = /^# @name (\w+)$/m.exec(block)?.[1];
    const start = lines.findIndex((line) => line && !line.startsWith('#'));
    const [method, url] = lines[start].split(' ');
    const end = lines.indexOf('', start);
    const head = lines.slice(start + 1, end < 0 ? undefined : end);
    const headers = head.map((line) => line.split(': ').map(resolve));
    const body = end < 0 ? '' : lines.slice(end).join('\n').trim();
    return { title, status: Number(status), name, method, url, headers, body };
}

async function send({ title, status, name, method, url, headers, body }) {
    const address = resolve(url);
    const response = await fetch(address, {
        method,
        headers: Object.fromEntries(headers),
        body: body ? resolve(body) : undefined,
    });
    const text = await response.text();
    assert.equal(response.status, status, `${title}: ${text}`);
    const sent = { headers: response.headers, body: text ? JSON.parse(text) : null };
    if (name) responses.set(name, sent);
    if (sent.body?.user_code) {
        await new Visitor(UMA).approve(sent.body.verification_uri, sent.body.user_code);
    }
    console.log(`ok: ${method} ${new URL(address).pathname}`);
}

const blocks = file.split(/^(?=###)/m);
for (const block of blocks) {
    for (const line of block.split('\n')) {
        const [, name, value] = VARIABLE.exec(line) ?? [];
        if (name) variables.set(name, value);
    }
    if (block.startsWith('###')) await send(parse(block));
    else useTestServers();
}

/** Replaces the addresses of `make dev`, which the start of the file has. */
function useTestServers() {
    assert.equal(variables.get('api'), 'http://localhost:8000');
    assert.match(variables.get('tenant'), /^http:\/\/localhost:8001\//);
    variables.set('api', settings.API_URL);
    variables.set('tenant', `${settings.TENANT_HTTP}/${settings.TENANT_ID}`);
}
