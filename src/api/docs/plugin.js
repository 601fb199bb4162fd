// What this page changes in Swagger UI.

/** The plugin for a page whose API is at this URL. */
export const plugin = (base) => () => ({
    wrapComponents: {
        // The page calls its own server only, so there is no choice of servers.
        ServersContainer: () => () => null,
    },
    statePlugins: {
        spec: {
            wrapActions: {
                // The server may not know the address at which the browser reaches it.
                updateSpec: (original) => (text) => original(JSON.stringify({
                    ...JSON.parse(text),
                    servers: [{ url: base.href }],
                })),
            },
        },
    },
});
