import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, beforeEach, test } from 'node:test';
import { createApi } from '../src/api.js';
import { createTenant, startEntraDev } from './entra-dev.js';

const entraDev = await startEntraDev();
after(() => entraDev.stop());

/** @type {import('./entra-dev.js').Tenant} */
let tenant;
let api;

// No test affects another: each has a tenant and an API of its own.
beforeEach(async () => {
    tenant = await createTenant(entraDev.url);
    api = await serve();
});
afterEach(async () => {
    api.close();
    await tenant.remove();
});

test('a signed-in user is admitted', async () => {
    const response = await send(await tenant.token('uma'));
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { name: 'Uma Ulrich' });
});

test('nobody gets in without a token', async () => {
    const response = await send();
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('WWW-Authenticate'), 'Bearer');
});

for (const [name, forgery] of Object.entries({
    'for another API': { resource: 'Reports API' },
    'of another issuer': { claims: { iss: 'https://sts.example' } },
    'of another tenant': { person: 'tia' },
    'that has expired': { expires_in: -1 },
    'that never expires': { claims: { exp: null } },
    'that is not valid yet': { valid_in: 3600 },
    'with a wrong signature': { signed_with: 'stranger' },
    'without a signature': { signed_with: 'nothing' },
    'that is signed with the public key': { signed_with: 'hmac' },
    'with an unknown key': { header: { kid: 'unknown' } },
})) {
    test(`a token ${name} is refused`, async () => {
        assert.equal((await send(await tenant.token('uma', forgery))).status, 401);
    });
}

test('a token without the scope is not enough', async () => {
    const token = await tenant.token('uma', { claims: { scp: 'read' } });
    assert.equal((await send(token)).status, 403);
});

test('only administrators delete announcements', async () => {
    const deleteAs = async (person) => {
        return (await send(await tenant.token(person), 'DELETE', '/announcements')).status;
    };
    assert.equal(await deleteAs('ada'), 200);
    assert.equal(await deleteAs('noel'), 403);
    // The next token of Noel has the role.
    await tenant.edit('POST', ['people', 'noel', 'roles', 'Todo API'], 'Admin');
    assert.equal(await deleteAs('noel'), 200);
});

test('a token expires', async () => {
    await tenant.setClock(-2 * 60 * 60);
    assert.equal((await send(await tenant.token())).status, 401);
    await tenant.setClock(0);
    assert.equal((await send(await tenant.token())).status, 200);
});

test('tokens are accepted before and after a key rotation', async () => {
    const before = await tenant.token();
    assert.equal((await send(before)).status, 200);
    await tenant.rotateKeys();
    // Like Entra, the tenant publishes the next key before it signs with it.
    assert.equal((await send(before)).status, 200);
    assert.equal((await send(await tenant.token())).status, 200);
});

test('jose waits half a minute before it reads the keys again', async (t) => {
    // The clock of this process stands still, however slow the machine is.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const newToken = () => tenant.token('uma', { claims: { nbf: null } });
    assert.equal((await send(await newToken())).status, 200);
    await tenant.rotateKeys();
    await tenant.rotateKeys();
    const token = await newToken();
    assert.equal((await send(token)).status, 401);
    t.mock.timers.setTime(Date.now() + 31_000);
    assert.equal((await send(token)).status, 200);
});

test('the API survives an outage of Entra once it has the keys', async () => {
    const token = await tenant.token();
    await tenant.fail('keys', { status: 503, times: 1 });
    assert.equal((await send(token)).status, 503);
    assert.equal((await send(token)).status, 200);
    await tenant.fail('keys', { status: 503 });
    assert.equal((await send(token)).status, 200);
    await tenant.fail('metadata', { status: 503 });
    await assert.rejects(serve, /openid-configuration: 503/);
});

/** Starts the API under test. */
async function serve() {
    const { authority } = tenant;
    const server = await createApi({ authority, clientId: tenant.clientId('Todo API') });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
}

function send(token, method = 'GET', path = '/me') {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    return fetch(`http://127.0.0.1:${api.address().port}${path}`, { method, headers });
}
