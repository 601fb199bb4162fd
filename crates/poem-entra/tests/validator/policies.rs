//! Which callers a policy allows.

use http::{HeaderMap, StatusCode, header};
use poem_entra::{Policy, Principal, Refusal, Rejection, Requirement, Rule, User};
use serde_json::{Value, json};

use crate::support::{INSTANCE, TENANT, World, token};

struct Reader;

impl Policy for Reader {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["todos.read", "access_as_user"]);
}

struct Admin;

impl Policy for Admin {
    type Caller = Principal;
    const REQUIRES: Requirement =
        Requirement::scope(&["access_as_user"]).and_role(&["Admin", "Owner"]);
}

#[tokio::test]
async fn a_user_needs_one_of_the_scopes_with_exactly_this_name() {
    let world = World::new();
    for (scp, allowed) in [
        ("access_as_user", true),
        ("todos.read", true),
        ("openid todos.read profile", true),
        ("Todos.Read", false),
        ("todos.read.all", false),
        ("todos", false),
    ] {
        let outcome = authorize::<Reader>(&world, |claims| claims["scp"] = scp.into()).await;
        match outcome {
            Ok(_) => assert!(allowed, "{scp}"),
            Err(rejection) => {
                assert!(!allowed, "{scp}");
                assert_eq!(rejection.status(), StatusCode::FORBIDDEN);
                assert_eq!(rejection.code(), "insufficient_scope");
            }
        }
    }
}

#[tokio::test]
async fn a_user_needs_one_of_the_roles_in_addition_to_the_scope() {
    let world = World::new();
    for (scp, roles, code) in [
        ("access_as_user", json!(["Admin"]), None),
        ("access_as_user", json!(["User", "Owner"]), None),
        ("access_as_user", json!(["User"]), Some("insufficient_role")),
        ("access_as_user", json!(["admin"]), Some("insufficient_role")),
        ("other", json!(["Admin"]), Some("insufficient_scope")),
    ] {
        let outcome = authorize::<Admin>(&world, |claims| {
            claims["scp"] = scp.into();
            claims["roles"] = roles.clone();
        })
        .await;
        assert_eq!(outcome.err().map(|rejection| rejection.code()), code, "{scp} {roles}");
    }
}

#[tokio::test]
async fn an_app_is_refused_even_if_its_token_has_the_scope() {
    let world = World::new();
    let outcome = authorize::<Reader>(&world, |claims| claims["idtyp"] = "app".into()).await;
    let rejection = outcome.unwrap_err();
    assert!(matches!(rejection.refusal(), Refusal::InsufficientScope(_)), "{rejection}");
}

macro_rules! policy {
    ($name:ident, $requires:expr) => {
        struct $name;

        impl Policy for $name {
            type Caller = Principal;
            const REQUIRES: Requirement = $requires;
        }
    };
}

const SCOPE: Requirement = Requirement::scope(&["access_as_user"]);
const CLIENT: &str = "44444444-4444-4444-8444-444444444444";
const OTHER_CLIENT: &str = "66666666-6666-4666-8666-666666666666";
const GROUP: &str = "99999999-9999-4999-8999-9999999999ab";
const OTHER_GROUP: &str = "AAAAAAAA-9999-4999-8999-999999999999";

policy!(Daemon, Requirement::app_role(&["Todos.Read.All"]));
policy!(Either, Requirement::scope_or_app_role(&["access_as_user"], &["Todos.Read.All"]));
policy!(OneClient, SCOPE.and_client(&[CLIENT]));
policy!(Members, SCOPE.and_no_guests());
policy!(InGroup, SCOPE.and_group(&[GROUP]));
policy!(SteppedUp, SCOPE.and_authentication_context("c1"));
policy!(Humans, SCOPE.and_humans_only());
policy!(NoAgents, SCOPE.and_no_agents());
policy!(
    EitherMember,
    Requirement::scope_or_app_role(&["access_as_user"], &["Todos.Read.All"]).and_no_guests()
);
policy!(TwoRoles, SCOPE.and_role(&["Admin", "Owner"]).and_role(&["Auditor"]));
policy!(TwoGroups, SCOPE.and_group(&[GROUP]).and_group(&[OTHER_GROUP]));
policy!(TwoClientLists, SCOPE.and_client(&[CLIENT]).and_client(&[OTHER_CLIENT, CLIENT]));
policy!(
    TwoContexts,
    SCOPE.and_authentication_context("c1").and_authentication_context("c22").and_role(&["Admin"])
);
policy!(
    Everything,
    SCOPE
        .and_role(&["Admin"])
        .and_role(&["Auditor"])
        .and_group(&[GROUP])
        .and_client(&[CLIENT])
        .and_no_guests()
        .and_authentication_context("c1")
        .and_authentication_context("c99")
        .and_role(&["Admin", "Owner"])
);

/// Turns the claims of a user into those of an app with these roles.
fn app(roles: &[&str]) -> impl FnOnce(&mut Value) {
    move |claims| {
        claims.as_object_mut().unwrap().remove("scp");
        claims["idtyp"] = "app".into();
        claims["roles"] = json!(roles);
    }
}

/// The code of the rejection; `None` if the caller is allowed.
async fn code<P: Policy>(world: &World, change: impl FnOnce(&mut Value)) -> Option<&'static str> {
    authorize::<P>(world, change).await.err().map(|rejection| rejection.code())
}

#[tokio::test]
async fn an_app_only_policy_refuses_users_with_the_app_role() {
    let world = World::new();
    assert_eq!(code::<Daemon>(&world, app(&["Todos.Read.All"])).await, None);
    assert_eq!(code::<Daemon>(&world, app(&["Other"])).await, Some("insufficient_role"));
    let user = |claims: &mut Value| claims["roles"] = json!(["Todos.Read.All"]);
    assert_eq!(code::<Daemon>(&world, user).await, Some("access_denied"));
}

#[tokio::test]
async fn scope_or_app_role_allows_users_by_scope_and_apps_by_role() {
    let world = World::new();
    assert_eq!(code::<Either>(&world, |_| {}).await, None);
    assert_eq!(code::<Either>(&world, app(&["Todos.Read.All"])).await, None);
    assert_eq!(code::<Either>(&world, app(&["Other"])).await, Some("insufficient_role"));
    let user_with_role_only = |claims: &mut Value| {
        claims["scp"] = "other".into();
        claims["roles"] = json!(["Todos.Read.All"]);
    };
    assert_eq!(code::<Either>(&world, user_with_role_only).await, Some("insufficient_scope"));
}

#[tokio::test]
async fn a_client_that_is_not_listed_is_refused() {
    let world = World::new();
    assert_eq!(code::<OneClient>(&world, |_| {}).await, None);
    let other = |claims: &mut Value| claims["azp"] = json!("55555555-5555-4555-8555-555555555555");
    assert_eq!(code::<OneClient>(&world, other).await, Some("access_denied"));
    let unnamed = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("azp"));
    assert_eq!(code::<OneClient>(&world, unnamed).await, Some("access_denied"));
    let v1 = |claims: &mut Value| {
        claims["ver"] = "1.0".into();
        claims["iss"] = "https://sts.windows.net/11111111-1111-4111-8111-111111111111/".into();
        claims["appid"] = claims["azp"].take();
        claims.as_object_mut().unwrap().remove("azp");
    };
    assert_eq!(code::<OneClient>(&world, v1).await, None, "v1 tokens name the client in appid");
}

#[tokio::test]
async fn no_guests_refuses_guests_and_tokens_without_acct() {
    let world = World::new();
    for (acct, expected) in [
        (json!(0), None),
        (json!("0"), None),
        (json!(1), Some("access_denied")),
        (json!("1"), Some("access_denied")),
        (json!(2), Some("access_denied")),
        (json!(false), Some("access_denied")),
        (json!([0]), Some("access_denied")),
        (json!(null), Some("access_denied")),
    ] {
        let change = |claims: &mut Value| claims["acct"] = acct.clone();
        assert_eq!(code::<Members>(&world, change).await, expected, "{acct}");
    }
    assert_eq!(code::<Members>(&world, |_| {}).await, Some("access_denied"), "acct is absent");
    let member = |claims: &mut Value| {
        app(&["Todos.Read.All"])(claims);
        claims["acct"] = json!(0);
    };
    let refused = code::<EitherMember>(&world, member).await;
    assert_eq!(refused, Some("access_denied"), "an app is never a member");
}

#[tokio::test]
async fn a_refusal_names_the_optional_claims_that_the_api_must_request() {
    let world = World::new();
    let humans = authorize::<Humans>(&world, |_| {}).await.unwrap_err();
    assert_eq!((humans.code(), humans.status()), ("access_denied", StatusCode::FORBIDDEN));
    let agents = authorize::<NoAgents>(&world, |_| {}).await.unwrap_err();
    assert_eq!((agents.code(), agents.status()), ("access_denied", StatusCode::FORBIDDEN));
    let names = |rejection: &Rejection, claims: &[&str]| {
        let headers = rejection.headers(world.validator.challenge());
        let challenge = headers[header::WWW_AUTHENTICATE].to_str().unwrap();
        let hint = rejection.hint().unwrap();
        claims.iter().all(|claim| challenge.contains(claim) && hint.contains(claim))
    };
    assert!(names(&humans, &["xms_sub_fct"]), "{humans:?}");
    assert!(names(&agents, &["xms_act_fct", "xms_sub_fct"]), "{agents:?}");
    assert!(agents.hint().unwrap().contains("xms_par_app_azp"), "{agents:?}");
}

#[tokio::test]
async fn a_rejection_says_which_agent_of_which_blueprint_was_refused() {
    let world = World::new();
    let agent = |claims: &mut Value| {
        claims["xms_act_fct"] = "3 9 11".into();
        claims["xms_sub_fct"] = "13 3".into();
        claims["xms_par_app_azp"] = OTHER_CLIENT.into();
    };
    let rejection = authorize::<NoAgents>(&world, agent).await.unwrap_err();
    let actor = rejection.actor().unwrap();
    assert_eq!(actor.client().unwrap().to_string(), CLIENT);
    assert_eq!((actor.is_agent(), actor.has_agent_user()), (Some(true), Some(true)));
    assert_eq!(actor.blueprint().unwrap().to_string(), OTHER_CLIENT);
}

#[tokio::test]
async fn a_refusal_says_whether_the_client_or_the_user_account_is_an_agent() {
    let world = World::new();
    for (client, account, expected) in [
        ("11", "", "This operation is not for agents; the client app is an agent."),
        ("", "13", "This operation is not for agents; the user account belongs to an agent."),
        ("11", "13", "This operation is not for agents; the client app is an agent."),
    ] {
        let rejection = authorize::<NoAgents>(&world, |claims| {
            claims["xms_act_fct"] = client.into();
            claims["xms_sub_fct"] = account.into();
        });
        assert_eq!(rejection.await.unwrap_err().detail(), expected, "{client:?}, {account:?}");
    }
}

#[tokio::test]
async fn a_second_role_condition_narrows_the_policy() {
    let world = World::new();
    let with = |roles: Value| move |claims: &mut Value| claims["roles"] = roles;
    for roles in [json!(["Admin", "Auditor"]), json!(["Auditor", "Other", "Owner"])] {
        assert_eq!(code::<TwoRoles>(&world, with(roles.clone())).await, None, "{roles}");
    }
    for roles in [json!(["Admin", "Owner"]), json!(["Auditor"]), json!([])] {
        let refused = code::<TwoRoles>(&world, with(roles.clone())).await;
        assert_eq!(refused, Some("insufficient_role"), "{roles}");
    }
}

#[tokio::test]
async fn a_second_group_or_client_condition_narrows_the_policy() {
    let world = World::new();
    let with = |groups: Value| move |claims: &mut Value| claims["groups"] = groups;
    let other = OTHER_GROUP.to_lowercase();
    assert_eq!(code::<TwoGroups>(&world, with(json!([GROUP, other]))).await, None);
    for groups in [json!([GROUP]), json!([other])] {
        let refused = code::<TwoGroups>(&world, with(groups.clone())).await;
        assert_eq!(refused, Some("access_denied"), "{groups}");
    }
    assert_eq!(code::<TwoClientLists>(&world, |_| {}).await, None);
    let other = |claims: &mut Value| claims["azp"] = OTHER_CLIENT.into();
    assert_eq!(code::<TwoClientLists>(&world, other).await, Some("access_denied"));
}

#[tokio::test]
async fn two_contexts_are_required_and_checked_after_the_role() {
    let world = World::new();
    let with = |acrs: Value, role: &'static str| {
        move |claims: &mut Value| {
            claims["acrs"] = acrs;
            claims["roles"] = json!([role]);
            claims["xms_cc"] = json!(["cp1"]);
        }
    };
    assert_eq!(code::<TwoContexts>(&world, with(json!(["c22", "c1"]), "Admin")).await, None);
    for acrs in [json!(["c1"]), json!(["c22"]), json!([])] {
        let refused = code::<TwoContexts>(&world, with(acrs.clone(), "Admin")).await;
        assert_eq!(refused, Some("insufficient_claims"), "{acrs}");
        let refused = code::<TwoContexts>(&world, with(acrs.clone(), "Other")).await;
        assert_eq!(refused, Some("insufficient_role"), "{acrs}");
    }
}

#[tokio::test]
async fn all_of_eight_conditions_are_required() {
    let world = World::new();
    let all = |claims: &mut Value| {
        claims["roles"] = json!(["Admin", "Auditor"]);
        claims["groups"] = json!([GROUP.to_uppercase()]);
        claims["acct"] = json!(0);
        claims["acrs"] = json!(["c1", "c99"]);
    };
    assert_eq!(code::<Everything>(&world, all).await, None);
    for (name, value) in [
        ("roles", json!(["Admin"])),
        ("roles", json!(["Auditor"])),
        ("groups", json!([OTHER_GROUP])),
        ("azp", json!(OTHER_CLIENT)),
        ("acct", json!(1)),
        ("acrs", json!(["c99"])),
        ("acrs", json!(["c1"])),
        ("scp", json!("other")),
    ] {
        let change = |claims: &mut Value| {
            all(claims);
            claims[name] = value.clone();
        };
        assert!(code::<Everything>(&world, change).await.is_some(), "{name}: {value}");
    }
}

#[tokio::test]
async fn a_group_policy_refuses_tokens_with_too_many_groups() {
    let world = World::new();
    assert_eq!(code::<InGroup>(&world, |claims| claims["groups"] = json!([GROUP])).await, None);
    for groups in [json!([]), json!(["other"]), json!(GROUP), json!([GROUP, 7]), json!(null)] {
        let change = |claims: &mut Value| claims["groups"] = groups.clone();
        assert_eq!(code::<InGroup>(&world, change).await, Some("access_denied"));
    }
    assert_eq!(code::<InGroup>(&world, |_| {}).await, Some("access_denied"));
    for overage in [
        json!({ "_claim_names": { "groups": "src1" } }),
        json!({ "hasgroups": true }),
        json!({ "hasgroups": "true", "groups": [GROUP] }),
    ] {
        let change = |claims: &mut Value| {
            claims.as_object_mut().unwrap().extend(overage.as_object().unwrap().clone());
        };
        let rejection = authorize::<InGroup>(&world, change).await.unwrap_err();
        assert_eq!(rejection.rule(), Rule::CompleteGroups, "{overage}");
        assert_eq!(rejection.status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn only_capable_clients_get_a_claims_challenge() {
    let world = World::new();
    assert_eq!(code::<SteppedUp>(&world, |claims| claims["acrs"] = json!(["c1"])).await, None);
    assert_eq!(code::<SteppedUp>(&world, |_| {}).await, Some("access_denied"));
    let capable = |claims: &mut Value| {
        claims["acrs"] = json!(["c2"]);
        claims["xms_cc"] = json!(["cp1"]);
    };
    let rejection = authorize::<SteppedUp>(&world, capable).await.unwrap_err();
    assert_eq!(rejection.rule(), Rule::AuthenticationContext);
    assert_eq!(rejection.status(), StatusCode::UNAUTHORIZED);
    let headers = rejection.headers(world.validator.challenge());
    let header = headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(
        header.starts_with(&format!(
            "Bearer realm=\"{TENANT}\", authorization_uri=\"{INSTANCE}/{TENANT}/oauth2/v2.0/authorize\""
        )),
        "{header}"
    );
    assert!(header.contains("error=\"insufficient_claims\""), "{header}");
    // {"access_token":{"acrs":{"essential":true,"value":"c1"}}}
    let claims = "eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19";
    assert!(header.contains(&format!("claims=\"{claims}\"")), "{header}");
}

#[tokio::test]
async fn a_rejection_never_contains_the_token() {
    let world = World::new();
    let mut claims = world.claims();
    claims["aud"] = "x".repeat(500).into();
    let token = token(&claims);
    let rejection = world.validator.validate(&token).await.unwrap_err();
    let shown =
        format!("{rejection} {rejection:?} {:?}", rejection.headers(world.validator.challenge()));
    for part in token.split('.') {
        assert!(!shown.contains(part), "{shown}");
    }
    assert!(shown.len() < 2_000, "{}", shown.len());
}

async fn authorize<P: Policy>(
    world: &World,
    change: impl FnOnce(&mut Value),
) -> Result<P::Caller, Rejection> {
    let mut claims = world.claims();
    change(&mut claims);
    let bearer = format!("Bearer {}", token(&claims)).parse().unwrap();
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
    world.validator.authorize::<P>(&headers).await
}
