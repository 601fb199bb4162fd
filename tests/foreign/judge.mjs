// Judges access tokens with npm jose, using the checks that its documentation shows for an API.
//
//     node tests/foreign/judge.mjs DISCOVERY_URL CLIENT_ID NOW < TOKENS
//
// Needs `make tools`. NOW is the time at which the tokens are judged, in seconds since 1970. Reads a
// JSON string with a token from each line, and prints a line of JSON for each token:
// {"accepted":true}, or {"accepted":false,"reason":"…"}.

import { createInterface } from 'node:readline';
import { tools } from '../tools/require.mjs';

const { createRemoteJWKSet, jwtVerify } = tools('jose');

const [discoveryUrl, clientId, now] = process.argv.slice(2);
const { issuer, jwks_uri: jwksUri } = await (await fetch(discoveryUrl)).json();
const keys = createRemoteJWKSet(new URL(jwksUri));
const checks = {
    issuer,
    audience: [clientId, `api://${clientId}`],
    algorithms: ['RS256'],
    clockTolerance: 60,
    currentDate: new Date(Number(now) * 1_000),
};

for await (const line of createInterface({ input: process.stdin })) {
    const verdict = await jwtVerify(JSON.parse(line), keys, checks).then(
        () => ({ accepted: true }),
        ({ code, message }) => ({ accepted: false, reason: `${code}: ${message}` }),
    );
    console.log(JSON.stringify(verdict));
}
