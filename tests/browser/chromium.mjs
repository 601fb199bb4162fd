// How to start the system's Chromium, with the driver that `make tools` has installed.

import { tools } from '../tools/require.mjs';
import { ONE_FLOW } from './limits.mjs';

export const { chromium } = tools('playwright-core');

export const launchOptions = {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    timeout: ONE_FLOW,
    // Otherwise Chromium needs a sandbox, which root cannot have, and contacts Google.
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
