// Finds out from the protected resource metadata (RFC 9728) where to get a token, as MCP clients do,
// signs in at the development tenant with `resource` (RFC 8707), and calls.
//
//     node tests/clients/mcp.mjs
//
// Needs `make tools`, and the environment that tests/todo_api/mcp.rs sets. Prints a line for each
// row that passed, and exits with 1 if a row failed.

import assert from 'node:assert/strict';
import { redirectTo, run, settings, tools } from './lib/matrix.mjs';
import { ADA, Visitor, answerIn } from './lib/visitor.mjs';

const { Client } = tools('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } =
    tools('@modelcontextprotocol/sdk/client/streamableHttp.js');
const { UnauthorizedError } = tools('@modelcontextprotocol/sdk/client/auth.js');
const oauth = tools('oauth4webapi');

const insecure = { [oauth.allowInsecureRequests]: true };
const desktop = { client_id: settings.DESKTOP_CLIENT_ID };

/** What an MCP client remembers while a person signs in. */
class SignIn {
    clientMetadata = { client_name: 'MCP test', redirect_uris: [] };
    #tokens;
    #verifier;

    constructor(redirectUrl) {
        this.redirectUrl = redirectUrl;
    }

    clientInformation() { return desktop; }
    tokens() { return this.#tokens; }
    saveTokens(tokens) { this.#tokens = tokens; }
    codeVerifier() { return this.#verifier; }
    saveCodeVerifier(verifier) { this.#verifier = verifier; }
    redirectToAuthorization(url) { this.page = url; }
}

/** Connects to the MCP server; a person signs in on the way. */
async function connect() {
    const signIn = new SignIn(await redirectTo('/'));
    const url = new URL(settings.MCP_URL);
    const first = new StreamableHTTPClientTransport(url, { authProvider: signIn });
    const client = new Client({ name: 'test', version: '1' });
    await assert.rejects(client.connect(first), UnauthorizedError);
    const back = await new Visitor(ADA).visit(signIn.page, signIn.redirectUrl);
    await first.finishAuth(answerIn(back).answer.get('code'));
    const second = new StreamableHTTPClientTransport(url, { authProvider: signIn });
    await client.connect(second);
    return { client, signIn };
}

/** The metadata of a resource and of its authorization server, both checked by the library. */
async function discover(url) {
    const found = await oauth.resourceDiscoveryRequest(new URL(url), insecure);
    const resource = await oauth.processResourceDiscoveryResponse(new URL(url), found);
    const issuer = new URL(resource.authorization_servers[0]);
    const answer = await oauth.discoveryRequest(issuer, insecure);
    return { resource, server: await oauth.processDiscoveryResponse(issuer, answer) };
}

/** Signs Ada in with `parameters` in the request for the code. Returns the response to the app. */
async function authorize(server, redirectUri, parameters) {
    const url = new URL(server.authorization_endpoint);
    url.search = new URLSearchParams({
        ...desktop, redirect_uri: redirectUri, response_type: 'code', ...parameters,
    });
    return answerIn(await new Visitor(ADA).visit(url, redirectUri)).answer;
}

/** Gets a token for the resource at this URL. */
async function tokenFor(url) {
    const { resource, server } = await discover(url);
    const redirectUri = await redirectTo('/');
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const answer = await authorize(server, redirectUri, {
        scope: resource.scopes_supported.join(' '),
        resource: resource.resource,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
    });
    const callback = oauth.validateAuthResponse(server, desktop, answer, state);
    const response = await oauth.authorizationCodeGrantRequest(
        server, desktop, oauth.None(), callback, redirectUri, verifier,
        { ...insecure, additionalParameters: { resource: resource.resource } },
    );
    return oauth.processAuthorizationCodeResponse(server, desktop, response);
}

await run('MCP', '1', {
    'MCP SDK': async () => {
        const { client, signIn } = await connect();
        assert.equal(signIn.page.searchParams.get('resource'), settings.MCP_URL);
        const { tools: offered } = await client.listTools();
        assert.deepEqual(offered.map(({ name }) => name), ['whoami']);
        const { content } = await client.callTool({ name: 'whoami' });
        assert.equal(content[0].text, settings.ADA);
        await client.close();
    },
    'oauth4webapi, todo API': async () => {
        const { access_token: token } = await tokenFor(settings.API_URL);
        const url = new URL(`${settings.API_URL}/todoitems`);
        const response = await oauth.protectedResourceRequest(
            token, 'GET', url, undefined, undefined, insecure,
        );
        assert.equal(response.status, 200);
    },
    'oauth4webapi, MCP server': async () => {
        const { access_token: token } = await tokenFor(settings.MCP_URL);
        const { statusText, status } = await oauth.protectedResourceRequest(
            token, 'POST', new URL(settings.MCP_URL),
            new Headers({
                accept: 'application/json, text/event-stream', 'content-type': 'application/json',
            }),
            JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
            insecure,
        );
        assert.equal(status, 200, statusText);
    },
    'another resource is refused': async () => {
        const { resource, server } = await discover(settings.MCP_URL);
        for (const other of [`${settings.MCP_URL}/`, 'https://other.example/mcp']) {
            const answer = await authorize(server, await redirectTo('/'), {
                scope: resource.scopes_supported.join(' '),
                resource: other,
            });
            assert.equal(answer.get('error'), 'invalid_target', other);
            assert.match(answer.get('error_description'), /^AADSTS9010010:/);
        }
    },
});
