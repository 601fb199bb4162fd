import { defineConfig } from '@playwright/test';

export default defineConfig({
    testDir: 'tests',
    forbidOnly: Boolean(process.env.CI),
    reporter: 'list',
    // A busy machine in CI is slow.
    timeout: 60_000,
    expect: { timeout: 15_000 },
    use: {
        // An installed browser, or the one of `npx playwright install chromium`.
        launchOptions: { executablePath: process.env.CHROMIUM },
    },
});
