//! The policies that cases refer to by name.

use http::HeaderMap;
use poem_entra::{Policy, Principal, Rejection, Requirement, Validator, token};

/// Declares the policies, which `vectors/README.md` describes.
macro_rules! policies {
    ($($name:literal $policy:ident $requires:expr;)*) => {
        $(
            struct $policy;

            impl Policy for $policy {
                type Caller = Principal;
                const REQUIRES: Requirement = $requires;
            }
        )*

        pub(super) async fn authorize(
            policy: Option<&str>,
            validator: &Validator,
            headers: &HeaderMap,
        ) -> Result<Principal, Rejection> {
            match policy {
                None => validator.validate(token::bearer(headers)?).await,
                $(Some($name) => validator.authorize::<$policy>(headers).await,)*
                Some(other) => panic!("there is no policy {other}"),
            }
        }
    };
}

const SCOPE: Requirement = Requirement::scope(&["access_as_user"]);

policies! {
    "scope" Scope SCOPE;
    "one-of-two-scopes" OneOfTwoScopes Requirement::scope(&["todos.read", "access_as_user"]);
    "scope-and-role" ScopeAndRole SCOPE.and_role(&["Admin"]);
    "app-only" AppOnly Requirement::app_role(&["Todos.Read.All"]);
    "scope-or-app-role" ScopeOrAppRole
        Requirement::scope_or_app_role(&["access_as_user"], &["Todos.Read.All"]);
    "client-list" ClientList SCOPE.and_client(&["d4d4d4d4-4444-4444-8444-444444444444"]);
    "no-guests" NoGuests SCOPE.and_no_guests();
    "group" InGroup SCOPE.and_group(&["f6f6f6f6-6666-4666-8666-666666666666"]);
    "humans-only" HumansOnly Requirement::scope_or_app_role(
        &["access_as_user"],
        &["Todos.Read.All"],
    ).and_humans_only();
    "no-agents" NoAgents Requirement::scope_or_app_role(
        &["access_as_user"],
        &["Todos.Read.All"],
    ).and_no_agents();
    "humans-without-agents" HumansWithoutAgents SCOPE.and_humans_only().and_no_agents();
    "step-up" StepUp SCOPE.and_authentication_context("c1");
    "two-roles" TwoRoles SCOPE.and_role(&["Admin"]).and_role(&["Auditor"]);
    "two-groups" TwoGroups SCOPE
        .and_group(&["f6f6f6f6-6666-4666-8666-666666666666"])
        .and_group(&["07070707-7777-4777-8777-777777777777"]);
    "two-client-lists" TwoClientLists SCOPE
        .and_client(&[
            "b2b2b2b2-2222-4222-8222-222222222222",
            "d4d4d4d4-4444-4444-8444-444444444444",
        ])
        .and_client(&[
            "c3c3c3c3-3333-4333-8333-333333333333",
            "d4d4d4d4-4444-4444-8444-444444444444",
        ]);
    "two-contexts" TwoContexts
        SCOPE.and_authentication_context("c1").and_authentication_context("c2");
}
