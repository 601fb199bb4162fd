// Tests the development tenant with npm @azure/msal-browser, in a page in Chromium.
//
//     node tests/clients/msal_browser.mjs
//
// Needs `make tools`, and the environment that tests/todo_api/support/entra_clients.rs sets.
// CHROMIUM is the path of the browser, if it is not the usual one. Prints a line for each flow that
// passed, and exits with 1 if a flow failed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { launch } from './lib/chromium.mjs';
import { assertApiRefuses, assertApiTakes, run, settings, unverifiedClaims } from './lib/matrix.mjs';
import { serveApp, version } from './lib/spa.mjs';
import { ADA, CONSENT, PICK, UMA } from './lib/visitor.mjs';

const auth = {
    clientId: settings.SPA_CLIENT_ID,
    authority: `${settings.TENANT_HTTPS}/${settings.TENANT_ID}`,
    // Otherwise it asks Microsoft whether this host is one of theirs.
    knownAuthorities: [new URL(settings.TENANT_HTTPS).host],
};
const scopes = [settings.API_SCOPE];

/** The configuration that the app gets when it loads. */
let told = { auth };

const origin = await serveApp(() => told);
const home = `${origin}/`;
const bridge = `${origin}/redirect.html`;

const { browser, close } = await launch(settings.TENANT_HTTPS);

/** Opens the app in a new tab, so that its cache is empty. */
async function openApp(configuration = { auth }) {
    told = configuration;
    const app = await browser.newPage();
    await app.goto(home);
    assert.equal(await app.evaluate(() => returned), null);
    return app;
}

/** Calls a function of MSAL. Returns its result, or throws why it failed. */
function call(app, name, request) {
    return app.evaluate(
        ([name, request]) => app[name](request).catch(({ errorCode, message }) => {
            throw new Error(`${name}: ${errorCode}: ${message}`);
        }),
        [name, request],
    );
}

async function pickAda(page) {
    await page.getByRole('button', { name: ADA }).click();
}

/** Makes this browser forget everybody who has signed in. */
async function forgetEverybody() {
    await browser.clearCookies();
}

/** Signs Ada in by redirect, in a browser where nobody is signed in. */
async function signIn(configuration) {
    await forgetEverybody();
    const app = await openApp(configuration);
    const result = await redirect(app, {}, [PICK]);
    return { app, result };
}

/**
 * Signs in by redirect, which must show these pages. Calls `press` on each of them. Returns the
 * result that the app got.
 */
async function redirect(app, parameters, pages, press = pickOrAccept) {
    const isBack = (frame) => new URL(frame.url()).origin === origin;
    const back = app.waitForEvent('framenavigated', isBack);
    await leave(app, 'loginRedirect', { scopes, redirectUri: home, ...parameters });
    for (const name of pages) {
        await app.getByRole('heading', { name }).waitFor();
        await press(app, name);
    }
    await back;
    await app.waitForLoadState();
    return app.evaluate(() => returned);
}

async function pickOrAccept(page, heading) {
    if (heading === PICK) await pickAda(page);
    else await page.getByRole('button', { name: 'Accept' }).click();
}

/** Signs Ada in by redirect, and checks the result. */
async function redirectAda(configuration) {
    const { result } = await signIn(configuration);
    await assertIsAda(result);
}

/** Signs Ada in with a pop-up, in a browser where nobody is signed in, and checks the result. */
async function popupAda(configuration) {
    await forgetEverybody();
    const app = await openApp(configuration);
    const opened = browser.waitForEvent('page');
    const result = call(app, 'loginPopup', { scopes, redirectUri: bridge });
    await Promise.race([opened.then(pickAda), result]);
    await assertIsAda(await result);
}

/** With only the hint, she would not be asked: see the row `login_hint`. */
async function assertIsAskedAgain(prompt) {
    await signIn();
    await assertIsAda(await redirect(await openApp(), { loginHint: ADA, prompt }, [PICK]));
}

/** The first URL that the browser requests from the tenant while `steps` sign Ada in. */
async function askedDuring(steps) {
    const isAsked = (request) => new URL(request.url()).pathname.endsWith('/authorize');
    const asked = browser.waitForEvent('request', isAsked);
    const [request] = await Promise.all([asked, steps]);
    return new URL(request.url());
}

/** Like `call`, for functions that leave the page. */
async function leave(app, name, request) {
    await app.evaluate(([name, request]) => { app[name](request); }, [name, request]);
}

async function assertIsAda(result) {
    await assertIs(ADA, result);
}

async function assertIs(username, { account, accessToken }) {
    assert.equal(account.username, username);
    assert.equal(account.tenantId, settings.TENANT_ID);
    await assertApiTakes(accessToken);
}

/** Signs Ada in without showing a page, in a new tab that has no account yet. */
async function ssoSilent() {
    const request = { scopes, loginHint: ADA, redirectUri: bridge };
    return call(await openApp(), 'ssoSilent', request);
}

/** The tenant has no session in this browser. */
async function assertNobodyIsSignedIn() {
    await assert.rejects(ssoSilent(), /login_required/);
}

await run('@azure/msal-browser', version, {
    'redirect': () => redirectAda(),
    'popup': () => popupAda(),
    'code + PKCE': async () => {
        const { searchParams } = await askedDuring(redirectAda());
        assert.equal(searchParams.get('code_challenge_method'), 'S256');
    },
    'code + PKCE over http': async () => {
        const tenant = `${settings.TENANT_HTTP}/${settings.TENANT_ID}`;
        const metadata = await fetch(`${tenant}/v2.0/.well-known/openid-configuration`);
        // MSAL requires HTTPS for the authority, but not for the endpoints in the metadata.
        const authorityMetadata = await metadata.text();
        const { href } =
            await askedDuring(redirectAda({ auth: { ...auth, authorityMetadata } }));
        assert.ok(href.startsWith(`${tenant}/`), href);
    },
    'any loopback port': () => popupAda({
        auth: { ...auth, clientId: settings.PORT_CLIENT_ID },
    }),
    'query': async () => {
        const { searchParams } = await askedDuring(popupAda({
            auth: {
                ...auth,
                authority: `${auth.authority}/v2.0`,
                OIDCOptions: { responseMode: 'query' },
            },
            // Only with this does MSAL let an app choose the response mode.
            system: { protocolMode: 'OIDC' },
        }));
        assert.equal(searchParams.get('response_mode'), 'query');
    },
    'fragment': async () => {
        const { searchParams } = await askedDuring(redirectAda());
        assert.equal(searchParams.get('response_mode'), 'fragment');
    },
    'silent': async () => {
        const { app, result: { account, accessToken } } = await signIn();
        const cached = await call(app, 'acquireTokenSilent', { account, scopes });
        assert.ok(cached.fromCache);
        assert.equal(cached.accessToken, accessToken);
        await assertIsAda(cached);
    },
    'refresh': async () => {
        const { app, result: { account } } = await signIn();
        // If the refresh token is refused, MSAL tries a hidden frame. That must not help here.
        await forgetEverybody();
        const request = { account, scopes, forceRefresh: true };
        // The second round uses the refresh token from the first.
        for (let times = 0; times < 2; times += 1) {
            const renewed = await call(app, 'acquireTokenSilent', request);
            assert.ok(!renewed.fromCache);
            await assertIsAda(renewed);
        }
    },
    'proof of possession': async () => {
        const { app, result: { account } } = await signIn();
        const bound = await call(app, 'acquireTokenSilent', {
            account,
            scopes,
            authenticationScheme: 'pop',
            resourceRequestMethod: 'GET',
            resourceRequestUri: `${settings.API_URL}/todoitems`,
        });
        assert.equal(bound.tokenType, 'pop');
        // MSAL signs a token that contains the access token and the public key.
        const { at, cnf: { jwk } } = unverifiedClaims(bound.accessToken);
        const members = JSON.stringify({ e: jwk.e, kty: jwk.kty, n: jwk.n });
        const thumbprint = createHash('sha256').update(members).digest('base64url');
        assert.deepEqual(unverifiedClaims(at).cnf, { kid: thumbprint });
        for (const token of [at, bound.accessToken]) await assertApiRefuses(token);
    },
    'sso silent': async () => {
        await signIn();
        await assertIsAda(await ssoSilent());
    },
    'prompt=none': async () => {
        await forgetEverybody();
        await assertNobodyIsSignedIn();
        await signIn();
        const result = ssoSilent();
        const { searchParams } = await askedDuring(result);
        assert.equal(searchParams.get('prompt'), 'none');
        await assertIsAda(await result);
    },
    'prompt=login': () => assertIsAskedAgain('login'),
    'prompt=select_account': () => assertIsAskedAgain('select_account'),
    'prompt=consent': async () => {
        await forgetEverybody();
        const configuration = { auth: { ...auth, clientId: settings.CONSENT_CLIENT_ID } };
        for (const [parameters, pages] of [
            [{}, [PICK, CONSENT]],
            [{}, [PICK]],
            [{ prompt: 'consent' }, [PICK, CONSENT]],
        ]) {
            const app = await openApp(configuration);
            await assertIsAda(await redirect(app, parameters, pages));
        }
    },
    'login_hint': async () => {
        await forgetEverybody();
        // A key that is pressed before the page has focused the hinted person does nothing.
        const pressEnter = async (page) => {
            await page.locator('button:focus').waitFor();
            await page.keyboard.press('Enter');
        };
        const loginHint = UMA;
        await assertIs(UMA, await redirect(await openApp(), { loginHint }, [PICK], pressEnter));
        // A person who is signed in is not asked again.
        await assertIs(UMA, await redirect(await openApp(), { loginHint }, []));
    },
    'logout': async () => {
        const { app, result: { account } } = await signIn();
        const isBack = (frame) => new URL(frame.url()).origin === origin;
        const back = app.waitForEvent('framenavigated', isBack);
        await leave(app, 'logoutRedirect', { account, postLogoutRedirectUri: home });
        await back;
        await assertNobodyIsSignedIn();
    },
    'logout popup': async () => {
        const { app, result: { account } } = await signIn();
        await call(app, 'logoutPopup', { account, postLogoutRedirectUri: bridge });
        await assertNobodyIsSignedIn();
    },
}, close);
