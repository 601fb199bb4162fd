// Tests the pages of the development tenant: accessibility, narrow screens, the keyboard, and use
// without scripts.
//
//     node tests/browser/pages.mjs TENANT_URL CLIENT_ID SCOPE
//
// The client must have the redirect URI http://localhost on any port, must be allowed to use the
// device code flow, and must need people's consent to the scope. The script adds people.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { violations } from './accessibility.mjs';
import { chromium, launchOptions } from './chromium.mjs';
import { ONE_WAIT } from './limits.mjs';

const [tenant, clientId, scope] = process.argv.slice(2);
const TENANT = '11111111-1111-4111-8111-111111111111';
const LONG_NAME = 'Maximiliane-Anastasia Wolkenstein-Trostburg von und zu Hohenlohe-Langenburg';

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

/** Adds people until there are 30, some of them with long names. */
async function addPeople() {
    const known = await (await fetch(`${tenant}/_dev/directory/people`)).json();
    const more = Array.from({ length: 30 - known.length }, (_, index) => ({
        name: `person${index}`,
        display_name: index % 5 ? `Person ${index}` : `${LONG_NAME} ${index}`,
        sign_in_name: `${index % 5 ? 'p' : LONG_NAME.replaceAll(' ', '.')}${index}@contoso.example`,
        tenant: 'Contoso',
    }));
    for (const person of more) {
        const answer = await fetch(`${tenant}/_dev/directory/people`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(person),
        });
        assert.equal(answer.status, 201, await answer.text());
    }
}

/** A page that notes what its content security policy refuses, and requests to other hosts. */
async function openPage(browser, options = {}) {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(ONE_WAIT);
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(String(error)));
    page.on('console', (message) => {
        if (/Content.Security.Policy/.test(message.text())) page.faults.push(message.text());
    });
    page.on('request', (request) => {
        const { origin } = new URL(request.url());
        if (![tenant, redirectUri].includes(origin)) page.faults.push(request.url());
    });
    return page;
}

/**
 * Waits until the element has the focus. A browser may move the focus only when it draws the next
 * frame, such as to an element with `autofocus`, and a key that is pressed before does nothing.
 */
async function hasFocus(element) {
    const handle = await element.elementHandle();
    await element.page().waitForFunction((it) => it === document.activeElement, handle);
}

function filterButton(page) {
    return page.getByRole('button', { name: 'Filter' });
}

/** Waits until the browser has drawn a frame: only then does a Tab start at a link's target. */
async function drawn(page) {
    await page.evaluate(() => new Promise((done) => {
        requestAnimationFrame(() => requestAnimationFrame(done));
    }));
}

/** Checks a page at two widths and in both color schemes. */
async function check(page, name) {
    for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [360, 'dark']]) {
        await page.setViewportSize({ width, height: 900 });
        await page.waitForFunction((width) => innerWidth === width, width);
        const needed = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(needed <= width, `${name} needs ${needed} px of ${width}`);
        const scrolling = await page.locator('.table, .trail, pre').evaluateAll((boxes) => boxes
            .filter((box) => box.scrollWidth > box.clientWidth)
            .map((box) => box.outerHTML.slice(0, 100)));
        if (width === 360) assert.deepEqual(scrolling, [], `${name} scrolls sideways`);
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        assert.deepEqual(await violations(page), [], `${name}, ${width} px, ${colorScheme}`);
        const moving = await page.evaluate(() => document.getAnimations().length
            + [...document.querySelectorAll('*')]
                .filter((it) => parseFloat(getComputedStyle(it).transitionDuration) > 0).length);
        assert.equal(moving, 0, `${name} moves`);
    }
    assert.deepEqual(page.faults, [], name);
    console.log(`ok: ${name}`);
}

async function everyPageIsAccessible(browser) {
    const page = await openPage(browser);
    for (const [name, url] of [
        ['start', `${tenant}/`],
        ['what an app needs', `${tenant}/_dev/apps/${clientId}`],
        ['not found', `${tenant}/nothing`],
        ['accounts', authorizeUrl({ login_hint: 'uma@contoso.example' })],
        ['refused: app', authorizeUrl({ client_id: 'nobody' })],
        ['refused: redirect URI', authorizeUrl({ redirect_uri: 'https://localhost/a' })],
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
    await page.goto(authorizeUrl());
    const ada = page.getByRole('button', { name: 'ada@contoso.example' });
    await ada.getByText('Signed in').waitFor();
    await page.goto(signOutUrl('logout_hint=nobody'));
    await check(page, 'sign out');

    const { user_code: code, verification_uri: uri } = await deviceCode();
    await page.goto(uri);
    await check(page, 'device');
    await page.getByLabel('Code').fill('wrong-code');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('alert').waitFor();
    assert.equal(await page.getByLabel('Code').inputValue(), 'wrong-code');
    await check(page, 'device, after a wrong code');
    await page.getByLabel('Code').fill(`${code.slice(0, 4)}-${code.slice(4)}`.toLowerCase());
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'ulf@contoso.example' }).click();
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByRole('heading', { name: 'You have signed in' }).waitFor();
    await check(page, 'device, signed in');

    await page.goto(`${tenant}/_dev`);
    for (const summary of (await page.locator('summary').all()).slice(0, 5)) await summary.click();
    await check(page, 'audit trail');
    const id = page.locator('code', { hasText: TENANT }).first();
    await id.click();
    assert.equal(await page.evaluate(() => getSelection().toString()), TENANT, 'a click selects');
    await page.goto(`${tenant}/_dev?outcome=denied`);
    await check(page, 'audit trail, after a wrong filter');
    await page.close();
}

/** The outcome is next to the time, and the rest of the row fits, too. */
async function theAuditTrailFits(browser) {
    for (const width of [360, 900, 1280, 1920]) {
        const page = await openPage(browser, { viewport: { width, height: 900 } });
        await page.goto(`${tenant}/_dev?outcome=refused`);
        const rows = page.locator('.trail tbody tr');
        assert.ok(await rows.count() >= 3);
        const { x: left } = await page.locator('.trail').boundingBox();
        const { x, y } = await rows.first().locator('.badge').boundingBox();
        assert.ok(x - left < 160 && y < 900, `the outcome is at ${x - left}, ${y}`);
        const refused = rows.filter({ hasText: 'AADSTS700016' }).first();
        const { height } = await refused.boundingBox();
        // On a narrow screen, the reason has more lines.
        const most = { 360: 320, 900: 200 }[width] ?? 140;
        assert.ok(height < most, `a row is ${height} px high at ${width} px`);
        const needed = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(needed <= width, `${needed} px at ${width} px`);
        await page.close();
    }
    console.log('ok: the audit trail fits');
}

/** With 30 people and long names, Cancel is in view, and never covers the focused button. */
async function theAccountPageFits(browser) {
    for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 800 }]) {
        const page = await openPage(browser, { viewport });
        await page.goto(authorizeUrl());
        const people = page.locator('.people button');
        assert.ok(await people.count() >= 28);
        const bar = page.locator('.people + .actions');
        const isInView = async () => {
            const { y, height } = await bar.boundingBox();
            return y >= 0 && y + height <= viewport.height;
        };
        assert.ok(await isInView(), 'Cancel is not in view');
        for (const person of await people.all()) {
            await person.focus();
            const box = await person.boundingBox();
            const { y: top } = await bar.boundingBox();
            assert.ok(box.y + box.height <= top + 1, `hidden: ${await person.textContent()}`);
            const overflow = await person.evaluate((it) => it.scrollWidth - it.clientWidth);
            assert.ok(overflow <= 0, `too wide: ${await person.textContent()}`);
        }
        await page.close();
    }
    console.log('ok: the account page fits');
}

/** Without a mouse: a link leads to a table. After a Tab, the arrow keys scroll the table. */
async function tablesAreInReachOfTheKeyboard(browser) {
    const page = await openPage(browser, { viewport: { width: 1000, height: 800 } });
    await page.goto(`${tenant}/_dev`);
    const contents = page.getByRole('navigation', { name: 'On this page' });
    await page.keyboard.press('Tab');
    const link = contents.getByRole('link', { name: 'Audit trail' });
    await hasFocus(link);
    const outline = await link.evaluate((link) => getComputedStyle(link).outlineStyle);
    assert.equal(outline, 'solid', 'the focus is visible');
    await contents.getByRole('link', { name: 'Apps', exact: true }).focus();
    await page.keyboard.press('Enter');
    await drawn(page);
    await page.keyboard.press('Tab');
    await hasFocus(page.getByRole('region', { name: 'Apps', exact: true }));
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => document.activeElement.scrollLeft > 0);

    const summary = page.locator('.trail summary').first();
    await summary.focus();
    await page.keyboard.press('Enter');
    await page.locator('.trail details[open] pre').first().waitFor();
    const outcome = page.getByLabel('Outcome');
    await outcome.focus();
    // One key: letters that follow each other slowly choose an option each.
    await page.keyboard.press('r');
    assert.equal(await outcome.inputValue(), 'refused');
    const others = ['app', 'person'].map((name) => page.locator(`select[name=${name}]`));
    for (const next of [...others, filterButton(page)]) {
        await page.keyboard.press('Tab');
        await hasFocus(next);
    }
    await page.keyboard.press('Enter');
    await page.waitForURL(/[?&]outcome=refused/);
    await page.close();
    console.log('ok: keyboard in tables');
}

/** A whole sign-in works without a mouse. On the consent page, the button has the focus. */
async function theKeyboardIsEnough(browser) {
    const page = await openPage(browser);
    await page.goto(authorizeUrl({ login_hint: 'noel@contoso.example' }));
    const button = (name) => page.getByRole('button', { name });
    // The hinted person has the focus.
    await hasFocus(button('noel@contoso.example'));
    await page.keyboard.press('Tab');
    await hasFocus(button('ada@contoso.example'));
    await page.keyboard.press('Shift+Tab');
    await hasFocus(button('noel@contoso.example'));
    await page.keyboard.press('Enter');
    await hasFocus(button('Accept'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Back in the app' }).waitFor();
    assert.match(app.answers.at(-1).url, /[?&]code=.*&state=1$/);

    // Enter submits the code of a device, and leads back from a refused account.
    const { user_code: code, verification_uri: uri } = await deviceCode();
    await page.goto(uri);
    await hasFocus(page.getByLabel('Code'));
    await page.keyboard.type(code);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Pick an account' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Cancelled' }).waitFor();
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
    await page.goto(`${tenant}/_dev`);
    await page.getByLabel('Outcome').selectOption('Granted');
    await page.getByLabel('Person').selectOption('Gus Grant');
    await filterButton(page).click();
    await page.waitForURL(/[?&]outcome=granted/);
    const rows = page.locator('.trail tbody tr');
    assert.equal(await rows.count(), 1);
    await rows.getByRole('cell', { name: 'Gus Grant' }).waitFor();
    await page.locator('summary').click();
    await page.getByText('response_mode=form_post').waitFor();
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.waitForURL((url) => !url.searchParams.has('outcome'));
    assert.ok(await rows.count() > 1);
    await context.close();
    console.log('ok: no scripts');
}

const browser = await chromium.launch(launchOptions);
try {
    await everyPageIsAccessible(browser);
    await theAuditTrailFits(browser);
    await tablesAreInReachOfTheKeyboard(browser);
    await theKeyboardIsEnough(browser);
    await scriptsAreNotNeeded(browser);
    await addPeople();
    await theAccountPageFits(browser);
} finally {
    await browser.close();
    app.close();
    app.closeAllConnections();
}
