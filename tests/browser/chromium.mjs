// The system's Chromium and how it is started, with what `make tools` has installed to drive it.

import { tools } from '../tools/require.mjs';

export const { chromium } = tools('playwright-core');

export const launchOptions = {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // Without these Chromium wants a sandbox that root does not get, and looks for its maker.
    args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
    ],
};
