// Shared by the scripts: settings, the rows of flows, and calls of the API with the tokens.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { ONE_FLOW, ONE_WAIT, WHOLE_SCRIPT } from '../../browser/limits.mjs';

export { tools } from '../../tools/require.mjs';

/** The environment. Every variable that a script reads must be set. */
export const settings = new Proxy(process.env, {
    get(environment, name) {
        assert.ok(environment[name], `${String(name)} is not in the environment`);
        return environment[name];
    },
});

/**
 * Runs `rows`, which map the name of a flow to its steps, calls `close`, and ends the process. A
 * row that returns a reason is skipped.
 */
export async function run(library, version, rows, close = async () => {}) {
    console.log(`version: ${library} ${version}`);
    const end = Date.now() + WHOLE_SCRIPT;
    let failed = false;
    for (const [flow, steps] of Object.entries(rows)) {
        try {
            const reason = await within(Math.min(ONE_FLOW, end - Date.now()), steps);
            console.log(reason ? `skipped: ${flow}: ${reason}` : `ok: ${flow}`);
        } catch (error) {
            failed = true;
            const cause = error.cause?.message ? ` (${error.cause.message})` : '';
            console.error(`FAILED: ${flow}: ${error.message}${cause}`);
            console.error(error);
        }
    }
    await within(ONE_WAIT, close);
    // A library may keep a socket open.
    process.exit(failed ? 1 : 0);
}

async function within(limit, steps) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not done after ${limit} ms`)), limit);
    });
    try {
        return await Promise.race([steps(), late]);
    } finally {
        clearTimeout(timer);
    }
}

export async function assertApiTakes(token) {
    assert.equal(await statusFor(token), 200, 'the status of the API');
}

/** The API knows the app, but the token has no scope of a user. */
export async function assertApiForbids(token) {
    assert.equal(await statusFor(token), 403, 'the status of the API');
}

/** The token is for another API, or it is bound to a key. */
export async function assertApiRefuses(token) {
    assert.equal(await statusFor(token), 401, 'the status of the API');
}

async function statusFor(token) {
    const response = await fetch(new URL('/todoitems', settings.API_URL), {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(ONE_WAIT),
    });
    return response.status;
}

/** The claims of a token, without verifying it. */
export function unverifiedClaims(token) {
    return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
}

/** On-behalf-of gives a token for the downstream API and the same person. */
export function assertIsDownstream(token, original) {
    const [claims, before] = [token, original].map(unverifiedClaims);
    assert.equal(`api://${claims.aud}/${claims.scp}`, settings.DOWNSTREAM_SCOPE);
    assert.equal(claims.oid, before.oid, 'the person');
    assert.equal(claims.azp, settings.API_CLIENT_ID, 'the app that asked');
}

/** A redirect URI on a port where nothing listens: the visitor stops before it. */
export async function redirectTo(path) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return `http://localhost:${port}${path}`;
}
