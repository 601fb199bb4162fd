// Tests that the docs page calls the address at which it was opened, whatever the document says.
//
//     node tests/browser/addresses.mjs URL...
//
// Each URL is an address of the API, without a slash at the end. The client must have the redirect
// URI `URL/oauth2-redirect`.

import assert from 'node:assert/strict';
import { chromium, launchOptions } from './chromium.mjs';
import { ONE_WAIT } from './limits.mjs';


async function useDocsPage(browser, base) {
    const page = await browser.newPage();
    page.setDefaultTimeout(ONE_WAIT);
    await page.goto(`${base}/`);
    await page.locator('.opblock').first().waitFor();
    assert.equal(page.url(), `${base}/docs`);
    await page.goto(`${base}/docs/`);
    assert.equal(page.url(), `${base}/docs`);

    await page.locator('.auth-wrapper > .authorize').click();
    const dialog = page.locator('.dialog-ux');
    const opened = page.waitForEvent('popup');
    await dialog.locator('button', { hasText: 'Authorize' }).click();
    const popup = await opened;
    await popup.getByRole('button', { name: /^Uma / }).click();
    await dialog.locator('button', { hasText: 'Logout' }).waitFor();
    await dialog.getByText('Close', { exact: true }).click();

    const operation = page.locator('.opblock-get').first();
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    const response = page.waitForResponse((response) => response.url().includes('/todoitems'));
    await operation.getByRole('button', { name: 'Execute' }).click();
    assert.equal(new URL((await response).url()).href.split('?')[0], `${base}/todoitems`);
    assert.equal((await response).status(), 200);
    const status = operation.locator('.live-responses-table .response-col_status').nth(1);
    assert.match(await status.innerText(), /^200/);

    // With this request, browsers send `Origin`.
    const creation = page.locator('.opblock-post').first();
    await creation.locator('.opblock-summary-control').click();
    await creation.getByRole('button', { name: 'Try it out' }).click();
    const created = page.waitForResponse((response) => response.request().method() === 'POST');
    await creation.getByRole('button', { name: 'Execute' }).click();
    assert.equal((await created).status(), 201);
    assert.equal((await (await created).request().allHeaders()).origin, new URL(base).origin);
    await page.close();
    console.log(`ok: ${base}`);
}

const browser = await chromium.launch(launchOptions);
try {
    for (const base of process.argv.slice(2)) await useDocsPage(browser, base);
} finally {
    await browser.close();
}
