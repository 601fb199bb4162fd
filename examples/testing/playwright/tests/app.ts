// The app under test, which is in ../../spa, and its API.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Tenant } from './entra-dev.ts';

const repository = join(import.meta.dirname, '../../../..');
const spa = join(repository, 'examples/spa');
const { TODO_API = join(repository, 'target/debug/todo-api') } = process.env;

export interface App {
    url: string;
    apiUrl: string;
    stop: () => Promise<void>;
}

/** Starts the app and the API with this tenant. They write into the folder. */
export async function startApp(tenant: Tenant, folder: string): Promise<App> {
    await mkdir(folder, { recursive: true });
    const apiUrl = `http://localhost:${await freePort()}`;
    const app = await serveSpa(tenant, apiUrl, join(folder, 'spa'));
    const api = await startApi(tenant, apiUrl, app.url, folder);
    const stop = async () => {
        await Promise.all([api.stop(), app.stop()]);
    };
    return { url: app.url, apiUrl, stop };
}

/** Builds the single-page app into this folder and serves it. */
async function serveSpa(tenant: Tenant, apiUrl: string, outDir: string) {
    Object.assign(process.env, {
        VITE_API_URL: apiUrl,
        VITE_API_SCOPE: `api://${tenant.clientId('Todo API')}/access_as_user`,
        VITE_AUTHORITY: tenant.authority,
        VITE_CLIENT_ID: tenant.clientId('Single-page app'),
    });
    const vite = createRequire(join(spa, 'package.json'))('vite');
    const options = { root: spa, logLevel: 'warn', build: { outDir, emptyOutDir: true } };
    await vite.build(options);
    const server = await vite.preview({ ...options, preview: { port: 0 } });
    const { port } = server.httpServer.address() as AddressInfo;
    return { url: `http://localhost:${port}`, stop: (): Promise<void> => server.close() };
}

async function startApi(tenant: Tenant, url: string, origin: string, folder: string) {
    const api = spawn(TODO_API, ['serve'], {
        cwd: folder,
        env: {
            AAD_INSTANCE: tenant.instance,
            AAD_TENANT_ID: tenant.id,
            API_CLIENT_ID: tenant.clientId('Todo API'),
            SWAGGER_UI_CLIENT_ID: tenant.clientId('Todo API - Swagger UI'),
            PORT: new URL(url).port,
            CORS_ORIGINS: origin,
            DRAIN_TIMEOUT: '1',
        },
    });
    // Also if the run is aborted.
    process.once('exit', () => api.kill('SIGKILL'));
    await once(api, 'spawn').catch((error) => {
        if (error.code !== 'ENOENT') throw error;
        throw new Error(`${TODO_API} does not exist. Run "cargo build", or set TODO_API.`);
    });
    const ended = once(api, 'close');
    let log = '';
    for (const output of [api.stdout, api.stderr]) output.on('data', (chunk) => { log += chunk; });
    while (!await fetch(`${url}/health/ready`).then(({ ok }) => ok, () => false)) {
        if (api.exitCode !== null) throw new Error(`the API has ended:\n${log}`);
        await setTimeout(50);
    }
    const stop = async () => {
        api.kill();
        await ended;
    };
    return { stop };
}

async function freePort(): Promise<number> {
    const server = createServer().listen(0, 'localhost');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
}
