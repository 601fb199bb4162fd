//! The ids of the built-in tenants and apps.

/// The tenant of most people (Contoso, domain `contoso.example`).
pub const CONTOSO: &str = "11111111-1111-4111-8111-111111111111";

/// A second tenant (Fabrikam, domain `fabrikam.example`).
pub const FABRIKAM: &str = "22222222-2222-4222-8222-222222222222";

/// The tenant of all personal Microsoft accounts, with the GUID of the public cloud.
pub const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The client id of the API: the `aud` of its v2 access tokens.
pub const API_CLIENT_ID: &str = "33333333-3333-4333-8333-333333333333";

/// The client id of Swagger UI, a single-page app.
pub const SWAGGER_UI_CLIENT_ID: &str = "44444444-4444-4444-8444-444444444444";

/// The client id of a daemon, with the secret [`DAEMON_SECRET`].
pub const DAEMON_CLIENT_ID: &str = "55555555-5555-4555-8555-555555555555";

/// The daemon's secret. It is public, like everything here.
pub const DAEMON_SECRET: &str = "dev-secret";

/// The client id of Microsoft Graph, which is the resource if a client requests no API.
pub const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// The client id of the API `api://AzureADTokenExchange`, whose tokens are client assertions.
pub const TOKEN_EXCHANGE: &str = "fb60f99c-7a34-4190-8149-302f77469936";
