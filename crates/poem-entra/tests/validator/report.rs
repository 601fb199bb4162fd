//! The outcome of every rule for one token.

use http::{HeaderMap, header};
use poem_entra::{
    Clock, Policy, Report, Requirement, Rule, User,
    report::{Outcome, Why},
};
use serde_json::{Value, json};

use crate::support::{World, token, token_of};

struct Admin;

impl Policy for Admin {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Admin"]);
}

/// The rules that each operation checks for itself.
const OF_POLICIES: [Rule; 3] = [Rule::Policy, Rule::CompleteGroups, Rule::AuthenticationContext];

async fn report_of(world: &World, change: impl FnOnce(&mut Value)) -> Report {
    let mut claims = world.claims();
    change(&mut claims);
    report_on(world, &token(&claims)).await
}

async fn report_on(world: &World, token: &str) -> Report {
    let value = format!("Bearer {token}").parse().unwrap();
    world.validator.report(&HeaderMap::from_iter([(header::AUTHORIZATION, value)])).await
}

fn broken(report: &Report) -> Vec<Rule> {
    let broken = |outcome: &Outcome<'_>| matches!(outcome, Outcome::Broken(_));
    report.rules().filter(|(_, outcome)| broken(outcome)).map(|(rule, _)| rule).collect()
}

fn not_reached(report: &Report) -> Vec<(Rule, Why)> {
    let of_tokens = report.rules().filter(|(rule, _)| !OF_POLICIES.contains(rule));
    let why = |(rule, outcome)| match outcome {
        Outcome::NotReached(why) => Some((rule, why)),
        _ => None,
    };
    of_tokens.filter_map(why).collect()
}

#[tokio::test]
async fn every_rule_passes_for_an_accepted_token_except_those_of_policies() {
    let world = World::new();
    let report = report_of(&world, |_| {}).await;
    for (rule, outcome) in report.rules() {
        let expected = match OF_POLICIES.contains(&rule) {
            true => Outcome::NotReached(Why::Policy),
            false => Outcome::Passed,
        };
        assert_eq!(outcome, expected, "{rule}");
    }
    assert_eq!(report.rejection(), None);
    assert!(report.principal().is_some());
}

#[tokio::test]
async fn rules_that_do_not_depend_on_a_broken_one_are_checked_too() {
    let world = World::new();
    let report = report_of(&world, |claims| {
        claims["exp"] = 1.into();
        claims["aud"] = "another app".into();
        claims["cnf"] = json!({ "jkt": "x" });
        claims["tid"] = "22222222-2222-4222-8222-222222222222".into();
    })
    .await;
    let expected =
        [Rule::Issuer, Rule::Tenant, Rule::Lifetime, Rule::Audience, Rule::Unbound].to_vec();
    assert_eq!(broken(&report), expected);
    assert_eq!(not_reached(&report), []);
    // A request gets the first one as its answer.
    assert_eq!(report.rejection().map(|first| first.rule()), Some(Rule::Issuer));
    assert!(report.principal().is_none());
}

#[tokio::test]
async fn a_rule_is_not_reached_if_it_depends_on_a_broken_one() {
    let world = World::new();
    let rules_after = |rule| Rule::ALL.into_iter().skip_while(move |other| *other != rule).skip(1);
    let after = |rule| -> Vec<_> {
        let of_tokens = rules_after(rule).filter(|rule| !OF_POLICIES.contains(rule));
        of_tokens.map(|not_reached| (not_reached, Why::Broken(rule))).collect()
    };

    let report = report_on(&world, "a.b").await;
    assert_eq!(broken(&report), [Rule::TokenFormat]);
    assert_eq!(not_reached(&report), after(Rule::TokenFormat));

    let report = report_on(&world, &token_of("unknown", 0, &world.claims())).await;
    assert_eq!(broken(&report), [Rule::SigningKey]);
    assert_eq!(report.outcome(Rule::AvailableKeys), Outcome::Passed);
    assert_eq!(not_reached(&report), after(Rule::SigningKey));

    let report = report_on(&world, &token_of("a", 1, &world.claims())).await;
    assert_eq!(broken(&report), [Rule::Signature]);
    assert_eq!(not_reached(&report), after(Rule::Signature));

    let report = report_of(&world, |claims| claims["sub"] = Value::Null).await;
    assert_eq!(broken(&report), [Rule::Claims]);
    assert_eq!(not_reached(&report), after(Rule::Claims));

    let report = report_of(&world, |claims| claims["scp"] = "/".into()).await;
    assert_eq!(broken(&report), [Rule::Consent]);
    assert_eq!(not_reached(&report), after(Rule::Consent));
}

#[tokio::test]
async fn without_an_accepted_version_only_the_issuer_is_not_reached() {
    let world = World::with(|settings| settings.v2_only = true);
    let report = report_of(&world, |claims| {
        claims["ver"] = "1.0".into();
        claims["exp"] = 1.into();
    })
    .await;
    assert_eq!(broken(&report), [Rule::Version, Rule::Lifetime]);
    assert_eq!(not_reached(&report), [(Rule::Issuer, Why::Broken(Rule::Version))]);
}

#[tokio::test]
async fn without_keys_the_header_of_the_token_is_still_checked() {
    let world = World::new();
    world.documents.go_down();
    let report = report_of(&world, |_| {}).await;
    assert_eq!(broken(&report), [Rule::AvailableKeys]);
    assert_eq!(report.outcome(Rule::TokenHeader), Outcome::Passed);
}

#[tokio::test]
async fn a_revoked_caller_is_reported() {
    let world = World::new();
    let principal = world.judge(|_| {}).await.unwrap();
    let (tenant, object_id) = (principal.tenant(), principal.object_id().unwrap());
    world.clock.advance(1);
    world.validator.revoke(tenant, object_id, world.clock.now()).unwrap();
    let before = world.clock.now() - 1;
    let report = report_of(&world, |claims| claims["iat"] = before.into()).await;
    assert_eq!(broken(&report), [Rule::NotRevoked]);
}

#[tokio::test]
async fn a_policy_is_checked_for_an_accepted_token_and_for_one_with_another_fault() {
    let world = World::new();
    for (exp, accepted) in [(u64::from(u32::MAX), true), (1, false)] {
        for (roles, allowed) in [(json!(["Admin"]), true), (json!(["User"]), false)] {
            let report = report_of(&world, |claims| {
                claims["exp"] = exp.into();
                claims["roles"] = roles.clone();
            })
            .await;
            assert_eq!(report.rejection().is_none(), accepted, "{exp}");
            assert_eq!(report.principal().is_some(), accepted, "{exp}");
            let checked = report.check::<Admin>().unwrap();
            assert_eq!(
                checked.err().map(|it| it.code()),
                (!allowed).then_some("insufficient_role")
            );
        }
    }
    // Nobody knows whose token this is.
    assert!(report_on(&world, "a.b.c").await.check::<Admin>().is_none());
}

#[tokio::test]
async fn a_report_does_not_fill_the_cache() {
    let world = World::new();
    assert!(report_of(&world, |_| {}).await.rejection().is_none());
    assert_eq!(world.validator.cached_tokens(), 0);
}
