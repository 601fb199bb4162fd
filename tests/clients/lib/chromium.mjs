// The system's Chromium, which takes the tenant's certificate and no other that it does not know.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { chromium, launchOptions } from '../../browser/chromium.mjs';

const CONNECTING = 5_000;

/**
 * Starts it for a tenant whose certificate Node accepts, by the CA in NODE_EXTRA_CA_CERTS; `close`
 * ends it and removes its profile.
 */
export async function launch(tenant) {
    const key = createHash('sha256').update(await publicKey(tenant)).digest('base64');
    const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
    await allowThirdPartyCookies(profile);
    const browser = await chromium.launchPersistentContext(profile, {
        ...launchOptions,
        // It reads CAs from a database only, which needs a tool of its own to write.
        args: [...launchOptions.args, `--ignore-certificate-errors-spki-list=${key}`],
    });
    const close = async () => {
        await browser.close();
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    };
    return { browser, close };
}

/**
 * As Chrome does, where Debian's Chromium does not: the tenant in a hidden frame of the app, a
 * page of another site, would not know who has signed in. A context that is not persistent has no
 * preferences.
 */
async function allowThirdPartyCookies(profile) {
    await mkdir(join(profile, 'Default'));
    const preferences = { profile: { cookie_controls_mode: 0 } };
    await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(preferences));
}

/** Of the certificate, as SubjectPublicKeyInfo. */
async function publicKey(tenant) {
    const { hostname, port } = new URL(tenant);
    const socket = connect({ host: hostname, port: Number(port) || 443, servername: hostname });
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(CONNECTING) });
    const { publicKey: key } = socket.getPeerX509Certificate();
    socket.destroy();
    return key.export({ format: 'der', type: 'spki' });
}
