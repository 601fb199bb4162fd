// Takes the pictures of the development tenant's pages for crates/entra-dev/README.md.
//
//     node tests/browser/pictures.mjs http://localhost:8001 FOLDER
//
// The tenant must be new, with the built-in directory. The script adds an app to it.
// `make pictures` starts one, and writes the pictures to the folder of the README.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { chromium, launchOptions } from './chromium.mjs';
import { ONE_WAIT } from './limits.mjs';

const [tenant, folder] = process.argv.slice(2);
const CONTOSO = `${tenant}/11111111-1111-4111-8111-111111111111`;
const API = 'api://33333333-3333-4333-8333-333333333333';
const DAEMON = '55555555-5555-4555-8555-555555555555';
const WEB_SITE = '77777777-7777-4777-8777-777777777777';
const PLANNER = {
    client_id: 'cccccccc-cccc-4ccc-8ccc-cccccccccccc',
    name: 'Holiday planner',
    tenant: 'Contoso',
    consent_required: true,
    redirect_uris: { native: ['http://localhost'] },
};

function authorizeUrl(parameters = {}) {
    const url = new URL(`${CONTOSO}/oauth2/v2.0/authorize`);
    url.search = new URLSearchParams({
        client_id: PLANNER.client_id,
        redirect_uri: 'http://localhost:3000',
        response_type: 'code',
        scope: `openid profile ${API}/access_as_user`,
        ...parameters,
    });
    return url.href;
}

function post(path, parameters) {
    const body = new URLSearchParams(parameters);
    return fetch(`${CONTOSO}/oauth2/v2.0/${path}`, { method: 'POST', body, redirect: 'manual' });
}

/** What a developer does on the first day: some of it is refused. */
async function fillTheAuditTrail() {
    const client = {
        grant_type: 'client_credentials',
        client_id: DAEMON,
        client_secret: 'dev-secret',
        scope: `${API}/.default`,
    };
    await post('token', client);
    await post('token', { ...client, client_secret: 'old-secret' });
    const site = {
        client_id: WEB_SITE,
        redirect_uri: 'http://localhost:3000/auth/callback',
        response_type: 'code',
        scope: `openid ${API}/access_as_user`,
    };
    const answer = await post('authorize', { ...site, account: 'uma' });
    const code = new URL(answer.headers.get('location')).searchParams.get('code');
    const { redirect_uri } = site;
    await post('token', {
        grant_type: 'authorization_code',
        client_id: WEB_SITE,
        client_secret: 'web-secret',
        redirect_uri,
        code,
    });
    await post('authorize', { ...site, account: 'tia' });
    const wrong = { ...site, redirect_uri: 'http://localhost:3000/Auth/callback' };
    await fetch(`${CONTOSO}/oauth2/v2.0/authorize?${new URLSearchParams(wrong)}`);
}

const SCENES = {
    async 'sign-in'(page) {
        await page.goto(authorizeUrl());
        await page.getByRole('heading', { name: 'Pick an account' }).waitFor();
    },
    async consent(page) {
        await page.goto(authorizeUrl());
        await page.getByRole('button', { name: 'ada@contoso.example' }).click();
        await page.getByRole('heading', { name: 'Permissions requested' }).waitFor();
    },
    async 'audit-trail'(page) {
        await page.goto(`${tenant}/_dev`);
        await page.getByRole('heading', { name: 'Audit trail' }).waitFor();
    },
};

/** The size of each picture. */
const SIZES = {
    'sign-in': { width: 800, height: 560 },
    consent: { width: 800, height: 710 },
    'audit-trail': { width: 1040, height: 720 },
};

const added = await fetch(`${tenant}/_dev/directory/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(PLANNER),
});
assert.equal(added.status, 201, await added.text());
await fillTheAuditTrail();
const browser = await chromium.launch(launchOptions);
try {
    // The audit trail comes first, before the other scenes add to it.
    for (const name of ['audit-trail', 'sign-in', 'consent']) {
        for (const colorScheme of ['light', 'dark']) {
            const page = await browser.newPage({ viewport: SIZES[name], colorScheme });
            page.setDefaultTimeout(ONE_WAIT);
            await SCENES[name](page);
            await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
            await page.close();
        }
    }
} finally {
    await browser.close();
}
