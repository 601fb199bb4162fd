// Uses the docs page of a running `todo-api serve --dev` with an empty database, as people would.
// Three people sign in, and each does what they are allowed to do.
//
//     node tests/browser/sign_in.mjs http://localhost:8000 [--screenshot FILE]
//
// Needs `make tools`. CHROMIUM is the path of the browser, if it is not the usual one. Prints a
// line for each step that passed, and exits with 1 at the first step that failed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { chromium, launchOptions } from './chromium.mjs';
import { ONE_WAIT, WHOLE_SCRIPT } from './limits.mjs';

const CLIENT_ID = '44444444-4444-4444-8444-444444444444';
const SCOPE = 'api://33333333-3333-4333-8333-333333333333/access_as_user';
const REDIRECT_PATH = '/oauth2-redirect';

const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: { screenshot: { type: 'string' } },
});
assert.equal(positionals.length, 1, 'usage: sign_in.mjs BASE_URL [--screenshot FILE]');
const base = new URL(positionals[0]).origin;

// What happens in addition to the steps. `checkSurroundings` checks it after each step.
const seen = { requests: [], faults: [] };
let tenant;
let current = 'start';

async function walk(context) {
    const page = await context.newPage();
    const docs = new DocsPage(page);

    await step('/ redirects to the docs page', async () => {
        await page.goto(`${base}/`);
        await docs.ready();
        assert.equal(new URL(page.url()).pathname, '/docs');
        console.log(`version: ${await docs.version()}`);
    });

    await step('protected operations have an open padlock, health has none', async () => {
        const operations = await docs.operations();
        const paths = new Set(operations.map(({ path }) => path));
        for (const path of ['/health', '/health/ready', '/todoitems', '/todoitems/{id}']) {
            assert.ok(paths.has(path), `${path} is not on the page`);
        }
        for (const { name, path, padlock } of operations) {
            const expected = path.startsWith('/health') ? null : 'unlocked';
            assert.equal(padlock, expected, `the padlock of ${name}`);
        }
    });

    await step('without a token the list is refused with 401', async () => {
        const { status, body } = await docs.execute('listTodos');
        assert.equal(status, 401);
        assert.equal(body.code, 'missing_token');
    });

    await step('the sign-in dialog is filled in, except for a secret', async () => {
        await docs.openDialog();
        await docs.checkDialog();
    });

    await step('a sign-in that returns with another state is refused', async () => {
        const { popup, sent } = await docs.openPopup();
        await changeStateOnTheWayBack(popup, `${sent.searchParams.get('state')}x`);
        const before = seen.requests.length;
        await choose(popup, 'Uma');
        await popup.getByRole('heading', { name: 'The sign-in did not finish' }).waitFor();
        await popup.getByText('No open docs page is waiting for this response.').waitFor();
        assert.equal(new URL(popup.url()).search, '', 'the code is still in the address');
        await popup.getByRole('link', { name: 'Open the docs page' }).click();
        await new DocsPage(popup).ready();
        await popup.close();
        const tokens = seen.requests.slice(before).filter(isTokenRequest);
        assert.equal(tokens.length, 0, 'the page still requested a token');
        assert.ok(!await docs.isAuthorized(), 'the page was still authorized');
        await docs.closeDialog();
        const { status } = await docs.execute('listTodos');
        assert.equal(status, 401);
        await docs.collapse('listTodos');
    });

    await step('the dialog reports an error of the authority', async () => {
        await docs.openDialog();
        const { popup } = await docs.openPopup();
        await choose(popup, 'Cancel');
        await docs.dialog.locator('.errors').getByText('access_denied').waitFor();
        assert.ok(!await docs.isAuthorized(), 'the page was still authorized');
        await docs.closeDialog();
    });

    await step('Escape closes the dialog and returns the focus', async () => {
        await docs.openDialog();
        assert.ok(await docs.dialog.evaluate((dialog) => dialog.contains(document.activeElement)));
        await page.keyboard.press('Escape');
        await docs.dialog.waitFor({ state: 'detached' });
        assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Authorize');
    });

    await step('the dialog reports a token endpoint that fails once', async () => {
        await planFault('token', { status: 503, times: 1 });
        await docs.openDialog();
        const { popup } = await docs.openPopup();
        await pick(popup, 'Uma');
        await docs.dialog.locator('.errors').getByText(/auth error/i).first().waitFor();
        assert.ok(!await docs.isAuthorized(), 'the page was still authorized');
        await docs.closeDialog();
    });

    await step('Uma signs in: code flow, state, PKCE with S256, no secret', async () => {
        await docs.signIn('Uma');
        assert.equal(await docs.person.innerText(), 'Uma Ulrich');
    });

    await step('every padlock is closed', async () => {
        for (const { name, padlock } of await docs.operations()) {
            assert.notEqual(padlock, 'unlocked', `the padlock of ${name}`);
        }
        if (options.screenshot) await docs.takePicture(options.screenshot);
    });

    let umas;
    await step('Uma creates a todo from the example', async () => {
        const filledIn = JSON.parse(await docs.body('createTodo'));
        assert.deepEqual(filledIn, { item: { name: 'Walk the dog' } });
        const { status, body } = await docs.execute('createTodo');
        assert.equal(status, 201);
        umas = body.item;
        assert.equal(umas.name, 'Walk the dog');
        assert.equal(umas.is_complete, false);
    });

    await step('Uma lists her todo and no other', async () => {
        const { status, body } = await docs.execute('listTodos');
        assert.equal(status, 200);
        assert.deepEqual(body, { items: [umas] });
    });

    await step('Uma may not delete all', async () => {
        const { status, body } = await docs.execute('deleteAllTodos');
        assert.equal(status, 403);
        assert.equal(body.code, 'insufficient_role');
    });

    await step('Uma signs out on the page', async () => {
        await page.getByRole('button', { name: 'Sign out' }).click();
        await docs.person.waitFor({ state: 'detached' });
        const { status } = await docs.execute('listTodos');
        assert.equal(status, 401);
    });

    await step('Ulf may not see Uma\'s todo, and gets 404 for an unknown id', async () => {
        await docs.signIn('Ulf');
        const another = await docs.execute('getTodo', { id: umas.id });
        assert.equal(another.status, 403);
        assert.equal(another.body.code, 'not_owner');
        const missing = await docs.execute('getTodo', { id: umas.id + 1000 });
        assert.equal(missing.status, 404);
        assert.equal(missing.body.code, 'not_found');
        await docs.signOut();
        await docs.person.waitFor({ state: 'detached' });
    });

    await step('a sign-in works although the authority separates the window', async () => {
        await context.route(`${tenant}/**/authorize?*`, separate);
        await docs.openDialog();
        const { popup } = await docs.openPopup();
        assert.equal(await popup.evaluate(() => window.opener), null);
        await pick(popup, 'Ulf');
        await docs.logout.waitFor();
        await context.unroute(`${tenant}/**/authorize?*`, separate);
        await docs.closeDialog();
        assert.equal(await docs.person.innerText(), 'Ulf Urban');
        await docs.signOut();
    });

    await step('Ada, an admin, lists everybody\'s todos', async () => {
        await docs.signIn('Ada');
        const created = await docs.execute('createTodo');
        assert.equal(created.status, 201);
        assert.notEqual(created.body.item.owner_id, umas.owner_id);
        const { status, body } = await docs.execute('listTodos');
        assert.equal(status, 200);
        assert.deepEqual(body.items, [umas, created.body.item]);
    });

    await step('Ada deletes all', async () => {
        const { status } = await docs.execute('deleteAllTodos');
        assert.equal(status, 204);
        const { body } = await docs.execute('listTodos');
        assert.deepEqual(body.items, []);
        await docs.signOut();
    });
}

/** Swagger UI as a person sees it. */
class DocsPage {
    constructor(page) {
        this.page = page;
        this.dialog = page.locator('.dialog-ux');
        this.authorize = this.dialog.locator('button', { hasText: 'Authorize' });
        this.logout = this.dialog.locator('button', { hasText: 'Logout' });
        /** The name of the person who is signed in. */
        this.person = page.locator('.signed-in p');
    }

    /** The version of Swagger UI. */
    async version() {
        return this.page.evaluate(() => `Swagger UI ${window.versions.swaggerUI.version}`);
    }

    async ready() {
        await this.operation('listTodos').waitFor();
    }

    operation(id) {
        return this.page.locator(`.opblock[id$="-${id}"]`);
    }

    /** All operations, each with its padlock: `locked`, `unlocked` or null. */
    async operations() {
        return this.page.locator('.opblock').evaluateAll((blocks) => blocks.map((block) => {
            const { path } = block.querySelector('[data-path]').dataset;
            const method = block.querySelector('.opblock-summary-method').textContent;
            const label = block.querySelector('.authorization__btn')?.ariaLabel;
            const padlock = label?.split(' ').at(-1) ?? null;
            return { name: `${method} ${path}`, path, padlock };
        }));
    }

    /** Opens an operation in "Try it out" mode, if it is not already. */
    async tryOut(id) {
        const operation = this.operation(id);
        const summary = operation.locator('.opblock-summary-control');
        if (await summary.getAttribute('aria-expanded') !== 'true') await summary.click();
        const execute = operation.getByRole('button', { name: 'Execute' });
        const tryOut = operation.getByRole('button', { name: 'Try it out' });
        await execute.or(tryOut).waitFor();
        if (await tryOut.isVisible()) await tryOut.click();
        await execute.waitFor();
        return operation;
    }

    async collapse(id) {
        const operation = this.operation(id);
        await operation.locator('.opblock-summary-control').click();
        await operation.locator('.opblock-body').waitFor({ state: 'detached' });
    }

    /** The request body in the editor. */
    async body(id) {
        const operation = await this.tryOut(id);
        return operation.locator('textarea.body-param__text').inputValue();
    }

    /** Executes an operation. Returns the response that the page then shows. */
    async execute(id, parameters = {}) {
        const operation = await this.tryOut(id);
        const answer = operation.locator('.live-responses-table');
        const clear = operation.getByRole('button', { name: 'Clear' });
        if (await clear.isVisible()) {
            await clear.click();
            await answer.waitFor({ state: 'detached' });
        }
        for (const [name, value] of Object.entries(parameters)) {
            await operation.getByPlaceholder(name, { exact: true }).fill(String(value));
        }
        await operation.getByRole('button', { name: 'Execute' }).click();
        const shown = await answer.locator('tbody .response-col_status').first().innerText();
        const status = Number.parseInt(shown, 10);
        // A response without a body has no such element.
        if (status === 204) return { status, body: null };
        const body = await answer.locator('.highlight-code code').first().innerText();
        return { status, body: JSON.parse(body) };
    }

    async openDialog() {
        await this.page.locator('.auth-wrapper > .authorize').click();
        await this.dialog.waitFor();
    }

    async closeDialog() {
        await this.dialog.getByText('Close', { exact: true }).click();
        await this.dialog.waitFor({ state: 'detached' });
    }

    /** Everything that a person should not have to type is filled in. */
    async checkDialog() {
        assert.equal(await this.dialog.getByLabel('client_id').inputValue(), CLIENT_ID);
        await this.checkNoSecret();
        const scopes = this.dialog.locator('.scopes input[type=checkbox]');
        assert.equal(await scopes.count(), 1, 'scopes on offer');
        assert.equal(await scopes.getAttribute('data-value'), SCOPE);
        assert.ok(await scopes.isChecked(), 'the scope is not selected');
    }

    async checkNoSecret() {
        assert.equal(await this.dialog.getByText('secret').count(), 0, 'texts about a secret');
        assert.equal(await this.dialog.locator('input[type=password]').count(), 0);
    }

    async isAuthorized() {
        return this.logout.isVisible();
    }

    /** Opens the pop-up from the dialog. Returns the pop-up and the request that it sent. */
    async openPopup() {
        const opened = this.page.waitForEvent('popup');
        await this.authorize.click();
        const popup = await opened;
        await popup.waitForURL((url) => url.origin === tenant);
        const sent = new URL(popup.url());
        assert.equal(sent.origin, tenant);
        assert.match(sent.pathname, /\/oauth2\/v2\.0\/authorize$/);
        const query = Object.fromEntries(sent.searchParams);
        assert.equal(query.response_type, 'code');
        assert.equal(query.client_id, CLIENT_ID);
        assert.equal(query.redirect_uri, `${base}${REDIRECT_PATH}`);
        assert.equal(query.scope, SCOPE);
        assert.equal(query.code_challenge_method, 'S256');
        assert.match(query.code_challenge, /^[\w-]{43}$/);
        assert.ok(query.state, 'no state was sent');
        return { popup, sent };
    }

    async signIn(name) {
        await this.openDialog();
        await this.checkDialog();
        const before = seen.requests.length;
        const { popup, sent } = await this.openPopup();
        const people = (await popup.getByRole('button').allInnerTexts()).join('\n');
        for (const person of ['ada', 'uma', 'ulf', 'noel', 'gus']) {
            assert.ok(people.includes(`${person}@contoso.example`), `${person} is not offered`);
        }
        await pick(popup, name);
        await this.logout.waitFor();
        await this.dialog.getByText('Authorized', { exact: true }).waitFor();

        const since = seen.requests.slice(before);
        const back = since.map((request) => new URL(request.url()))
            .filter((url) => url.origin === base && url.pathname === REDIRECT_PATH);
        assert.equal(back.length, 1, 'requests to the redirect URI');
        assert.equal(back[0].searchParams.get('state'), sent.searchParams.get('state'));
        const tokens = since.filter(isTokenRequest);
        assert.equal(tokens.length, 1, 'requests for a token');
        const form = new URLSearchParams(tokens[0].postData());
        assert.equal(form.get('grant_type'), 'authorization_code');
        assert.ok(!form.has('client_secret'), 'a secret was sent');
        await this.checkNoSecret();
        const challenge = createHash('sha256').update(form.get('code_verifier'));
        assert.equal(challenge.digest('base64url'), sent.searchParams.get('code_challenge'));
        await this.closeDialog();
    }

    async signOut() {
        await this.openDialog();
        await this.logout.click();
        await this.authorize.waitFor();
        await this.closeDialog();
    }

    /** Takes a picture of who is signed in, and of the operations on todos with who may call them. */
    async takePicture(file) {
        for (const open of await this.page.locator('.opblock.is-open').all()) {
            await open.locator('.opblock-summary-control').click();
        }
        await this.page.locator('.opblock-body').first().waitFor({ state: 'detached' });
        await this.page.mouse.move(0, 0);
        await this.page.evaluate(() => {
            document.activeElement?.blur();
            window.scrollTo(0, 0);
        });
        const start = await this.page.locator('.auth-wrapper').first().boundingBox();
        const end = await this.page.locator('.opblock-tag-section').first().boundingBox();
        const y = Math.floor(start.y) - 12;
        const height = Math.ceil(end.y + end.height) - y;
        const clip = { x: 0, y, width: this.page.viewportSize().width, height };
        await this.page.screenshot({ path: file, fullPage: true, clip });
    }
}

/** Clicks a person's button on the account page. The pop-up then returns and closes itself. */
async function pick(popup, name) {
    const closed = popup.waitForEvent('close');
    await choose(popup, name);
    await closed;
}

/** Clicks a button on the account page. */
async function choose(popup, name) {
    await popup.getByRole('button', { name: new RegExp(`^${name}\\b`) }).click();
}

/** Sends the authority's page with a header that separates its window from the docs page. */
async function separate(route) {
    const response = await route.fetch({ maxRedirects: 0, timeout: ONE_WAIT });
    const headers = { ...response.headers(), 'cross-origin-opener-policy': 'same-origin' };
    await route.fulfill({ response, headers });
}

/** Changes only the state in the authority's response. */
async function changeStateOnTheWayBack(popup, state) {
    await popup.route(`${tenant}/**/authorize`, async (route) => {
        const response = await route.fetch({ maxRedirects: 0, timeout: ONE_WAIT });
        const headers = response.headers();
        const back = new URL(headers.location);
        back.searchParams.set('state', state);
        await route.fulfill({ response, headers: { ...headers, location: back.href } });
    });
}

/** Makes an endpoint of the tenant fail. */
async function planFault(endpoint, plan) {
    const { status } = await fetch(`${tenant}/_dev/faults/${endpoint}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(plan),
    });
    assert.equal(status, 204);
}

function isTokenRequest(request) {
    return request.method() === 'POST' && /\/oauth2\/v2\.0\/token$/.test(request.url());
}

async function openContext(browser) {
    const { components } = await (await fetch(`${base}/openapi.json`)).json();
    const { authorizationUrl } = components.securitySchemes.oauth2.flows.authorizationCode;
    tenant = new URL(authorizationUrl).origin;

    const context = await browser.newContext({ viewport: { width: 1280, height: 1024 } });
    context.setDefaultTimeout(ONE_WAIT);
    context.on('request', (request) => seen.requests.push(request));
    context.on('weberror', (error) => seen.faults.push(`page error: ${error.error()}`));
    context.on('console', (message) => {
        // An error status that a step expects is also a console error, but not a fault.
        const text = message.text();
        const { pathname } = new URL(message.location().url);
        const expected = (/^Failed to load resource: .* status of 40[134] /.test(text)
            && pathname.startsWith('/todoitems'))
            || (/ status of 503 /.test(text) && pathname.endsWith('/token'));
        if (message.type() === 'error' && !expected) seen.faults.push(`console: ${text}`);
    });
    await context.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (violation) => {
            const { effectiveDirective, blockedURI } = violation;
            console.error(`Content-Security-Policy: ${effectiveDirective} ${blockedURI}`);
        });
    });
    return context;
}

/** Checks that no page had a fault and that no request went to another server. */
function checkSurroundings() {
    assert.deepEqual(seen.faults, []);
    const elsewhere = seen.requests.map((request) => request.url())
        .filter((url) => !url.startsWith('data:'))
        .filter((url) => ![base, tenant].includes(new URL(url).origin));
    assert.deepEqual(elsewhere, [], 'requests to other servers');
}

async function step(name, steps) {
    current = name;
    await steps();
    checkSurroundings();
    console.log(`ok: ${name}`);
}

function fail(error) {
    console.error(`FAILED: ${current}\n${error.stack ?? error}`);
    for (const fault of seen.faults) console.error(fault);
    process.exit(1);
}

const timer = setTimeout(() => {
    fail(new Error(`all steps together took longer than ${WHOLE_SCRIPT / 1000} s`));
}, WHOLE_SCRIPT);
try {
    const browser = await chromium.launch(launchOptions);
    await walk(await openContext(browser));
    await browser.close();
} catch (error) {
    fail(error);
}
clearTimeout(timer);
