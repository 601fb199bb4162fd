// What the tests get: the tenant, the app, and the app's page as a person sees it.

import { join } from 'node:path';
import { test as base, type Locator, type Page } from '@playwright/test';
import { startApp, type App } from './app.ts';
import { createTenant, startEntraDev, type Tenant } from './entra-dev.ts';

interface TestFixtures {
    todos: TodosPage;
    freshStart: void;
}

interface WorkerFixtures {
    tenant: Tenant;
    app: App;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
    tenant: [async ({}, use) => {
        const entraDev = await startEntraDev();
        const tenant = await createTenant(entraDev.url);
        await use(tenant);
        await tenant.remove();
        await entraDev.stop();
    }, { scope: 'worker' }],

    app: [async ({ tenant }, use, { project, workerIndex }) => {
        const app = await startApp(tenant, join(project.outputDir, `app-${workerIndex}`));
        await use(app);
        await app.stop();
        // Otherwise, the build of the app would take some of the first test's time.
    }, { scope: 'worker', timeout: 300_000 }],

    baseURL: ({ app }, use) => use(app.url),

    // No test affects the next one.
    freshStart: [async ({ app, tenant }, use) => {
        await use();
        await tenant.reset();
        const headers = { Authorization: `Bearer ${await tenant.token('ada')}` };
        await fetch(`${app.apiUrl}/todoitems`, { method: 'DELETE', headers });
    }, { auto: true }],

    todos: async ({ page }, use) => {
        await page.goto('/');
        await use(new TodosPage(page));
    },
});

export { expect } from '@playwright/test';

export class TodosPage {
    readonly items: Locator;
    readonly error: Locator;
    readonly signInButton: Locator;

    constructor(readonly page: Page) {
        this.items = page.getByRole('listitem');
        this.error = page.getByRole('alert');
        this.signInButton = page.getByRole('button', { name: 'Sign in' });
    }

    /** Picks a person on the tenant's page. Nobody has a password. */
    async signInAs(person: string): Promise<void> {
        await this.signInButton.click();
        await this.page.getByRole('button', { name: new RegExp(`^${person}\\b`) }).click();
    }

    async signOut(): Promise<void> {
        await this.page.getByRole('button', { name: 'Sign out' }).click();
        await this.signInButton.waitFor();
    }

    async add(name: string): Promise<void> {
        await this.page.getByLabel('What is to be done?').fill(name);
        await this.page.getByRole('button', { name: 'Add' }).click();
    }
}
