// The development tenant in tests: one process, and an isolated tenant for each test.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { ENTRA_DEV = 'entra-dev', ENTRA_DEV_URL, ENTRA_DEV_CONTROL_TOKEN } = process.env;
// With saved keys, the tenant starts faster.
const folder = join(import.meta.dirname, '../node_modules/.cache/entra-dev');

/**
 * The tenant in ENTRA_DEV_URL, or a new process.
 *
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startEntraDev() {
    if (ENTRA_DEV_URL) return { url: new URL(ENTRA_DEV_URL).origin, stop: async () => {} };
    // Any free ports. If this process is killed, the tenant reads the end of its input.
    const options = ['--port=0', '--https-port=0', '--until-stdin-closes', '--data', folder];
    const child = spawn(ENTRA_DEV, options);
    await once(child, 'spawn').catch((error) => {
        if (error.code !== 'ENOENT') throw error;
        throw new Error(`${ENTRA_DEV} is not installed. Set ENTRA_DEV to the path of entra-dev.`);
    });
    const ended = once(child, 'close');
    let log = '';
    child.stderr.on('data', (chunk) => { log += chunk; });
    // The tenant prints its URLs when it is ready.
    for await (const line of createInterface({ input: child.stdout })) {
        const [, url] = /^ *HTTP +(http:\S+)/.exec(line) ?? [];
        if (!url) continue;
        const stop = async () => {
            child.kill();
            await ended;
        };
        return { url, stop };
    }
    const [status] = await ended;
    throw new Error(`entra-dev ended with status ${status}:\n${log}`);
}

/**
 * Creates a tenant with people, apps, keys, faults and a clock of its own.
 *
 * @param {string} url
 */
export async function createTenant(url) {
    const tenant = new Tenant(await send('POST', `${url}/_dev/tenants`, {}));
    // Access tokens name the URL at which the API reads the keys.
    await tenant.edit('PUT', ['apps', 'Todo API', 'token_issuer'], url);
    return tenant;
}

export class Tenant {
    #controls;
    #apps;

    constructor({ authority, controls, directory }) {
        this.authority = authority;
        this.#controls = controls;
        this.#apps = directory.apps;
    }

    clientId(name) {
        return this.#apps.find((app) => app.name === name).client_id;
    }

    /**
     * An access token of this person for the Todo API, with changes such as
     * `{ claims: { aud: 'another API' } }`, `{ expires_in: -60 }` or `{ signed_with: 'stranger' }`.
     */
    async token(person = 'uma', forgery = {}) {
        const body = { person, ...forgery };
        return (await send('POST', `${this.#controls}/tokens`, body)).access_token;
    }

    /** Signs with the next key. Without an overlap, the old one is withdrawn at once. */
    rotateKeys({ overlap = true } = {}) {
        return send('POST', `${this.#controls}/keys/rotate`, { overlap });
    }

    /** Makes an endpoint fail, such as `keys` with `{ status: 503 }` or `{ latency_ms: 2000 }`. */
    fail(endpoint, plan) {
        return send('PUT', `${this.#controls}/faults/${endpoint}`, plan);
    }

    /** Sets how many seconds the tenant's clock is ahead of this machine's. */
    setClock(offset) {
        return send('PUT', `${this.#controls}/clock`, { offset });
    }

    /** Changes a part of the directory, such as the roles of a person. */
    edit(method, path, value) {
        const segments = ['directory', ...path.map(encodeURIComponent)];
        return send(method, [this.#controls, ...segments].join('/'), value);
    }

    remove() {
        return send('DELETE', this.#controls);
    }
}

async function send(method, url, body) {
    const headers = { 'Content-Type': 'application/json' };
    if (ENTRA_DEV_CONTROL_TOKEN) headers.Authorization = `Bearer ${ENTRA_DEV_CONTROL_TOKEN}`;
    const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
    const text = await response.text();
    // The body of an error says what is wrong with the request.
    if (!response.ok) throw new Error(`${method} ${url}: ${text}`);
    return text && JSON.parse(text);
}
