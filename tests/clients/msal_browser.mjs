// The development tenant as npm @azure/msal-browser sees it, in a page of its own in Chromium.
//
//     node tests/clients/msal_browser.mjs
//
// Needs `make tools`, and the environment that tests/todo_api/clients.rs gives it; CHROMIUM is the
// browser's path where it is not the usual one. Prints a line for each flow that passed, and exits
// with 1 where one did not.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { launch } from './lib/chromium.mjs';
import { assertApiTakes, run, settings, tools } from './lib/matrix.mjs';
import { ADA } from './lib/visitor.mjs';

const ONE_WAIT = 10_000;

const library = dirname(tools.resolve('@azure/msal-browser/package.json'));
const { version } = tools('@azure/msal-browser/package.json');

const page = (name) => join(import.meta.dirname, 'spa', name);
const files = {
    '/': page('index.html'),
    '/app.js': page('app.js'),
    '/redirect.html': page('redirect.html'),
    '/redirect.js': page('redirect.js'),
    '/msal-browser.js': join(library, 'lib/msal-browser.min.js'),
    '/msal-redirect-bridge.js': join(library, 'lib/redirect-bridge/msal-redirect-bridge.min.js'),
};
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };
const auth = {
    clientId: settings.SPA_CLIENT_ID,
    authority: `${settings.TENANT_HTTPS}/${settings.TENANT_ID}`,
    // Or it would ask Microsoft whether this host is one of theirs.
    knownAuthorities: [new URL(settings.TENANT_HTTPS).host],
};
const scopes = [settings.API_SCOPE];

const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    if (pathname === '/auth.json') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(auth));
    } else if (files[pathname]) {
        response.setHeader('content-type', types[extname(files[pathname])]);
        response.end(await readFile(files[pathname]));
    } else {
        response.writeHead(404).end();
    }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://localhost:${server.address().port}`;
const home = `${origin}/`;
const bridge = `${origin}/redirect.html`;

const { browser, close } = await launch(settings.TENANT_HTTPS);
browser.setDefaultTimeout(ONE_WAIT);

/** The app in a tab of its own, and so with an empty cache. */
async function openApp() {
    const app = await browser.newPage();
    await app.goto(home);
    assert.equal(await app.evaluate(() => returned), null);
    return app;
}

/** Calls a function of MSAL; what it gives, or why it fails. */
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

/** As if nobody had ever signed in in this browser. */
async function forgetEverybody() {
    await browser.clearCookies();
}

/** Ada signs in by redirect, where nobody had before. */
async function signIn() {
    await forgetEverybody();
    const app = await openApp();
    await leave(app, 'loginRedirect', { scopes, redirectUri: home });
    await pickAda(app);
    await app.waitForURL(home);
    const result = await app.evaluate(() => returned);
    return { app, result };
}

/** As `call`, for what leaves the page. */
async function leave(app, name, request) {
    await app.evaluate(([name, request]) => { app[name](request); }, [name, request]);
}

async function assertIsAda({ account, accessToken }) {
    assert.equal(account.username, ADA);
    assert.equal(account.tenantId, settings.TENANT_ID);
    await assertApiTakes(accessToken);
}

/** The tenant remembers nobody in this browser. */
async function assertNobodyIsSignedIn() {
    const app = await openApp();
    const request = { scopes, loginHint: ADA, redirectUri: bridge };
    await assert.rejects(call(app, 'ssoSilent', request), /login_required/);
}

await run('@azure/msal-browser', version, {
    'redirect': async () => {
        const { result } = await signIn();
        await assertIsAda(result);
    },
    'popup': async () => {
        await forgetEverybody();
        const app = await openApp();
        const opened = browser.waitForEvent('page');
        const result = call(app, 'loginPopup', { scopes, redirectUri: bridge });
        await Promise.race([opened.then(pickAda), result]);
        await assertIsAda(await result);
    },
    'silent': async () => {
        const { app, result: { account, accessToken } } = await signIn();
        const cached = await call(app, 'acquireTokenSilent', { account, scopes });
        assert.ok(cached.fromCache);
        assert.equal(cached.accessToken, accessToken);
    },
    'refresh': async () => {
        const { app, result: { account } } = await signIn();
        // MSAL would try a hidden frame where the refresh token is refused; it must not help.
        await forgetEverybody();
        const request = { account, scopes, forceRefresh: true };
        const renewed = await call(app, 'acquireTokenSilent', request);
        assert.ok(!renewed.fromCache);
        await assertIsAda(renewed);
    },
    'sso silent': async () => {
        await signIn();
        const another = await openApp();
        const request = { scopes, loginHint: ADA, redirectUri: bridge };
        await assertIsAda(await call(another, 'ssoSilent', request));
    },
    'prompt=none': async () => {
        await forgetEverybody();
        await assertNobodyIsSignedIn();
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
