// Starts Swagger UI. Its OAuth client is public: it has no secret and uses PKCE (RFC 7636, method
// S256).

import { plugin } from './plugin.js';
import { settings } from './settings.js';

// Everything is below the page's own path, because a proxy may serve the API below a prefix.
const base = new URL('.', location.href);

const ui = SwaggerUIBundle({
    dom_id: '#swagger-ui',
    url: new URL('openapi.json', base).pathname,
    oauth2RedirectUrl: new URL('oauth2-redirect', base).href,
    plugins: [plugin(base)],
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    // The default theme has too little contrast.
    syntaxHighlight: { theme: 'tomorrow-night' },
    validatorUrl: null,
    persistAuthorization: false,
});
ui.initOAuth({ ...settings, usePkceWithAuthorizationCodeGrant: true });

// Swagger UI has a dark theme, but does not follow the system.
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
