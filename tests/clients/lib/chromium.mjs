// The system's Chromium, which also trusts the tenant's certificate, but no other unknown one.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { chromium, launchOptions } from '../../browser/chromium.mjs';
import { ONE_WAIT } from '../../browser/limits.mjs';

/**
 * Starts Chromium for a tenant whose certificate Node trusts through NODE_EXTRA_CA_CERTS. `close`
 * ends it and removes its profile.
 */
export async function launch(tenant) {
    const key = createHash('sha256').update(await publicKey(tenant)).digest('base64');
    const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
    await allowThirdPartyCookies(profile);
    const browser = await chromium.launchPersistentContext(profile, {
        ...launchOptions,
        // Chromium reads CAs only from a database, which only a separate tool can write.
        args: [...launchOptions.args, `--ignore-certificate-errors-spki-list=${key}`],
    });
    browser.setDefaultTimeout(ONE_WAIT);
    const close = async () => {
        await browser.close();
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    };
    return { browser, close };
}

/**
 * Chrome allows third-party cookies, but Debian's Chromium does not. Without them, the tenant in a
 * hidden frame of the app, which is another site, would not know who is signed in. Only a
 * persistent context has preferences.
 */
async function allowThirdPartyCookies(profile) {
    await mkdir(join(profile, 'Default'));
    const preferences = { profile: { cookie_controls_mode: 0 } };
    await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(preferences));
}

/** The public key of the certificate, as SubjectPublicKeyInfo. */
async function publicKey(tenant) {
    const { hostname, port } = new URL(tenant);
    const socket = connect({ host: hostname, port: Number(port) || 443, servername: hostname });
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(ONE_WAIT) });
    const { publicKey: key } = socket.getPeerX509Certificate();
    socket.destroy();
    return key.export({ format: 'der', type: 'spki' });
}
