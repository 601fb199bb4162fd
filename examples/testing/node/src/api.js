// A small API that is protected with Microsoft Entra ID. It has no code for tests.

import { createServer } from 'node:http';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const operations = {
    'GET /me': { run: (user) => ({ name: user.name }) },
    'DELETE /announcements': { role: 'Admin', run: () => ({ deleted: true }) },
};

/**
 * Reads where the keys are, and creates the server.
 *
 * @param {object} settings
 * @param {string} settings.authority an instance of Entra and the id of the tenant, such as
 *     `https://login.microsoftonline.com/` and a GUID
 * @param {string} settings.clientId the id of the API's app registration
 * @returns {Promise<import('node:http').Server>}
 */
export async function createApi({ authority, clientId }) {
    const metadata = await fetch(`${authority}/v2.0/.well-known/openid-configuration`);
    if (!metadata.ok) throw new Error(`failed to read ${metadata.url}: ${metadata.status}`);
    const { issuer, jwks_uri: jwksUri } = await metadata.json();
    const authenticate = authenticator(new URL(jwksUri), {
        issuer,
        audience: clientId,
        algorithms: ['RS256'],
        requiredClaims: ['exp'],
    });
    return createServer(async (request, response) => {
        response.setHeader('Content-Type', 'application/json');
        try {
            const user = await authenticate(request.headers.authorization);
            const operation = operations[`${request.method} ${request.url}`];
            if (!operation) throw new Refusal(404);
            authorize(user, operation.role);
            response.end(JSON.stringify(operation.run(user)));
        } catch (error) {
            const status = error instanceof Refusal ? error.status : 500;
            if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
            response.writeHead(status).end(JSON.stringify({ status }));
        }
    });
}

/** Returns a function that returns the claims of a valid bearer token. */
function authenticator(jwksUri, checks) {
    const keys = createRemoteJWKSet(jwksUri);
    const findKey = (header, token) => keys(header, token).catch((error) => {
        const { JWKSMultipleMatchingKeys, JWKSNoMatchingKey } = errors;
        const aboutToken = [JWKSMultipleMatchingKeys, JWKSNoMatchingKey];
        // An outage of Entra is not the fault of the caller.
        throw aboutToken.includes(error.constructor) ? error : new Refusal(503);
    });
    return async (authorization) => {
        const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
        if (!token) throw new Refusal(401);
        try {
            return (await jwtVerify(token, findKey, checks)).payload;
        } catch (error) {
            throw error instanceof Refusal ? error : new Refusal(401);
        }
    };
}

function authorize({ scp = '', roles = [] }, role) {
    const hasScope = scp.split(' ').includes('access_as_user');
    if (!hasScope || (role && !roles.includes(role))) throw new Refusal(403);
}

class Refusal extends Error {
    constructor(status) {
        super(`refused with ${status}`);
        this.status = status;
    }
}
