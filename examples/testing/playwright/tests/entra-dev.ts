// The development tenant in tests: one process, and an isolated tenant for each worker.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { ENTRA_DEV = 'entra-dev', ENTRA_DEV_URL, ENTRA_DEV_CONTROL_TOKEN } = process.env;
// With saved keys, the tenant starts faster.
const folder = join(import.meta.dirname, '../node_modules/.cache/entra-dev');

export interface EntraDev {
    url: string;
    stop: () => Promise<void>;
}

/** The tenant in ENTRA_DEV_URL, or a new process. */
export async function startEntraDev(): Promise<EntraDev> {
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
        const url = /^ *HTTP +(http:\S+)/.exec(line)?.[1];
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

/** Creates a tenant with people, apps, keys, faults and a clock of its own. */
export async function createTenant(url: string): Promise<Tenant> {
    const tenant = new Tenant(url, await send('POST', `${url}/_dev/tenants`, {}));
    await tenant.reset();
    return tenant;
}

interface Created {
    id: string;
    authority: string;
    controls: string;
    directory: { apps: { name: string; client_id: string }[] };
}

export class Tenant {
    readonly instance: string;
    readonly id: string;
    readonly authority: string;
    readonly #controls: string;
    readonly #clientIds: Map<string, string>;

    constructor(instance: string, { id, authority, controls, directory }: Created) {
        this.instance = instance;
        this.id = id;
        this.authority = authority;
        this.#controls = controls;
        this.#clientIds = new Map(directory.apps.map((app) => [app.name, app.client_id]));
    }

    clientId(app: string): string {
        const clientId = this.#clientIds.get(app);
        if (!clientId) throw new Error(`there is no app ${app}`);
        return clientId;
    }

    /** An access token of this person for the Todo API, without a browser. */
    async token(person: string): Promise<string> {
        return (await send('POST', `${this.#controls}/tokens`, { person })).access_token;
    }

    /** Makes an endpoint fail, such as `token` with `{ status: 503 }` or `{ latency_ms: 2000 }`. */
    async fail(endpoint: string, plan: object): Promise<void> {
        await send('PUT', `${this.#controls}/faults/${endpoint}`, plan);
    }

    /** Changes a part of the directory, such as the settings of an app. */
    async edit(method: string, path: string[], value?: unknown): Promise<void> {
        const segments = ['directory', ...path.map(encodeURIComponent)];
        await send(method, [this.#controls, ...segments].join('/'), value);
    }

    /** Undoes what a test has changed. */
    async reset(): Promise<void> {
        await send('DELETE', `${this.#controls}/faults`);
        await this.edit('POST', ['reset'], {});
        // Access tokens name the URL at which the API reads the keys.
        await this.edit('PUT', ['apps', 'Todo API', 'token_issuer'], this.instance);
    }

    async remove(): Promise<void> {
        await send('DELETE', this.#controls);
    }
}

async function send(method: string, url: string, body?: unknown) {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (ENTRA_DEV_CONTROL_TOKEN) headers.Authorization = `Bearer ${ENTRA_DEV_CONTROL_TOKEN}`;
    const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
    const text = await response.text();
    // The body of an error says what is wrong with the request.
    if (!response.ok) throw new Error(`${method} ${url}: ${text}`);
    return JSON.parse(text || 'null');
}
