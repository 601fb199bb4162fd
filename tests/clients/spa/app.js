// Runs when a page that uses MSAL loads. The test does everything else, with `app`.

let app;

/** The result of a redirect, or null. */
const returned = (async () => {
    const configuration = await (await fetch('/configuration.json')).json();
    app = new msal.PublicClientApplication(configuration);
    await app.initialize();
    return app.handleRedirectPromise();
})();
