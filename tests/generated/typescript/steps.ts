// Shared by the journeys in TypeScript: the settings, and one line of output per step.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

/** An environment variable that must be set. */
export function setting(name: string): string {
    const value = process.env[name];
    assert.ok(value, `${name} is not in the environment`);
    return value;
}

/** Prints the version of an installed package. */
export async function printVersion(name: string): Promise<void> {
    const path = `${setting('TOOLS')}/node/node_modules/${name}/package.json`;
    const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
    console.log(`version: ${name} ${version}`);
}

/** Runs one step of the journey and prints its name. */
export async function step(name: string, run: () => Promise<void>): Promise<void> {
    await run();
    console.log(`ok: ${name}`);
}
