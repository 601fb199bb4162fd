//! Access tokens.

use crate::{
    directory::{App, OptionalClaim, Person},
    ids::MICROSOFT_GRAPH,
    keys::SignError,
    random,
};

use super::{
    agents::{path_subject, set_agent_claims},
    claims::{Claims, pairwise_subject, routing_hint, stable_id},
    claims_request::ClaimsRequest,
    confirmation::Confirmation,
    issuer::Issuer,
    optional_claims::{GroupsOverage, set_personal},
};

/// The content of an access token
/// (<https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>).
pub(crate) struct AccessToken<'a> {
    /// The API.
    pub(crate) resource: &'a App,
    /// The client.
    pub(crate) client: &'a App,
    /// How the client has authenticated.
    pub(crate) proof: Proof,
    /// On whose behalf the API is called.
    pub(crate) subject: Subject<'a>,
    /// The `claims` parameter of the client.
    pub(crate) claims: &'a ClaimsRequest,
    /// The key of the client to which the token is bound, if any.
    pub(crate) confirmation: Option<&'a Confirmation>,
    /// In seconds.
    pub(crate) lifetime: u64,
}

/// On whose behalf an API is called.
pub(crate) enum Subject<'a> {
    /// A person, who granted the app these scopes.
    Person {
        person: &'a Person,
        /// Separated by spaces.
        scopes: String,
    },
    /// The app itself.
    App {
        /// The GUID of the tenant.
        tenant: &'a str,
        /// The agent whose blueprint the app is, if the token is to prove that the app acts for it:
        /// the `fmi_path` of the request.
        agent: Option<&'a str>,
    },
}

/// How a client has authenticated. The values are those of the claims `azpacr` and `appidacr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A public client does not authenticate.
    None = 0,
    /// With a secret.
    Secret = 1,
    /// With a certificate, with the token of an issuer that the app trusts, or as a managed
    /// identity.
    Certificate = 2,
}

impl Issuer {
    /// Issues an access token, in the version that the API accepts.
    pub(crate) fn access_token(&self, token: &AccessToken<'_>) -> Result<String, SignError> {
        let tenant = token.subject.tenant();
        let base_url = self.base_url(token.resource);
        let mut claims = match token.resource.access_token_version {
            1 => token.version_1(base_url, self.now()),
            _ => token.version_2(base_url, self.now()),
        };
        if let Subject::App { .. } = token.subject {
            let roles = self.directory.now().roles_of_app(token.client, token.resource);
            claims.set_any("roles", &roles);
        }
        if token.resource.client_id == MICROSOFT_GRAPH {
            // As in Entra, tokens for Graph have a nonce in the header. In Entra, only Graph can
            // verify their signature. Here, the signature is an ordinary one.
            let key = self.key_for(token.resource, tenant);
            let mut header = key.header();
            header.insert("nonce".to_owned(), random::secret().into());
            return key.sign(&header, &claims.into_inner());
        }
        self.sign(token.resource, tenant, claims)
    }
}

impl AccessToken<'_> {
    /// The audience is the bare client id of the API, never its app id URI.
    fn version_2(&self, base_url: &str, now: u64) -> Claims {
        let issuer = format!("{base_url}/{}/v2.0", self.subject.tenant());
        let mut claims = Claims::new(&self.resource.client_id, issuer, now, self.lifetime);
        claims.set("azp", self.client.client_id.as_str());
        claims.set("azpacr", self.acr());
        match &self.subject {
            Subject::Person { person, .. } => {
                claims.set("name", person.display_name.as_str());
                claims.set("preferred_username", person.sign_in_name.as_str());
            }
            Subject::App { .. } => {}
        }
        self.common(&mut claims, base_url);
        claims.set("ver", "2.0");
        claims
    }

    fn version_1(&self, base_url: &str, now: u64) -> Claims {
        let issuer = format!("{base_url}/{}/", self.subject.tenant());
        let mut claims =
            Claims::new(self.resource.app_id_uri(), issuer.clone(), now, self.lifetime);
        claims.set("appid", self.client.client_id.as_str());
        claims.set("appidacr", self.acr());
        match &self.subject {
            Subject::Person { person, .. } => {
                claims.set("acr", "1");
                claims.set("amr", ["pwd"].as_slice());
                claims.set_some("family_name", person.family_name());
                claims.set("given_name", person.given_name());
                claims.set("ipaddr", "127.0.0.1");
                claims.set("name", person.display_name.as_str());
                claims.set("unique_name", person.sign_in_name.as_str());
                claims.set_some("upn", person.principal_name());
            }
            Subject::App { .. } => claims.set("idp", issuer),
        }
        self.common(&mut claims, base_url);
        claims.set("ver", "1.0");
        claims
    }

    /// The claims that are the same in both versions.
    fn common(&self, claims: &mut Claims, base_url: &str) {
        let wants = |claim| self.resource.wants(claim);
        let tenant = self.subject.tenant();
        claims.set("aio", random::secret());
        claims.set_some("cnf", self.confirmation.map(Confirmation::claim));
        if wants(OptionalClaim::Acrs) {
            claims.set_any("acrs", &self.claims.contexts);
        }
        set_agent_claims(claims, self.resource, self.client, &self.subject);
        if wants(OptionalClaim::XmsCc) {
            claims.set_any("xms_cc", &self.claims.capabilities);
        }
        match &self.subject {
            Subject::Person { person, scopes } => {
                let overage = GroupsOverage::At(base_url);
                set_personal(claims, self.resource, person, overage);
                claims.set("oid", person.oid.as_str());
                claims.set("rh", routing_hint(tenant, &person.oid));
                claims.set_any("roles", person.roles(&self.resource.client_id));
                claims.set("scp", scopes.as_str());
                claims.set("sub", pairwise_subject(person, &self.resource.client_id));
            }
            Subject::App { agent, .. } => {
                let principal = service_principal(tenant, self.client);
                claims.set_some("idtyp", wants(OptionalClaim::Idtyp).then_some("app"));
                claims.set("oid", principal.as_str());
                claims.set("rh", routing_hint(tenant, &principal));
                let of_agent = agent.map(|agent| path_subject(tenant, self.client, agent));
                claims.set("sub", of_agent.unwrap_or(principal));
                let identity = self.client.managed_identity.as_ref();
                let resource_id = identity.map(|identity| identity.resource_id.as_str());
                let resource_id = resource_id.filter(|_| wants(OptionalClaim::XmsMirid));
                claims.set_some("xms_mirid", resource_id);
            }
        }
        claims.set("tid", tenant);
        claims.set("uti", random::short_id());
    }

    fn acr(&self) -> String {
        (self.proof as u8).to_string()
    }
}

impl Subject<'_> {
    /// The GUID of the tenant: the `tid` claim.
    fn tenant(&self) -> &str {
        match self {
            Self::Person { person, .. } => &person.tenant,
            Self::App { tenant, .. } => tenant,
        }
    }
}

/// The object id of an app in a tenant. It is stable, and differs between tenants. An agent is in
/// one tenant only: there, as in Entra, its client id is also its object id.
pub(crate) fn service_principal(tenant: &str, app: &App) -> String {
    let App { client_id, agent_blueprint, .. } = app;
    match agent_blueprint {
        Some(_) => client_id.clone(),
        None => stable_id(&format!("service principal {tenant} {client_id}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_principal_has_one_id_in_each_tenant() {
        let app = App { client_id: "c".to_owned(), ..App::default() };
        let id = service_principal("t", &app);
        assert!(uuid::Uuid::try_parse(&id).is_ok());
        assert_eq!(id, service_principal("t", &app));
        assert_ne!(id, service_principal("u", &app));
        let agent = App { agent_blueprint: Some("b".to_owned()), ..app };
        assert_eq!(service_principal("t", &agent), "c");
    }
}
