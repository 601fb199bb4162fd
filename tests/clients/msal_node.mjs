// Tests the development tenant with npm @azure/msal-node.
//
//     node tests/clients/msal_node.mjs
//
// Needs `make tools`, and the environment that tests/todo_api/support/entra_clients.rs sets. Prints
// a line for each flow that passed, and exits with 1 if a flow failed.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
    assertApiForbids, assertApiRefuses, assertApiTakes, assertIsDownstream, redirectTo, run,
    settings, tools,
} from './lib/matrix.mjs';
import { ADA, CONSENT, PICK, UMA, Visitor, answerIn } from './lib/visitor.mjs';

const {
    ConfidentialClientApplication, CryptoProvider, PublicClientApplication,
} = tools('@azure/msal-node');
const { version } = tools('@azure/msal-node/package.json');

const scopes = [settings.API_SCOPE];
const ownScopes = [`api://${settings.API_CLIENT_ID}/.default`];
const authority = {
    authority: `${settings.TENANT_HTTPS}/${settings.TENANT_ID}`,
    // Otherwise it asks Microsoft whether this host is one of theirs.
    knownAuthorities: [new URL(settings.TENANT_HTTPS).host],
};

const desktop = (clientId = settings.DESKTOP_CLIENT_ID) => new PublicClientApplication({
    auth: { ...authority, clientId },
});
const confidential = (clientId, credential) => new ConfidentialClientApplication({
    auth: { ...authority, clientId, ...credential },
});
const web = () => confidential(settings.WEB_CLIENT_ID, { clientSecret: settings.WEB_SECRET });
/** An app that needs people's consent. */
const askingSite = () => confidential(settings.CONSENT_CLIENT_ID, {
    clientSecret: settings.CONSENT_SECRET,
});
/** MSAL requires HTTPS for the authority, but not for the endpoints in the metadata. */
async function desktopOverHttp() {
    const tenant = `${settings.TENANT_HTTP}/${settings.TENANT_ID}`;
    const metadata = await fetch(`${tenant}/v2.0/.well-known/openid-configuration`);
    const authorityMetadata = await metadata.text();
    return new PublicClientApplication({
        auth: { ...authority, clientId: settings.DESKTOP_CLIENT_ID, authorityMetadata },
    });
}

/** Signs somebody in to `app` with an authorization code. Returns the result of the app. */
async function signIn(app, path, options = {}) {
    const { visitor = new Visitor(), responseMode = 'query', ...parameters } = options;
    const crypto = new CryptoProvider();
    const { verifier, challenge } = await crypto.generatePkceCodes();
    const redirectUri = await redirectTo(path);
    const nonce = crypto.createNewGuid();
    const state = crypto.createNewGuid();
    const url = await app.getAuthCodeUrl({
        scopes,
        redirectUri,
        responseMode,
        codeChallenge: challenge,
        codeChallengeMethod: 'S256',
        nonce,
        state,
        ...parameters,
    });
    const { mode, answer } = answerIn(await visitor.visit(url, redirectUri));
    assert.equal(mode, responseMode);
    // MSAL would report only that the code is missing.
    if (answer.has('error')) throw new Error(answer.get('error'));
    return app.acquireTokenByCode(
        { scopes, redirectUri, code: answer.get('code'), codeVerifier: verifier, nonce, state },
        Object.fromEntries(answer),
    );
}

async function assertIsAda(result) {
    await assertIs(ADA, result);
}

async function assertIs(username, { account, accessToken, idTokenClaims }) {
    assert.equal(account.username, username);
    assert.equal(account.tenantId, settings.TENANT_ID);
    assert.equal(account.homeAccountId, `${idTokenClaims.oid}.${settings.TENANT_ID}`);
    await assertApiTakes(accessToken);
}

/** With only the hint, she would not be asked: see the row `login_hint`. */
async function assertIsAskedAgain(prompt) {
    const visitor = new Visitor();
    await assertIsAda(await signIn(desktop(), '', { visitor }));
    await assertIsAda(await signIn(desktop(), '', { visitor, loginHint: ADA, prompt }));
    assert.deepEqual(visitor.pages, [PICK]);
}

await run('@azure/msal-node', version, {
    'interactive': async () => {
        await assertIsAda(await desktop().acquireTokenInteractive({
            scopes,
            openBrowser: async (url) => {
                const { mode } = answerIn(await new Visitor().visitAndReturn(url));
                assert.equal(mode, 'form_post');
            },
        }));
    },
    'code + PKCE': async () => {
        await assertIsAda(await signIn(desktop(), ''));
    },
    'code + PKCE over http': async () => {
        await assertIsAda(await signIn(await desktopOverHttp(), ''));
    },
    'code + secret': async () => {
        await assertIsAda(await signIn(web(), '/auth/callback'));
    },
    'any loopback port': async () => {
        for (let ports = 0; ports < 2; ports += 1) {
            await assertIsAda(await signIn(desktop(settings.PORT_CLIENT_ID), ''));
        }
    },
    'query': async () => {
        await assertIsAda(await signIn(web(), '/auth/callback', { responseMode: 'query' }));
    },
    'form_post': async () => {
        await assertIsAda(await signIn(web(), '/auth/callback', { responseMode: 'form_post' }));
    },
    'fragment': async () => {
        await assertIsAda(await signIn(web(), '/auth/callback', { responseMode: 'fragment' }));
    },
    'silent': async () => {
        const app = desktop();
        const { account, accessToken } = await signIn(app, '');
        const cached = await app.acquireTokenSilent({ account, scopes });
        assert.ok(cached.fromCache);
        assert.equal(cached.accessToken, accessToken);
        await assertIsAda(cached);
    },
    'refresh': async () => {
        const app = desktop();
        const { account } = await signIn(app, '');
        // The second round uses the refresh token from the first.
        for (let times = 0; times < 2; times += 1) {
            const renewed = await app.acquireTokenSilent({ account, scopes, forceRefresh: true });
            assert.ok(!renewed.fromCache);
            await assertIsAda(renewed);
        }
    },
    'prompt=none': async () => {
        const visitor = new Visitor();
        await assert.rejects(signIn(desktop(), '', { visitor, prompt: 'none' }), /login_required/);
        await signIn(desktop(), '', { visitor });
        await assertIsAda(await signIn(desktop(), '', { visitor, prompt: 'none' }));
        assert.deepEqual(visitor.pages, []);
    },
    'prompt=login': () => assertIsAskedAgain('login'),
    'prompt=select_account': () => assertIsAskedAgain('select_account'),
    'prompt=consent': async () => {
        const visitor = new Visitor();
        for (const [prompt, pages] of [
            [undefined, [PICK, CONSENT]],
            [undefined, [PICK]],
            ['consent', [PICK, CONSENT]],
        ]) {
            await assertIsAda(await signIn(askingSite(), '/auth/callback', { visitor, prompt }));
            assert.deepEqual(visitor.pages, pages);
        }
    },
    'login_hint': async () => {
        const visitor = new Visitor(null);
        await assertIs(UMA, await signIn(desktop(), '', { visitor, loginHint: UMA }));
        assert.deepEqual(visitor.pages, [PICK]);
        // A person who is signed in is not asked again.
        await assertIs(UMA, await signIn(desktop(), '', { visitor, loginHint: UMA }));
        assert.deepEqual(visitor.pages, []);
    },
    'client secret': async () => {
        const app = confidential(settings.DAEMON_CLIENT_ID, {
            clientSecret: settings.DAEMON_SECRET,
        });
        const { accessToken } = await app.acquireTokenByClientCredential({ scopes: ownScopes });
        await assertApiForbids(accessToken);
    },
    'certificate': async () => {
        const certificate = new X509Certificate(readFileSync(settings.DAEMON_CERT));
        const app = confidential(settings.DAEMON_CLIENT_ID, {
            clientCertificate: {
                thumbprintSha256: certificate.fingerprint256.replaceAll(':', ''),
                privateKey: readFileSync(settings.DAEMON_KEY, 'utf8'),
            },
        });
        const { accessToken } = await app.acquireTokenByClientCredential({ scopes: ownScopes });
        await assertApiForbids(accessToken);
    },
    'device code': async () => {
        await assertIsAda(await new Promise((resolve, reject) => {
            desktop().acquireTokenByDeviceCode({
                scopes,
                // MSAL ignores what this callback returns.
                deviceCodeCallback: ({ verificationUri, userCode }) => {
                    new Visitor().approve(verificationUri, userCode).catch(reject);
                },
            }).then(resolve, reject);
        }));
    },
    'on-behalf-of': async () => {
        const { accessToken } = await signIn(desktop(), '');
        const api = confidential(settings.API_CLIENT_ID, { clientSecret: settings.API_SECRET });
        const downstream = await api.acquireTokenOnBehalfOf({
            oboAssertion: accessToken,
            scopes: [settings.DOWNSTREAM_SCOPE],
        });
        assertIsDownstream(downstream.accessToken, accessToken);
        await assertApiRefuses(downstream.accessToken);
    },
});
