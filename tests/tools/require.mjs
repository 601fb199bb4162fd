// Loads the Node packages that `make tools` has installed.

import { createRequire } from 'node:module';

export const tools = createRequire(
    new URL('../../target/tools/node/package.json', import.meta.url),
);
