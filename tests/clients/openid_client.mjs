// Tests the development tenant with npm openid-client, a certified relying party. It verifies the
// whole ID token, including its signature, while the MSAL libraries verify only the nonce.
//
//     node tests/clients/openid_client.mjs
//
// Needs `make tools`, and the environment that tests/todo_api/support/entra_clients.rs sets. Prints
// a line for each flow that passed, and exits with 1 if a flow failed.

import assert from 'node:assert/strict';
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ONE_WAIT } from '../browser/limits.mjs';
import {
    assertApiForbids, assertApiRefuses, assertApiTakes, assertIsDownstream, redirectTo, run,
    settings, tools,
} from './lib/matrix.mjs';
import { ADA, CONSENT, PICK, UMA, Visitor, answerIn } from './lib/visitor.mjs';

const client = tools('openid-client');
const { version } = tools('openid-client/package.json');

const SCOPE = `openid profile offline_access ${settings.API_SCOPE}`;
const OWN_SCOPE = `api://${settings.API_CLIENT_ID}/.default`;
const DESKTOP = [settings.DESKTOP_CLIENT_ID, client.None(), '/'];
const WEB = [
    settings.WEB_CLIENT_ID, client.ClientSecretPost(settings.WEB_SECRET), '/auth/callback',
];

/** An app whose redirect URI is registered with another port. */
const PORTED = [settings.PORT_CLIENT_ID, client.None(), '/'];

/** An app that needs people's consent. */
const ASKING_SITE = [
    settings.CONSENT_CLIENT_ID, client.ClientSecretPost(settings.CONSENT_SECRET), '/auth/callback',
];

async function discover(clientId, authentication, tenant = settings.TENANT_HTTPS) {
    const execute = [client.enableNonRepudiationChecks];
    if (new URL(tenant).protocol === 'http:') execute.push(client.allowInsecureRequests);
    const issuer = new URL(`${tenant}/${settings.TENANT_ID}/v2.0`);
    const options = { execute, timeout: ONE_WAIT / 1_000 };
    return client.discovery(issuer, clientId, undefined, authentication, options);
}

/** Signs somebody in with a code, PKCE, state and nonce. Returns the tokens and the context. */
async function signIn([clientId, authentication, path], options = {}) {
    const { visitor = new Visitor(), tenant, mode = 'query', scope = SCOPE, ...rest } = options;
    const config = await discover(clientId, authentication, tenant);
    const verifier = client.randomPKCECodeVerifier();
    const checks = {
        pkceCodeVerifier: verifier,
        expectedState: client.randomState(),
        expectedNonce: client.randomNonce(),
        idTokenExpected: true,
    };
    const redirectUri = await redirectTo(path);
    const url = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state: checks.expectedState,
        nonce: checks.expectedNonce,
        ...(mode !== 'query' && { response_mode: mode }),
        ...rest,
    });
    const back = await visitor.visit(url, redirectUri);
    assert.equal(answerIn(back).mode, mode);
    const tokens = await client.authorizationCodeGrant(config, asReceived(back), checks);
    return { config, tokens, visitor };
}

/** The response in the form in which the app gets it at its redirect URI. */
function asReceived({ url, form }) {
    if (form) return new Request(url, { method: 'POST', body: form });
    // A script in the app's page has to read it from the fragment.
    if (url.hash) return new URL(`?${url.hash.slice(1)}`, url);
    return url;
}

async function assertIsAda(tokens) {
    await assertIs(ADA, tokens);
}

async function assertIs(username, tokens) {
    const claims = tokens.claims();
    assert.equal(claims.preferred_username, username);
    assert.equal(claims.tid, settings.TENANT_ID);
    await assertApiTakes(tokens.access_token);
}

/** With only the hint, she would not be asked: see the row `login_hint`. */
async function assertIsAskedAgain(prompt) {
    const { visitor } = await signIn(WEB);
    const { tokens } = await signIn(WEB, { visitor, login_hint: ADA, prompt });
    await assertIsAda(tokens);
    assert.deepEqual(visitor.pages, [PICK]);
}

/** Gets an app-only token with the daemon's secret or key. */
async function clientCredentials(authentication) {
    const config = await discover(settings.DAEMON_CLIENT_ID, authentication);
    const { access_token: token } =
        await client.clientCredentialsGrant(config, { scope: OWN_SCOPE });
    await assertApiForbids(token);
}

/** An assertion as Entra requires it: it identifies the certificate by its thumbprint. */
async function certificate() {
    const { raw } = new X509Certificate(readFileSync(settings.DAEMON_CERT));
    const { token_endpoint: audience } =
        (await discover(settings.DAEMON_CLIENT_ID, client.None())).serverMetadata();
    const pkcs8 = createPrivateKey(readFileSync(settings.DAEMON_KEY));
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey(
        'pkcs8', pkcs8.export({ format: 'der', type: 'pkcs8' }), algorithm, false, ['sign'],
    );
    return client.PrivateKeyJwt(key, {
        [client.modifyAssertion]: (header, payload) => {
            header.x5t = createHash('sha1').update(raw).digest('base64url');
            payload.aud = audience;
        },
    });
}

const loginRequired = { code: 'OAUTH_AUTHORIZATION_RESPONSE_ERROR', error: 'login_required' };

await run('openid-client', version, {
    'code + PKCE': async () => {
        const { tokens } = await signIn(DESKTOP);
        await assertIsAda(tokens);
    },
    'code + PKCE over http': async () => {
        const { tokens } = await signIn(DESKTOP, { tenant: settings.TENANT_HTTP });
        await assertIsAda(tokens);
    },
    'code + secret': async () => {
        const { tokens } = await signIn(WEB);
        await assertIsAda(tokens);
    },
    'any loopback port': async () => {
        for (let ports = 0; ports < 2; ports += 1) {
            const { tokens } = await signIn(PORTED);
            await assertIsAda(tokens);
        }
    },
    'query': async () => {
        const { tokens } = await signIn(WEB, { response_mode: 'query' });
        await assertIsAda(tokens);
    },
    'form_post': async () => {
        const { tokens } = await signIn(WEB, { mode: 'form_post' });
        await assertIsAda(tokens);
    },
    'fragment': async () => {
        const { tokens } = await signIn(WEB, { mode: 'fragment' });
        await assertIsAda(tokens);
    },
    'refresh': async () => {
        const { config, tokens } = await signIn(DESKTOP);
        let last = tokens;
        for (let times = 0; times < 2; times += 1) {
            const renewed =
                await client.refreshTokenGrant(config, last.refresh_token, { scope: SCOPE });
            assert.notEqual(renewed.refresh_token, last.refresh_token);
            assert.notEqual(renewed.access_token, last.access_token);
            assert.equal(renewed.claims().sub, tokens.claims().sub);
            await assertIsAda(renewed);
            last = renewed;
        }
    },
    'prompt=none': async () => {
        const { visitor } = await signIn(WEB);
        const { tokens } = await signIn(WEB, { visitor, prompt: 'none' });
        await assertIsAda(tokens);
        await assert.rejects(signIn(WEB, { prompt: 'none' }), loginRequired);
    },
    'prompt=login': () => assertIsAskedAgain('login'),
    'prompt=select_account': () => assertIsAskedAgain('select_account'),
    'prompt=consent': async () => {
        const visitor = new Visitor();
        for (const [parameters, pages] of [
            [{}, [PICK, CONSENT]],
            [{}, [PICK]],
            [{ prompt: 'consent' }, [PICK, CONSENT]],
        ]) {
            const { tokens } = await signIn(ASKING_SITE, { visitor, ...parameters });
            await assertIsAda(tokens);
            assert.deepEqual(visitor.pages, pages);
        }
    },
    'login_hint': async () => {
        const visitor = new Visitor(null);
        await assertIs(UMA, (await signIn(WEB, { visitor, login_hint: UMA })).tokens);
        assert.deepEqual(visitor.pages, [PICK]);
        // A person who is signed in is not asked again.
        await assertIs(UMA, (await signIn(WEB, { visitor, login_hint: UMA })).tokens);
        assert.deepEqual(visitor.pages, []);
    },
    'logout': async () => {
        const { config, tokens, visitor } = await signIn(WEB);
        const redirectUri = await redirectTo('/auth/callback');
        const state = client.randomState();
        const url = client.buildEndSessionUrl(config, {
            id_token_hint: tokens.id_token,
            post_logout_redirect_uri: redirectUri,
            state,
        });
        const { url: back } = await visitor.visit(url, redirectUri);
        assert.equal(back.searchParams.get('state'), state);
        await assert.rejects(signIn(WEB, { visitor, prompt: 'none' }), loginRequired);
    },
    'client secret': async () => {
        await clientCredentials(client.ClientSecretPost(settings.DAEMON_SECRET));
    },
    'client_secret_basic': async () => {
        await clientCredentials(client.ClientSecretBasic(settings.DAEMON_SECRET));
    },
    'certificate': async () => {
        await clientCredentials(await certificate());
    },
    'device code': async () => {
        const config = await discover(settings.DESKTOP_CLIENT_ID, client.None());
        const device = await client.initiateDeviceAuthorization(config, { scope: SCOPE });
        await new Visitor().approve(device.verification_uri, device.user_code);
        await assertIsAda(await client.pollDeviceAuthorizationGrant(config, device));
    },
    'on-behalf-of': async () => {
        const { tokens: { access_token: assertion } } = await signIn(DESKTOP);
        const api = client.ClientSecretPost(settings.API_SECRET);
        const { access_token: token } = await client.genericGrantRequest(
            await discover(settings.API_CLIENT_ID, api),
            'urn:ietf:params:oauth:grant-type:jwt-bearer',
            { assertion, requested_token_use: 'on_behalf_of', scope: settings.DOWNSTREAM_SCOPE },
        );
        assertIsDownstream(token, assertion);
        await assertApiRefuses(token);
    },
    'userinfo': async () => {
        const { config, tokens } = await signIn(WEB, { scope: 'openid profile' });
        if (!config.serverMetadata().userinfo_endpoint) return 'it is not in the metadata';
        const { sub } = tokens.claims();
        const person = await client.fetchUserInfo(config, tokens.access_token, sub);
        assert.equal(person.sub, sub);
        return undefined;
    },
});
