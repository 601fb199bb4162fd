export default {
    input: '.',
    // Without a bundler, Node needs the extension.
    output: { path: 'client', module: { extension: '.ts' } },
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
};
