// What every page that uses MSAL does as it loads. The test does the rest, with `app`.

let app;

/** What a redirect has brought back, or null. */
const returned = (async () => {
    const configuration = await (await fetch('/configuration.json')).json();
    app = new msal.PublicClientApplication(configuration);
    await app.initialize();
    return app.handleRedirectPromise();
})();
