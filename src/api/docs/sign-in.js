// The sign-in window.

/** The channel of the sign-in that has not finished. */
let channel;

/**
 * Opens the window at this URL. The page at the redirect URI sends the response through a channel
 * that is named after the state (RFC 6749, section 10.12), so a response with another state does
 * not arrive. A channel also works if the authority separates the window from its opener with
 * Cross-Origin-Opener-Policy.
 */
export function openSignIn(url, request) {
    channel?.close();
    // Swagger UI uses the time as the state, which others could guess.
    const state = Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join('-');
    const address = new URL(url);
    address.searchParams.set('state', state);
    channel = new BroadcastChannel(`sign-in ${state}`);
    channel.onmessage = ({ data }) => {
        channel.postMessage('received');
        channel.close();
        finish(request, data);
    };
    window.open(address);
}

/** Passes the response to Swagger UI. */
function finish({ auth, redirectUrl, callback, errCb }, { code, error, description }) {
    if (code) {
        callback({ auth: { ...auth, code }, redirectUrl });
    } else {
        const message = `The sign-in failed: ${error}: ${description}`;
        errCb({ authId: auth.name, source: 'auth', level: 'error', message });
    }
}

/**
 * The name in the ID token or access token, only for display: the page does not verify tokens. An
 * Immutable.js map holds the tokens.
 */
export function nameIn(tokens) {
    try {
        const [, payload] = (tokens.get('id_token') ?? tokens.get('access_token')).split('.');
        const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
        const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
        const { name, preferred_username: address } = JSON.parse(new TextDecoder().decode(bytes));
        return [name, address].find((text) => typeof text === 'string' && text !== '');
    } catch {
        return undefined;
    }
}
