// Builds the single-page app in examples/spa and uses it, as a person would, with a running
// `todo-api serve --dev` that has an empty database and allows the app's origin.
//
//     node tests/browser/spa.mjs API_URL AUTHORITY APP_PORT [--screenshot FILE]
//
// Needs `make tools`. Prints a line for each step that passed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { violations } from './accessibility.mjs';
import { chromium, launchOptions } from './chromium.mjs';
import { ONE_WAIT } from './limits.mjs';

const { values: options, positionals: [api, authority, port] } = parseArgs({
    allowPositionals: true,
    options: { screenshot: { type: 'string' } },
});
const repository = join(import.meta.dirname, '../..');
const folder = join(repository, 'examples/spa');

/** Builds the app for these servers, and serves it. */
async function start() {
    const path = `${join(repository, 'target/tools/bin')}:${process.env.PATH}`;
    execFileSync('npm', ['run', 'build', '--', '--mode', 'development'], {
        cwd: folder,
        env: {
            ...process.env,
            PATH: path,
            npm_config_update_notifier: 'false',
            VITE_API_URL: api,
            VITE_AUTHORITY: authority,
        },
        stdio: ['ignore', 'ignore', 'inherit'],
    });
    const vite = createRequire(join(folder, 'package.json')).resolve('vite');
    const { preview } = await import(pathToFileURL(vite));
    const server = await preview({
        root: folder,
        logLevel: 'error',
        preview: { port: Number(port), strictPort: true },
    });
    return { app: `http://localhost:${port}/`, close: () => server.close() };
}

/** The app as a person sees it. */
class App {
    constructor(page) {
        this.page = page;
        this.name = page.getByLabel('What is to be done?');
        this.error = page.getByRole('alert');
        this.todos = page.getByRole('listitem');
        page.on('request', (request) => {
            this.authorization = request.headers().authorization ?? this.authorization;
        });
    }

    button(name) {
        return this.page.getByRole('button', { name, exact: true });
    }

    box(name) {
        return this.page.getByRole('checkbox', { name });
    }

    async signIn(person) {
        await this.button('Sign in').click();
        await this.page.getByRole('button', { name: new RegExp(`^${person}\\b`) }).click();
        await this.button('Sign out').waitFor();
    }

    async signOut() {
        await this.button('Sign out').click();
        await this.button('Sign in').waitFor();
    }

    async add(name) {
        const before = await this.todos.count();
        await this.name.fill(name);
        await this.button('Add').click();
        await this.todos.nth(before).waitFor();
        assert.equal(await this.name.inputValue(), '', 'the field is empty again');
    }

    /** Adds a todo without the page, as this person. */
    async create(name) {
        const { status } = await fetch(`${api}/todoitems`, {
            method: 'POST',
            headers: { 'authorization': this.authorization, 'content-type': 'application/json' },
            body: JSON.stringify({ item: { name } }),
        });
        assert.equal(status, 201);
    }

    /** The names on the page once there are so many. */
    async names(count) {
        const counted = (expected) => document.querySelectorAll('li').length === expected;
        await this.page.waitForFunction(counted, count);
        const rows = await this.todos.allInnerTexts();
        return rows.map((row) => row.split('\n')[0].trim());
    }

    /** Waits for a response of the API during an action. */
    async answered(method, action) {
        const response = this.page.waitForResponse((response) => (
            response.url().startsWith(`${api}/todoitems`) && response.request().method() === method
        ));
        return (await Promise.all([response, action()]))[0];
    }
}

/** Checks the page at two widths and in both color schemes. */
async function checkAppearance(page, state) {
    for (const [width, colorScheme] of [[1280, 'light'], [360, 'dark'], [360, 'light']]) {
        await page.setViewportSize({ width, height: 600 });
        await page.waitForFunction((width) => innerWidth === width, width);
        await page.emulateMedia({ colorScheme });
        const context = `${state}, ${width} px, ${colorScheme}`;
        assert.deepEqual(await violations(page), [], context);
        const content = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(content <= width, `${context}: the page is ${content} px wide`);
    }
    const background = () => page.evaluate(
        () => getComputedStyle(document.documentElement).backgroundColor,
    );
    const light = await background();
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.notEqual(await background(), light, 'the dark theme');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 640, height: 420 });
}

async function walk(context, address) {
    const page = await context.newPage();
    const app = new App(page);

    await step('without a sign-in there are no todos', async () => {
        await page.goto(address);
        await page.getByText('Sign in to see your todos.').waitFor();
        assert.ok(!await app.name.isVisible());
        await checkAppearance(page, 'signed out');
    });

    await step('Uma signs in and has no todos', async () => {
        const listed = app.answered('GET', () => app.signIn('Uma'));
        assert.equal((await listed).status(), 200);
        await page.getByText('Uma Ulrich').waitFor();
        assert.deepEqual(await app.names(0), []);
    });

    await step('she adds todos', async () => {
        await app.add('Walk the dog');
        await app.add('Feed the cat');
        await app.add('Water the plants, and those of the neighbours, who are away until Sunday');
        assert.deepEqual((await app.names(3)).slice(0, 2), ['Walk the dog', 'Feed the cat']);
    });

    await step('a todo that she ticks stays ticked', async () => {
        const tick = () => app.box('Walk the dog').check();
        assert.equal((await app.answered('PATCH', tick)).status(), 200);
        await page.reload();
        await app.names(3);
        assert.ok(await app.box('Walk the dog').isChecked());
        assert.ok(!await app.box('Feed the cat').isChecked());
        if (options.screenshot) await page.screenshot({ path: options.screenshot });
    });

    await step('a refused name is explained', async () => {
        await app.name.fill('   ');
        await app.button('Add').click();
        await app.error.getByText(/^name must/).waitFor();
        assert.equal(await app.todos.count(), 3);
        await checkAppearance(page, 'with an error');
    });

    await step('the error is gone after the next success', async () => {
        await app.add('Buy milk');
        assert.equal(await app.error.innerText(), '');
    });

    await step('she deletes a todo', async () => {
        const remove = () => app.button('Delete Feed the cat').click();
        assert.equal((await app.answered('DELETE', remove)).status(), 204);
        assert.ok(!(await app.names(3)).includes('Feed the cat'));
        await page.reload();
        assert.ok(!(await app.names(3)).includes('Feed the cat'));
    });

    await step('a tick that the API refuses is taken back', async () => {
        await context.route(`${api}/todoitems/*`, (route) => route.abort());
        await app.box('Buy milk').click();
        await app.error.getByText('A server does not respond').waitFor();
        assert.ok(!await app.box('Buy milk').isChecked());
        await context.unroute(`${api}/todoitems/*`);
    });

    await step('an expired access token is renewed without a question', async () => {
        // MSAL does not use a cached token that has expired.
        await page.clock.setSystemTime(Date.now() + 2 * 60 * 60 * 1000);
        const isToken = (request) => new URL(request.url()).pathname.endsWith('/token');
        const asked = page.waitForRequest(isToken);
        await page.reload();
        await app.names(3);
        const form = new URLSearchParams((await asked).postData());
        assert.equal(form.get('grant_type'), 'refresh_token');
    });

    await step('more than one page of todos is shown on request', async () => {
        for (let count = 0; count < 100; count += 1) await app.create(`Todo ${count}`);
        await page.reload();
        await app.names(100);
        await app.button('Show more').click();
        await app.names(103);
        assert.ok(!await app.button('Show more').isVisible());
    });

    await step('after signing out, nobody is signed in', async () => {
        await app.signOut();
        assert.equal(await page.getByText('Uma Ulrich').count(), 0);
        await page.reload();
        await app.button('Sign in').waitFor();
    });

    await step('Ulf sees nothing of Uma\'s', async () => {
        const listed = app.answered('GET', () => app.signIn('Ulf'));
        assert.deepEqual(await (await listed).json(), { items: [] });
    });
}

async function step(name, run) {
    try {
        await run();
    } catch (error) {
        console.error(`FAILED: ${name}`);
        throw error;
    }
    console.log(`ok: ${name}`);
}

const server = await start();
const browser = await chromium.launch(launchOptions);
try {
    const context = await browser.newContext();
    context.setDefaultTimeout(ONE_WAIT);
    context.on('weberror', (error) => { throw error.error(); });
    await walk(context, server.app);
} finally {
    await browser.close();
    await server.close();
}
