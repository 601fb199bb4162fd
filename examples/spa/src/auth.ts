// Signing in and out with MSAL, and access tokens for the API.

import {
    CacheLookupPolicy, InteractionRequiredAuthError, PublicClientApplication,
    type AccountInfo, type BrowserAuthOptions,
} from '@azure/msal-browser';
import { settings } from './settings';

const scopes = [settings.scope];
// This address must be registered as a redirect URI of the type "single-page application".
const redirectUri = new URL('/', location.href).href;

let msal: PublicClientApplication;

/** Must be called first. Finishes a sign-in that returns to this page. Returns who is signed in. */
export async function currentAccount(): Promise<AccountInfo | null> {
    msal = new PublicClientApplication({
        auth: {
            clientId: settings.clientId,
            redirectUri,
            postLogoutRedirectUri: redirectUri,
            ...await authority(settings.authority),
        },
        cache: { cacheLocation: 'sessionStorage' },
    });
    await msal.initialize();
    const result = await msal.handleRedirectPromise();
    if (result) msal.setActiveAccount(result.account);
    return msal.getActiveAccount();
}

/** Leaves the page, and returns to it with an account. */
export function signIn(): Promise<void> {
    return msal.loginRedirect({ scopes });
}

/** Leaves the page, and returns to it without an account. */
export function signOut(): Promise<void> {
    return msal.logoutRedirect({ account: msal.getActiveAccount() });
}

/** An access token for the API: a cached one, or a new one if that has expired. */
export async function accessToken(): Promise<string> {
    try {
        const result = await msal.acquireTokenSilent({
            scopes,
            // Browsers that block third-party cookies also block MSAL's last resort, a hidden frame.
            cacheLookupPolicy: CacheLookupPolicy.AccessTokenAndRefreshToken,
        });
        return result.accessToken;
    } catch (error) {
        if (error instanceof InteractionRequiredAuthError) await msal.acquireTokenRedirect({ scopes });
        throw error;
    }
}

/**
 * MSAL requires TLS for an authority, but not for the endpoints in its metadata. With them, the
 * development tenant can be used without trusting its certificate.
 */
async function authority(url: string): Promise<Partial<BrowserAuthOptions>> {
    if (!url.startsWith('http://localhost:')) return { authority: url };
    const metadata = await fetch(`${url}/v2.0/.well-known/openid-configuration`);
    return {
        authority: url.replace('http:', 'https:'),
        knownAuthorities: [new URL(url).host],
        authorityMetadata: await metadata.text(),
    };
}
