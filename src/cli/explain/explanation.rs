//! The whole answer: what the token says, what each rule says, why it is refused, and what it
//! allows.

use poem_entra::{
    Refusal, Rejection, Rule, Settings,
    poem::Operation,
    report::{Outcome, Why},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{api::security, cases::Case};

use super::{
    advice::{Advice, Situation},
    diagnosis,
    judge::Judgement,
    meanings::Reader,
    operations::Row,
    unverified::UnverifiedToken,
};

/// Everything that is known about a token.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) verdict: Verdict,
    /// Whether the settings in .env were not used.
    #[serde(skip)]
    pub(super) ignores_settings: bool,
    /// The authority whose keys were used.
    pub(super) authority: String,
    /// The client id of this API.
    pub(super) api: String,
    pub(super) header: Vec<Field>,
    pub(super) claims: Vec<Field>,
    /// Whether the signature is valid, so that the claims are those that the authority wrote.
    pub(super) claims_are_verified: bool,
    pub(super) rules: Vec<RuleRow>,
    /// The first reason for a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    /// Why single operations refuse an accepted token.
    pub(super) refused_operations: Vec<Reason>,
    /// What is special about the token.
    pub(super) notes: Vec<Note>,
    pub(super) operations: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Accepted,
    Refused,
    /// There are no keys.
    NotJudged,
}

/// A header parameter or a claim.
#[derive(Debug, Serialize)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) meaning: String,
}

#[derive(Debug, Serialize)]
pub(super) struct RuleRow {
    pub(super) rule: &'static str,
    pub(super) outcome: &'static str,
    /// What is wrong, or why the rule was not reached or not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

impl RuleRow {
    pub(super) fn is_checked(&self) -> bool {
        matches!(self.outcome, "pass" | "fail")
    }
}

/// Why a token or a call is refused, and what helps.
#[derive(Debug, Serialize)]
pub(super) struct Reason {
    /// The operations that refuse the token for this reason; empty if all do.
    pub(super) operations: Vec<&'static str>,
    pub(super) case: String,
    pub(super) title: &'static str,
    pub(super) rule: &'static str,
    /// As in the problem document of the API.
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) received: Option<String>,
    /// Why the keys could not be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<String>,
    #[serde(flatten)]
    pub(super) advice: Advice,
    pub(super) help: String,
}

/// Something to know about an accepted token.
#[derive(Debug, Serialize)]
pub(super) struct Note {
    pub(super) case: String,
    pub(super) title: &'static str,
    pub(super) text: String,
    pub(super) help: String,
}

/// What a token is explained with.
pub(super) struct Explainer<'a> {
    pub(super) settings: &'a Settings,
    /// The client id of Swagger UI.
    pub(super) swagger_ui: Option<&'a str>,
    pub(super) is_dev: bool,
    /// Whether the development tenant was named, whatever .env says.
    pub(super) ignores_settings: bool,
    pub(super) token: &'a UnverifiedToken,
    pub(super) judgement: &'a Judgement,
    /// Seconds since 1970.
    pub(super) now: u64,
}

impl Explainer<'_> {
    /// Explains the token for these operations. `names_one` says that the caller asked for one.
    pub(super) fn explain(&self, operations: &[Operation], names_one: bool) -> Explanation {
        let Judgement { report, failure, .. } = self.judgement;
        let rows: Vec<_> = operations.iter().map(|operation| Row::new(operation, report)).collect();
        let mut refused_operations = self.refused(&rows);
        let is_protected = |row: &&Row| !row.is_public;
        let allows_nothing = rows.iter().any(|row| is_protected(&row))
            && rows.iter().filter(is_protected).all(|row| !row.allowed);
        let (verdict, reason) = match report.rejection() {
            Some(rejection) if rejection.rule() == Rule::AvailableKeys => {
                let reason = Reason { failure: failure.clone(), ..self.reason(rejection) };
                (Verdict::NotJudged, Some(reason))
            }
            Some(rejection) => (Verdict::Refused, Some(self.reason(rejection))),
            // The token is good, but no operation admits it.
            None if allows_nothing && !refused_operations.is_empty() => {
                (Verdict::Refused, Some(refused_operations.remove(0)))
            }
            None => (Verdict::Accepted, None),
        };
        let policy = names_one.then(|| rows.first()).flatten().filter(is_protected);
        let reader = Reader { settings: self.settings, now: self.now };
        let fields = |members: &Map<String, Value>, meaning: &dyn Fn(&str, &Value) -> String| {
            let field = |(name, value): (&String, &Value)| Field {
                name: name.clone(),
                value: value.clone(),
                meaning: meaning(name, value),
            };
            members.iter().map(field).collect()
        };
        Explanation {
            verdict,
            ignores_settings: self.ignores_settings,
            authority: self.judgement.authority.clone(),
            api: self.settings.client_id.clone(),
            header: fields(&self.token.header, &|name, value| reader.header(name, value)),
            claims: fields(&self.token.claims, &|name, value| reader.claim(name, value)),
            claims_are_verified: report.outcome(Rule::Signature) == Outcome::Passed,
            rules: self.rules(policy),
            notes: self.notes(reason.as_ref()),
            reason,
            refused_operations,
            operations: rows,
        }
    }

    /// The reasons for which policies refuse an accepted token, each with its operations.
    fn refused(&self, rows: &[Row]) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = Vec::new();
        for row in rows {
            let Some(rejection) = &row.rejection else { continue };
            match reasons.iter_mut().find(|reason| reason.detail == rejection.detail()) {
                Some(known) => known.operations.push(row.operation),
                None => {
                    let operations = vec![row.operation];
                    reasons.push(Reason { operations, ..self.reason(rejection) });
                }
            }
        }
        reasons
    }

    fn reason(&self, rejection: &Rejection) -> Reason {
        let published = self.judgement.published.as_ref();
        let case = diagnosis::case_of(rejection, self.token, self.settings, published);
        let required = match rejection.refusal() {
            Refusal::InsufficientScope(names) | Refusal::InsufficientRole(names) => {
                Some(names.join(" or "))
            }
            _ => None,
        };
        let advice = Advice::of(
            case,
            &Situation {
                token: self.token,
                settings: self.settings,
                swagger_ui: self.swagger_ui,
                is_dev: self.is_dev,
                scope: &self.judgement.scope,
                short_scope: security::ACCESS_AS_USER,
                required: required.as_deref().filter(|names| !names.is_empty()),
                expected: rejection.expected(),
                detail: rejection.detail(),
                now: self.now,
            },
        );
        Reason {
            operations: Vec::new(),
            case: case.slug(),
            title: case.title(),
            rule: rejection.rule().name(),
            status: rejection.status().as_u16(),
            code: rejection.code(),
            detail: rejection.detail().to_owned(),
            expected: rejection.expected().map(str::to_owned),
            received: rejection.received().map(str::to_owned),
            failure: None,
            advice,
            help: case.help(),
        }
    }

    fn notes(&self, reason: Option<&Reason>) -> Vec<Note> {
        let cases = diagnosis::notes(self.token).into_iter();
        let others = cases.filter(|case| reason.is_none_or(|reason| reason.title != case.title()));
        others
            .map(|case| Note {
                case: case.slug(),
                title: case.title(),
                text: note(case).to_owned(),
                help: case.help(),
            })
            .collect()
    }

    /// What became of each rule. The rules of policies are known if there is one operation.
    fn rules(&self, policy: Option<&Row>) -> Vec<RuleRow> {
        let row = |(rule, outcome): (Rule, Outcome<'_>)| {
            let of_policy =
                matches!(rule, Rule::Policy | Rule::CompleteGroups | Rule::AuthenticationContext);
            let (outcome, detail) = match (outcome, policy) {
                // The list of revoked callers is in the memory of the server.
                (Outcome::Passed, _) if rule == Rule::NotRevoked => {
                    ("not_judged", Some("only the running server knows whom it has revoked".into()))
                }
                (Outcome::Passed, _) => ("pass", None),
                (Outcome::Broken(rejection), _) => ("fail", Some(rejection.detail().to_owned())),
                (Outcome::NotReached(_), Some(row)) if of_policy => of_operation(rule, row),
                (Outcome::NotReached(Why::Policy), _) => {
                    ("not_judged", Some(format!("{} (see Operations below)", Why::Policy)))
                }
                (Outcome::NotReached(why), _) => ("not_reached", Some(why.to_string())),
            };
            RuleRow { rule: rule.name(), outcome, detail }
        };
        self.judgement.report.rules().map(row).collect()
    }
}

/// What became of a rule of the operation's policy.
fn of_operation(rule: Rule, row: &Row) -> (&'static str, Option<String>) {
    match &row.rejection {
        Some(rejection) if rejection.rule() == rule => {
            ("fail", Some(rejection.detail().to_owned()))
        }
        Some(rejection) => {
            ("not_reached", Some(format!("the rule {} is broken", rejection.rule())))
        }
        None if row.allowed => ("pass", None),
        None => ("not_reached", Some("the token is not accepted".to_owned())),
    }
}

fn note(case: Case) -> &'static str {
    match case {
        Case::Guest => {
            "The user is a guest of the tenant. The API treats guests like members; app roles must be \
             assigned to the guest in this tenant."
        }
        Case::Agent => {
            "An agent acts, or the user account belongs to one. The operations of this API admit \
             agents, and the log names them."
        }
        _ => {
            "The user has more groups than the token can list. No operation of this API looks at \
             groups; one that required a group would refuse the user."
        }
    }
}
