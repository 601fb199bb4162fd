// Checks a page with axe-core.

import { readFile } from 'node:fs/promises';
import { tools } from '../tools/require.mjs';

const axe = await readFile(tools.resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What breaks the WCAG 2.2 rules that a program can check, each as a line of text. */
export async function violations(page) {
    // Not added as a script of the page, because its Content-Security-Policy would refuse it.
    await page.evaluate(`${axe}; undefined`);
    const { violations: found } = await page.evaluate(
        (values) => window.axe.run({ runOnly: { type: 'tag', values } }),
        RULES,
    );
    return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0].html}`);
}
