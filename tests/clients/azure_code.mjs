// Code for Azure with the development tenant: managed identities and client assertions of another
// issuer, with npm @azure/msal-node.
//
//     node tests/clients/azure_code.mjs
//
// Needs `make tools`, and the environment that tests/todo_api/azure_code.rs sets. Prints a line for
// each row that passed, and exits with 1 if a row failed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ONE_WAIT } from '../browser/limits.mjs';
import { run, settings, tools, unverifiedClaims } from './lib/matrix.mjs';

const { ConfidentialClientApplication, ManagedIdentityApplication } = tools('@azure/msal-node');
const { version } = tools('@azure/msal-node/package.json');

const resource = `api://${settings.API_CLIENT_ID}`;
const { SYSTEM_CLIENT_ID: SYSTEM, USER_CLIENT_ID: USER, DEPLOYER_CLIENT_ID: DEPLOYER } = settings;

/** The API that admits apps takes the token. */
async function assertRecorded(token, clientId) {
    const claims = unverifiedClaims(token);
    assert.deepEqual([claims.azp, claims.azpacr], [clientId, '2']);
    const response = await fetch(new URL('/runs', settings.STANDALONE_API_URL), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ summary: `by ${clientId}` }),
        signal: AbortSignal.timeout(ONE_WAIT),
    });
    assert.equal(response.status, 200, await response.text());
}

/** The token of the identity with these ids; without ids, of the system-assigned one. */
async function tokenOf(managedIdentityIdParams) {
    const app = new ManagedIdentityApplication({
        managedIdentityIdParams,
        system: { disableInternalRetries: true },
    });
    // The cache is shared by all apps of the process.
    const { accessToken } = await app.acquireToken({ resource, forceRefresh: true });
    return accessToken;
}

async function identities() {
    await assertRecorded(await tokenOf(), SYSTEM);
    const token = await tokenOf({ userAssignedClientId: USER });
    await assertRecorded(token, USER);
    for (const ids of [
        { userAssignedObjectId: unverifiedClaims(token).oid },
        { userAssignedResourceId: settings.USER_RESOURCE_ID },
    ]) {
        await assertRecorded(await tokenOf(ids), USER);
    }
}

await run('@azure/msal-node', version, {
    'managed identity': async () => {
        await identities();
        await assert.rejects(
            tokenOf({ userAssignedClientId: DEPLOYER }),
            /No Managed Identity found/,
        );
    },
    'IMDS': async () => {
        const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header } = process.env;
        delete process.env.IDENTITY_ENDPOINT;
        delete process.env.IDENTITY_HEADER;
        try {
            // The library finds out where it runs only once.
            await identities();
        } finally {
            Object.assign(process.env, { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header });
        }
    },
    'client assertion': async () => {
        const app = new ConfidentialClientApplication({
            auth: {
                authority: `${settings.TENANT_HTTPS}/${settings.TENANT_ID}`,
                // Otherwise it asks Microsoft whether this host is one of theirs.
                knownAuthorities: [new URL(settings.TENANT_HTTPS).host],
                clientId: DEPLOYER,
                clientAssertion: async () => readFileSync(settings.FOREIGN_TOKEN_FILE, 'ascii'),
            },
        });
        const scopes = [`${resource}/.default`];
        const { accessToken } = await app.acquireTokenByClientCredential({ scopes });
        await assertRecorded(accessToken, DEPLOYER);
    },
});
