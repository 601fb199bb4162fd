// Tests that npm @azure/msal-node gets a new token if an API revokes the user.
//
//     node tests/clients/revoked.mjs
//
// Needs `make tools`, and the environment that tests/todo_api/revocation.rs sets. Prints a line for
// each flow that passed, and exits with 1 if a flow failed.

import assert from 'node:assert/strict';
import { ONE_WAIT } from '../browser/limits.mjs';
import { redirectTo, run, settings, tools } from './lib/matrix.mjs';
import { ADA, Visitor, answerIn } from './lib/visitor.mjs';

const { CryptoProvider, PublicClientApplication } = tools('@azure/msal-node');
const { version } = tools('@azure/msal-node/package.json');

const scopes = [settings.API_SCOPE];

const app = (options) => new PublicClientApplication({
    auth: {
        authority: `${settings.TENANT_HTTPS}/${settings.TENANT_ID}`,
        // Otherwise it asks Microsoft whether this host is one of theirs.
        knownAuthorities: [new URL(settings.TENANT_HTTPS).host],
        clientId: settings.DESKTOP_CLIENT_ID,
        ...options,
    },
});

/** Signs a person in. Returns the access token and the account. */
async function signIn(client) {
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
    const redirectUri = await redirectTo('');
    const url = await client.getAuthCodeUrl({
        scopes, redirectUri, codeChallenge: challenge, codeChallengeMethod: 'S256',
    });
    const { answer } = answerIn(await new Visitor().visit(url, redirectUri));
    const code = answer.get('code');
    const { accessToken, account } = await client.acquireTokenByCode({
        scopes, redirectUri, code, codeVerifier: verifier,
    });
    assert.equal(account.username, ADA);
    return { token: accessToken, account };
}

function call(method, path, token) {
    return fetch(new URL(path, settings.API_URL), {
        method,
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(ONE_WAIT),
    });
}

async function assertAccepts(token) {
    assert.equal((await call('GET', '/me', token)).status, 200, 'the status of the API');
}

/** Revokes the caller, and returns the challenge for the old token. */
async function revoke(token) {
    await assertAccepts(token);
    assert.equal((await call('POST', '/revoke', token)).status, 200, 'the status of /revoke');
    const refused = await call('GET', '/me', token);
    assert.equal(refused.status, 401, 'the status of the API');
    return parametersOf(refused.headers.get('www-authenticate'));
}

/** The parameters, as the JavaScript in Microsoft's documentation reads them. */
function parametersOf(header) {
    const parts = header.replace('Bearer ', '').split(',').map((part) => part.split('='));
    return Object.fromEntries(parts.map(([name, value]) => [
        name.trim(), JSON.parse(value),
    ]));
}

await run('@azure/msal-node', version, {
    'with cp1': async () => {
        const client = app({ clientCapabilities: ['CP1'] });
        const { token, account } = await signIn(client);
        const refused = await revoke(token);
        assert.equal(refused.error, 'insufficient_claims');
        const claims = Buffer.from(refused.claims, 'base64').toString();
        assert.equal(JSON.parse(claims).access_token.nbf.essential, true);

        // Without the claims, MSAL returns the revoked token from its cache.
        const cached = await client.acquireTokenSilent({ scopes, account });
        assert.equal(cached.accessToken, token);
        const renewed = await client.acquireTokenSilent({ scopes, account, claims });
        assert.notEqual(renewed.accessToken, token);
        assert.equal(renewed.fromCache, false);
        await assertAccepts(renewed.accessToken);
    },
    'without cp1': async () => {
        const client = app();
        const { token, account } = await signIn(client);
        const refused = await revoke(token);
        assert.equal(refused.error, 'invalid_token');
        assert.equal(refused.claims, undefined);
        const renewed = await client.acquireTokenSilent({ scopes, account, forceRefresh: true });
        await assertAccepts(renewed.accessToken);
    },
});
