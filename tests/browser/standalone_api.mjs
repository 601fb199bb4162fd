// Signs in on the docs page that poem-entra makes, and calls the API in examples/standalone-api.
//
//     node tests/browser/standalone_api.mjs http://localhost:3000 http://localhost:8001
//
// Needs `make tools`. CHROMIUM is the path of the browser, if it is not the usual one.

import assert from 'node:assert/strict';
import { chromium, launchOptions } from './chromium.mjs';
import { ONE_WAIT } from './limits.mjs';

const [api, tenant] = process.argv.slice(2);

const browser = await chromium.launch(launchOptions);
try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 1024 } });
    context.setDefaultTimeout(ONE_WAIT);
    const requests = [];
    context.on('request', (request) => requests.push(request));
    const page = await context.newPage();
    const dialog = page.locator('.dialog-ux');

    // The link to an operation must not become part of the redirect URI.
    await page.goto(`${api}/docs#/default/getMe`);
    assert.equal(await execute(page, 'getMe'), 401);

    // Cancel, and read the reason.
    await (await openSignIn(page, dialog)).getByRole('button', { name: 'Cancel' }).click();
    await dialog.locator('.errors').getByText('access_denied').waitFor();
    await dialog.getByText('Close', { exact: true }).click();

    // Uma signs in, although the authority separates its window from the docs page.
    await context.route(`${tenant}/**/authorize?*`, separate);
    const before = requests.length;
    const popup = await openSignIn(page, dialog);
    const sent = new URL(popup.url()).searchParams;
    assert.equal(sent.get('code_challenge_method'), 'S256');
    assert.equal(sent.get('redirect_uri'), `${api}/docs/oauth2-redirect`);
    const closed = popup.waitForEvent('close');
    await popup.getByRole('button', { name: /^Uma\b/ }).click();
    await closed;
    await dialog.locator('button', { hasText: 'Logout' }).waitFor();
    await dialog.getByText('Close', { exact: true }).click();
    const tokens = requests.slice(before).filter((request) => request.method() === 'POST'
        && request.url().endsWith('/token'));
    assert.equal(tokens.length, 1);
    assert.ok(new URLSearchParams(tokens[0].postData()).get('code_verifier'));

    assert.equal(await execute(page, 'getMe'), 200);
    assert.equal(await execute(page, 'listRuns'), 200);
    // This needs the app role Admin.
    assert.equal(await execute(page, 'deleteAllRuns'), 403);

    const elsewhere = requests.map((request) => request.url())
        .filter((url) => !url.startsWith('data:') && ![api, tenant].includes(new URL(url).origin));
    assert.deepEqual(elsewhere, [], 'requests to other servers');
} finally {
    await browser.close();
}

/** Opens the sign-in window from the dialog, in which everything is filled in. */
async function openSignIn(page, dialog) {
    await page.locator('.auth-wrapper > .authorize').click();
    const clientId = dialog.getByLabel('client_id');
    assert.equal(await clientId.inputValue(), '44444444-4444-4444-8444-444444444444');
    assert.ok(await dialog.locator('.scopes input[type=checkbox]').isChecked());
    const opened = page.waitForEvent('popup');
    await dialog.locator('button', { hasText: 'Authorize' }).click();
    const popup = await opened;
    await popup.waitForURL((url) => url.origin === tenant);
    return popup;
}

/** Executes an operation and returns the status that the page then shows. */
async function execute(page, id) {
    const operation = page.locator(`.opblock[id$="-${id}"]`);
    const summary = operation.locator('.opblock-summary-control');
    if (await summary.getAttribute('aria-expanded') !== 'true') await summary.click();
    const button = operation.getByRole('button', { name: 'Execute' });
    const tryOut = operation.getByRole('button', { name: 'Try it out' });
    await button.or(tryOut).waitFor();
    if (await tryOut.isVisible()) await tryOut.click();
    const answer = operation.locator('.live-responses-table');
    const clear = operation.getByRole('button', { name: 'Clear' });
    if (await clear.isVisible()) {
        await clear.click();
        await answer.waitFor({ state: 'detached' });
    }
    await button.click();
    const status = await answer.locator('tbody .response-col_status').first().innerText();
    return Number.parseInt(status, 10);
}

/** Sends the authority's page with a header that separates its window from the docs page. */
async function separate(route) {
    const response = await route.fetch({ maxRedirects: 0, timeout: ONE_WAIT });
    const headers = { ...response.headers(), 'cross-origin-opener-policy': 'same-origin' };
    await route.fulfill({ response, headers });
}
