// Tests that npm @azure/msal-browser, in a browser that knows the development tenant as localhost,
// gets tokens for an API that knows it by another name.
//
//     node tests/clients/two_names.mjs
//
// Needs `make tools`, and the environment that tests/todo_api/two_names.rs sets. Prints a line for
// each flow that passed, and exits with 1 if a flow failed.

import assert from 'node:assert/strict';
import { launch } from './lib/chromium.mjs';
import { assertApiTakes, run, settings, unverifiedClaims } from './lib/matrix.mjs';
import { serveApp, version } from './lib/spa.mjs';
import { ADA } from './lib/visitor.mjs';

const auth = {
    clientId: settings.SPA_CLIENT_ID,
    authority: `${settings.TENANT_HTTPS}/${settings.TENANT_ID}`,
    // Otherwise it asks Microsoft whether this host is one of theirs.
    knownAuthorities: [new URL(settings.TENANT_HTTPS).host],
};
const origin = await serveApp(() => ({ auth }));
const { browser, close } = await launch(settings.TENANT_HTTPS);

async function signIn() {
    const page = await browser.newPage();
    await page.goto(`${origin}/`);
    assert.equal(await page.evaluate(() => returned), null);
    const request = { scopes: [settings.API_SCOPE], redirectUri: `${origin}/` };
    await page.evaluate((request) => { app.loginRedirect(request); }, request);
    // The tenant says on every page that other machines may reach it.
    await page.getByText('This tenant also answers to').waitFor();
    await page.getByRole('button', { name: ADA }).click();
    await page.waitForURL((url) => url.origin === origin);
    await page.waitForLoadState();
    return page.evaluate(() => returned);
}

await run('@azure/msal-browser', version, {
    'browser': async () => {
        const { account, accessToken, idToken } = await signIn();
        assert.equal(account.username, ADA);
        const issuer = (base) => `${base}/${settings.TENANT_ID}/v2.0`;
        assert.equal(unverifiedClaims(idToken).iss, issuer(settings.TENANT_HTTPS));
        assert.equal(unverifiedClaims(accessToken).iss, issuer(settings.API_AUTHORITY));
        await assertApiTakes(accessToken);
    },
}, close);
