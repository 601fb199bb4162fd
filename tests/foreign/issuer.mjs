// An issuer that we did not write: the certified npm oidc-provider, configured like Entra's v2
// endpoint.
//
//     node tests/foreign/issuer.mjs
//
// Needs `make tools`. Signs Ida in twice as a browser would (authorization code flow with PKCE).
// Prints one line of JSON with its address, an ID token and the two access tokens, one for our API and
// one for another API. Then it serves until its standard input ends.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { ONE_FLOW } from '../browser/limits.mjs';
import { tools } from '../tools/require.mjs';

// The provider prints advice to stdout, which is reserved for the one line of JSON.
console.info = console.error;
const { Provider } = tools('oidc-provider');

const TENANT = '77777777-7777-4777-8777-777777777777';
const CLIENT_ID = '88888888-8888-4888-8888-888888888888';
const API_CLIENT_ID = '99999999-9999-4999-8999-999999999999';
const OTHER_API_CLIENT_ID = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
const IDA = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';
const SCOPE = 'access_as_user';
const REDIRECT = 'http://localhost:8000/oauth2-redirect';
const MOUNT = `/${TENANT}/v2.0`;

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const instance = `http://127.0.0.1:${server.address().port}`;
const issuer = `${instance}${MOUNT}`;

const provider = new Provider(issuer, {
    clients: [{
        client_id: CLIENT_ID,
        redirect_uris: [REDIRECT],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: 'none',
    }],
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: {
        resourceIndicators: {
            enabled: true,
            // As in Entra, a resource is an App ID URI, and the audience is the GUID in it.
            getResourceServerInfo: (_, resource) => ({
                scope: SCOPE,
                audience: resource.slice('api://'.length),
                accessTokenFormat: 'jwt',
                accessTokenTTL: 3_600,
                jwt: { sign: { alg: 'RS256' } },
            }),
        },
    },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    formats: { customizers: { jwt: shapeAsEntra } },
    jwks: { keys: [signingKey()] },
});

/** Renames the provider's claims for user, client and scopes to Entra's names. */
function shapeAsEntra(_, token, jwt) {
    const { scope, client_id, ...claims } = jwt.payload;
    jwt.payload = {
        ...claims,
        nbf: claims.iat,
        azp: client_id,
        azpacr: '0',
        oid: token.accountId,
        roles: ['Reader'],
        scp: scope,
        tid: TENANT,
        ver: '2.0',
    };
}

function signingKey() {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const kid = randomBytes(20).toString('base64url');
    return { ...privateKey.export({ format: 'jwk' }), use: 'sig', kid };
}

// Mount it as Express would: the provider derives its base path from the difference of the URLs.
const callback = provider.callback();
server.on('request', (request, response) => {
    if (!request.url.startsWith(`${MOUNT}/`)) {
        response.writeHead(404).end();
        return;
    }
    request.originalUrl = request.url;
    request.url = request.url.slice(MOUNT.length);
    callback(request, response);
});

/** Signs Ida in and returns the token response for an API. */
async function signIn(api) {
    const signal = AbortSignal.timeout(ONE_FLOW);
    const { authorization_endpoint: authorize, token_endpoint: endpoint } =
        await (await fetch(`${issuer}/.well-known/openid-configuration`, { signal })).json();
    const cookies = new Map();
    const browse = async (url, form) => {
        const response = await fetch(url, {
            signal,
            redirect: 'manual',
            method: form ? 'POST' : 'GET',
            body: form && new URLSearchParams(form),
            headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        });
        for (const cookie of response.headers.getSetCookie()) {
            const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
            cookies.set(name, value);
        }
        const location = response.headers.get('location');
        assert.ok(location, `${response.status} from ${url}: ${await response.text()}`);
        return new URL(location, url);
    };

    const verifier = randomBytes(32).toString('base64url');
    const state = randomBytes(8).toString('base64url');
    const resource = `api://${api}`;
    let at = await browse(`${authorize}?${new URLSearchParams({
        client_id: CLIENT_ID,
        response_type: 'code',
        redirect_uri: REDIRECT,
        scope: `openid ${SCOPE}`,
        resource,
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
    })}`);
    const login = { prompt: 'login', login: IDA, password: 'any' };
    for (const answer of [login, { prompt: 'consent' }]) {
        assert.match(at.pathname, /\/interaction\//);
        at = await browse(await browse(at, answer));
    }
    assert.ok(at.href.startsWith(`${REDIRECT}?`), at.href);
    assert.equal(at.searchParams.get('state'), state);

    const answer = await fetch(endpoint, {
        signal,
        method: 'POST',
        body: new URLSearchParams({
            grant_type: 'authorization_code',
            client_id: CLIENT_ID,
            redirect_uri: REDIRECT,
            resource,
            code: at.searchParams.get('code'),
            code_verifier: verifier,
        }),
    });
    const body = await answer.json();
    assert.ok(body.access_token && body.id_token, JSON.stringify(body));
    return body;
}

const { access_token: token, id_token: idToken } = await signIn(API_CLIENT_ID);
const { access_token: tokenForAnotherApi } = await signIn(OTHER_API_CLIENT_ID);
console.log(JSON.stringify({
    instance,
    tenant: TENANT,
    apiClientId: API_CLIENT_ID,
    clientId: CLIENT_ID,
    subject: IDA,
    token,
    tokenForAnotherApi,
    idToken,
}));
process.stdin.resume().on('end', () => process.exit());
