import { defineConfig } from '@playwright/test';

export default defineConfig({
    testDir: 'tests',
    forbidOnly: Boolean(process.env.CI),
    reporter: 'list',
    // These limits only end a test that hangs: a busy machine in CI is slow.
    timeout: 300_000,
    expect: { timeout: 60_000 },
    use: {
        // An installed browser, or the one of `npx playwright install chromium`.
        launchOptions: { executablePath: process.env.CHROMIUM },
    },
});
