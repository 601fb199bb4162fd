// A single-page app with npm @azure/msal-browser, and its server.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { ONE_FLOW } from '../../browser/limits.mjs';
import { tools } from '../../tools/require.mjs';

const library = dirname(tools.resolve('@azure/msal-browser/package.json'));

export const { version } = tools('@azure/msal-browser/package.json');

const page = (name) => join(import.meta.dirname, '../spa', name);
const files = {
    '/': page('index.html'),
    '/app.js': page('app.js'),
    '/redirect.html': page('redirect.html'),
    '/redirect.js': page('redirect.js'),
    '/msal-browser.js': join(library, 'lib/msal-browser.min.js'),
    '/msal-redirect-bridge.js': join(library, 'lib/redirect-bridge/msal-redirect-bridge.min.js'),
};
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

/** MSAL's own limits are too short for a busy machine. */
const patience = {
    iframeBridgeTimeout: ONE_FLOW,
    popupBridgeTimeout: ONE_FLOW,
    redirectNavigationTimeout: ONE_FLOW,
};

/** Serves the app. `configuration` returns what the app gets when it loads. Returns its origin. */
export async function serveApp(configuration) {
    const server = createServer(async ({ url }, response) => {
        const { pathname } = new URL(url, 'http://localhost');
        if (pathname === '/configuration.json') {
            response.setHeader('content-type', 'application/json');
            const { system, ...others } = configuration();
            response.end(JSON.stringify({ ...others, system: { ...patience, ...system } }));
        } else if (files[pathname]) {
            response.setHeader('content-type', types[extname(files[pathname])]);
            response.end(await readFile(files[pathname]));
        } else {
            response.writeHead(404).end();
        }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://localhost:${server.address().port}`;
}
