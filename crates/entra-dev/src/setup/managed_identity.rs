//! What a managed identity, and an app that trusts other issuers, need in each language.

use crate::{
    directory::{App, IdentityKind, ManagedIdentity},
    tokens::service_principal,
};

use super::{Language, Setup, quoting::shell_word};

/// The settings of a managed identity: the variables that libraries read, and its ids.
pub(super) fn settings(setup: &Setup<'_>, app: &App, identity: &ManagedIdentity) -> Vec<Row> {
    let mut rows = vec![
        ("kind", format!("{} managed identity", identity.kind.name())),
        ("object id", service_principal(&app.tenant, app)),
        ("resource id", identity.resource_id.clone()),
    ];
    rows.extend(setup.scopes(app).into_iter().map(|scope| ("scope", scope)));
    rows
}

/// The environment of programs that use it, and the call that they make. Without these variables,
/// they would ask Azure at its link-local address.
pub(super) fn calls(
    language: Language,
    setup: &Setup<'_>,
    app: &App,
    identity: &ManagedIdentity,
) -> String {
    let App { client_id, tenant, .. } = app;
    let id = (identity.kind == IdentityKind::UserAssigned).then_some(client_id.as_str());
    let Setup { http, .. } = setup;
    let identity_header = shell_word(&setup.identity_header.to_string());
    let mut text = format!(
        "export IDENTITY_ENDPOINT={http}/{tenant}/msi/token    # App Service\n\
         export IDENTITY_HEADER={identity_header}\n\
         # or, for a virtual machine: export AZURE_POD_IDENTITY_AUTHORITY_HOST={http}\n"
    );
    if let Some(client_id) = id {
        text += &format!("export AZURE_CLIENT_ID={client_id}    # for DefaultAzureCredential\n");
    }
    text + "\n" + &credential(language, setup, app, id)
}

fn credential(language: Language, setup: &Setup<'_>, app: &App, id: Option<&str>) -> String {
    let quoted = id.map(|id| format!("\"{id}\""));
    let with = |before: &str, after: &str| {
        quoted.as_ref().map(|id| format!("{before}{id}{after}")).unwrap_or_default()
    };
    match language {
        Language::Dotnet => {
            let kind = match &quoted {
                Some(id) => format!("FromUserAssignedClientId({id})"),
                None => "SystemAssigned".to_owned(),
            };
            format!("new ManagedIdentityCredential(ManagedIdentityId.{kind})\n")
        }
        Language::Python => {
            let kind = match &quoted {
                Some(id) => format!("UserAssignedManagedIdentity(client_id={id})"),
                None => "SystemAssignedManagedIdentity()".to_owned(),
            };
            format!(
                "azure.identity.ManagedIdentityCredential({})\n\
                 msal.ManagedIdentityClient(\n    \
                     msal.{kind}, http_client=requests.Session())\n",
                with("client_id=", "")
            )
        }
        Language::Node => format!(
            "new identity.ManagedIdentityCredential({})\n\
             new msal.ManagedIdentityApplication({})\n",
            with("{ clientId: ", " }"),
            with("{ managedIdentityIdParams: { userAssignedClientId: ", " } }"),
        ),
        Language::Java => format!(
            "new ManagedIdentityCredentialBuilder(){}.build()\n",
            with(".clientId(", ")")
        ),
        Language::Go => format!(
            "azidentity.NewManagedIdentityCredential({})\n",
            quoted.as_ref().map_or_else(
                || "nil".to_owned(),
                |id| format!(
                    "\n    &azidentity.ManagedIdentityCredentialOptions{{ID: azidentity.ClientID({id})}}"
                )
            )
        ),
        Language::Rust => {
            let query = id.map(|id| format!("&client_id={id}")).unwrap_or_default();
            let resource = setup.scopes(app);
            let resource = resource.first().and_then(|scope| scope.strip_suffix("/.default"));
            format!(
                "// GET $IDENTITY_ENDPOINT?api-version=2019-08-01&resource={}{query}\n\
                 // X-IDENTITY-HEADER: $IDENTITY_HEADER\n",
                resource.unwrap_or("..")
            )
        }
    }
}

/// The environment of a program that authenticates with the token of another issuer.
pub(super) fn federation(setup: &Setup<'_>, app: &App) -> String {
    if app.federated_credentials.is_empty() {
        return String::new();
    }
    let App { client_id, tenant, .. } = app;
    format!(
        "# With a token of an issuer that the app trusts (workload identity):\n\
         export AZURE_AUTHORITY_HOST={}\n\
         export AZURE_TENANT_ID={tenant}\n\
         export AZURE_CLIENT_ID={client_id}\n\
         export AZURE_FEDERATED_TOKEN_FILE=..    # a file with the token\n",
        setup.https
    )
}

/// The settings about the issuers that an app trusts.
pub(super) fn trusted(setup: &Setup<'_>, app: &App) -> Vec<Row> {
    let mut rows = Vec::new();
    for credential in &app.federated_credentials {
        rows.push(("trusted issuer", credential.issuer.clone()));
        rows.push(("… subject", credential.subject.clone()));
        rows.push(("… audience", credential.audience.clone()));
    }
    for client_id in &app.trusted_managed_identities {
        let name = setup.directory.app(client_id).map_or("", |app| app.name.as_str());
        rows.push(("trusted app", format!("{name} (managed identity)")));
    }
    rows
}

/// A title and a value.
pub(super) type Row = (&'static str, String);
