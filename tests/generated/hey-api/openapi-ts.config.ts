export default {
    input: 'openapi.json',
    // Without a bundler, Node needs the extension.
    output: { path: 'client', module: { extension: '.ts' } },
};
