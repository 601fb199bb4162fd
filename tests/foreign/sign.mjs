// Signs any header and payload with a key of the development tenant, including those that no
// library would write.
//
//     node tests/foreign/sign.mjs KEY_FILE KEY ALGORITHM HEADER PAYLOAD
//
// KEY is the key's name in the tenant's file. ALGORITHM is the algorithm that is used, whatever the
// header says: RS256, PS256, or HS256 with the text of the public key as the secret. Prints the
// token.

import { constants, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [file, name, algorithm, header, payload] = process.argv.slice(2);
const { pkcs8 } = JSON.parse(readFileSync(file, 'utf8'))[name];
const key = createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' });
const message = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
const signature = {
    RS256: () => sign('sha256', message, key),
    PS256: () => sign('sha256', message, {
        key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }),
    HS256: () => {
        const secret = createPublicKey(key).export({ format: 'pem', type: 'spki' });
        return createHmac('sha256', secret).update(message).digest();
    },
}[algorithm]();
console.log(`${message}.${signature.toString('base64url')}`);
