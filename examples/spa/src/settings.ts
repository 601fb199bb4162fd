// The settings, which Vite reads from `.env.development`, `.env.production` or the environment.

export const settings = {
    /** The address of the API. */
    apiUrl: setting('VITE_API_URL'),
    /** The scope of the API, with its App ID URI. */
    scope: setting('VITE_API_SCOPE'),
    /** For example `https://login.microsoftonline.com/` and the id of the tenant. */
    authority: setting('VITE_AUTHORITY'),
    /** The id of this app's registration. */
    clientId: setting('VITE_CLIENT_ID'),
};

function setting(name: string): string {
    const value: unknown = import.meta.env[name];
    if (typeof value !== 'string' || value === '') throw new Error(`${name} is not set`);
    return value;
}
