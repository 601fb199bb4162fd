// Tests the pages of the development tenant: accessibility, the keyboard, and use without scripts.
//
//     node tests/browser/pages.mjs TENANT_URL CLIENT_ID SCOPE
//
// The client must have the redirect URI http://localhost on any port, must be allowed to use the
// device code flow, and must need people's consent to the scope.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { violations } from './accessibility.mjs';
import { chromium, launchOptions } from './chromium.mjs';

const [tenant, clientId, scope] = process.argv.slice(2);
const TENANT = '11111111-1111-4111-8111-111111111111';
const ONE_WAIT = 10_000;

/** The app to which a sign-in returns. It keeps the responses. */
const app = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    if (request.url !== '/favicon.ico') {
        app.answers.push({ method: request.method, url: request.url, body });
    }
    response.setHeader('content-type', 'text/html').end('<h1>Back in the app</h1>');
}).listen(0, '127.0.0.1');
app.answers = [];
await once(app, 'listening');
const redirectUri = `http://localhost:${app.address().port}`;

function authorizeUrl(parameters = {}) {
    const url = new URL(`${tenant}/${TENANT}/oauth2/v2.0/authorize`);
    url.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: `openid ${scope}`,
        state: '1',
        ...parameters,
    });
    return url.href;
}

function signOutUrl(query = '') {
    return `${tenant}/${TENANT}/oauth2/v2.0/logout?${query}`;
}

async function deviceCode() {
    const answer = await fetch(`${tenant}/${TENANT}/oauth2/v2.0/devicecode`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: clientId, scope }),
    });
    return answer.json();
}

/** Checks the accessibility of a page at two widths and in both color schemes. */
async function check(page, name) {
    for (const [width, colorScheme] of [[1280, 'light'], [360, 'dark']]) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await violations(page), [], `${name}, ${width} px, ${colorScheme}`);
    }
    console.log(`ok: ${name}`);
}

async function everyPageIsAccessible(browser) {
    const page = await browser.newPage();
    page.setDefaultTimeout(ONE_WAIT);
    for (const [name, url] of [
        ['start', `${tenant}/`],
        ['not found', `${tenant}/nothing`],
        ['accounts', authorizeUrl({ login_hint: 'uma@contoso.example' })],
        ['refused', authorizeUrl({ client_id: 'nobody' })],
        ['device', `${tenant}/${TENANT}/oauth2/deviceauth`],
        ['signed out', signOutUrl()],
        ['signed out, and not going on', signOutUrl('post_logout_redirect_uri=http://x.example')],
    ]) {
        await page.goto(url);
        await check(page, name);
    }
    await page.goto(authorizeUrl());
    await page.getByRole('button', { name: 'ada@contoso.example' }).click();
    await page.getByRole('button', { name: 'Accept' }).waitFor();
    await check(page, 'consent');
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByRole('heading', { name: 'Back in the app' }).waitFor();
    await page.goto(signOutUrl('logout_hint=nobody'));
    await check(page, 'sign out');

    const { user_code: code, verification_uri: uri } = await deviceCode();
    await page.goto(uri);
    await page.getByLabel('Code').fill('WRONGCODE');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('alert').waitFor();
    await check(page, 'device, after a wrong code');
    await page.getByLabel('Code').fill(code);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'ulf@contoso.example' }).click();
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByRole('heading', { name: 'You have signed in' }).waitFor();
    await check(page, 'device, signed in');

    await page.goto(`${tenant}/_dev`);
    await page.getByRole('heading', { name: 'Audit trail' }).waitFor();
    await check(page, 'what happened');
    const id = page.locator('code', { hasText: TENANT }).first();
    await id.click();
    assert.equal(await page.evaluate(() => getSelection().toString()), TENANT, 'a click selects');
    await page.close();
}

/** Without a mouse: a link leads to a table. After a Tab, the arrow keys scroll the table. */
async function tablesAreInReachOfTheKeyboard(browser) {
    const page = await browser.newPage({ viewport: { width: 360, height: 800 } });
    page.setDefaultTimeout(ONE_WAIT);
    await page.goto(`${tenant}/_dev`);
    const contents = page.getByRole('navigation', { name: 'On this page' });
    await page.keyboard.press('Tab');
    const link = contents.getByRole('link', { name: 'Who can sign in' });
    assert.ok(await link.evaluate((link) => link === document.activeElement), 'first: a link');
    await contents.getByRole('link', { name: 'Apps', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    const region = page.getByRole('region', { name: 'Apps', exact: true });
    assert.ok(await region.evaluate((region) => region === document.activeElement), 'its table');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => document.activeElement.scrollLeft > 0);
    await page.close();
    console.log('ok: keyboard in tables');
}

/** A whole sign-in works without a mouse. On the consent page, the button has the focus. */
async function theKeyboardIsEnough(browser) {
    const page = await browser.newPage();
    page.setDefaultTimeout(ONE_WAIT);
    await page.goto(authorizeUrl({ login_hint: 'noel@contoso.example' }));
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    assert.match(await focused(), /noel@contoso\.example/, 'the hinted person has the focus');
    await page.keyboard.press('Tab');
    assert.match(await focused(), /ada@contoso\.example/, 'the next one is a Tab away');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Accept' }).waitFor();
    assert.equal(await focused(), 'Accept');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Back in the app' }).waitFor();
    assert.match(app.answers.at(-1).url, /[?&]code=.*&state=1$/);
    await page.close();
    console.log('ok: keyboard');
}

async function scriptsAreNotNeeded(browser) {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    page.setDefaultTimeout(ONE_WAIT);
    await page.goto(authorizeUrl({ response_mode: 'form_post' }));
    await page.getByRole('button', { name: 'gus@contoso.example' }).click();
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Back in the app' }).waitFor();
    const { method, body } = app.answers.at(-1);
    assert.equal(method, 'POST');
    assert.equal(new URLSearchParams(body).get('state'), '1');
    assert.ok(new URLSearchParams(body).get('code'));
    await page.goto(`${tenant}/_dev#recent-sign-ins`);
    const signIns = page.getByRole('region', { name: 'Recent sign-ins' });
    await signIns.getByRole('cell', { name: 'gus@contoso.example' }).first().waitFor();
    await context.close();
    console.log('ok: no scripts');
}

const browser = await chromium.launch(launchOptions);
try {
    await everyPageIsAccessible(browser);
    await tablesAreInReachOfTheKeyboard(browser);
    await theKeyboardIsEnough(browser);
    await scriptsAreNotNeeded(browser);
} finally {
    await browser.close();
    app.close();
    app.closeAllConnections();
}
