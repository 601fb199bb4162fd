//! The outcome of every rule for one request, for tools that explain why a token is refused. The
//! rules are checked by the same code that checks the requests of callers.

use std::fmt;

use crate::{
    policy::{self, Policy},
    principal::Principal,
    rejection::Rejection,
    rule::Rule,
};

/// What [`Validator::report`](crate::Validator::report) found out about a request.
///
/// ```
/// use http::HeaderMap;
/// use poem_entra::{Validator, report::Outcome};
///
/// /// Prints each rule and what became of it.
/// async fn print(validator: &Validator, headers: &HeaderMap) {
///     let report = validator.report(headers).await;
///     for (rule, outcome) in report.rules() {
///         match outcome {
///             Outcome::Passed => println!("pass         {rule}"),
///             Outcome::Broken(rejection) => println!("fail         {rule}: {}", rejection.detail()),
///             Outcome::NotReached(why) => println!("not reached  {rule}: {why}"),
///         }
///     }
///     match report.rejection() {
///         Some(first) => println!("refused with {}: {first}", first.status()),
///         None => println!("accepted"),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Report {
    /// In the order in which the rules were checked.
    checked: Vec<(Rule, Result<(), Rejection>)>,
    /// Not a caller of the API if a rule is broken: only policies look at it then.
    principal: Option<Principal>,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The rule holds.
    Passed,
    /// The rule does not hold.
    Broken(&'a Rejection),
    /// The rule was not checked.
    NotReached(Why),
}

/// Why a rule was not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It depends on this rule, which is broken.
    Broken(Rule),
    /// Each operation has its own policy: see [`Report::check`].
    Policy,
}

impl Report {
    /// All rules, roughly in the order in which they are checked, and what became of each.
    pub fn rules(&self) -> impl Iterator<Item = (Rule, Outcome<'_>)> {
        Rule::ALL.into_iter().map(|rule| (rule, self.outcome(rule)))
    }

    /// What became of this rule.
    pub fn outcome(&self, rule: Rule) -> Outcome<'_> {
        // The format is checked twice: the payload's is known only after the signature.
        match self.checked.iter().rev().find(|(checked, _)| *checked == rule) {
            Some((_, Ok(()))) => Outcome::Passed,
            Some((_, Err(rejection))) => Outcome::Broken(rejection),
            None => Outcome::NotReached(self.why_not_reached(rule)),
        }
    }

    /// The first broken rule: what the API answers. `None` if the token is accepted.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.checked.iter().find_map(|(_, outcome)| outcome.as_ref().err())
    }

    /// The caller, if the token is accepted.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref().filter(|_| self.rejection().is_none())
    }

    /// Whether this policy allows the caller. `None` if it is unknown who the caller is, because
    /// the token breaks a rule that comes before. If the token breaks another rule, such as the one
    /// about its lifetime, this is the outcome for the same token without that fault.
    pub fn check<P: Policy>(&self) -> Option<Result<(), Rejection>> {
        self.check_with(check_policy::<P>)
    }

    pub(crate) fn check_with(&self, policy: CheckPolicy) -> Option<Result<(), Rejection>> {
        self.principal.clone().map(policy)
    }

    fn why_not_reached(&self, rule: Rule) -> Why {
        match (rule, self.last_broken()) {
            (Rule::Policy | Rule::CompleteGroups | Rule::AuthenticationContext, _) => Why::Policy,
            // Only the issuer depends on the version.
            (Rule::Issuer, _) if self.is_broken(Rule::Version) => Why::Broken(Rule::Version),
            // The validator goes on after some of the rules, and stops at the last one.
            (_, Some(last)) => Why::Broken(last),
            (_, None) => Why::Policy,
        }
    }

    fn is_broken(&self, rule: Rule) -> bool {
        matches!(self.outcome(rule), Outcome::Broken(_))
    }

    fn last_broken(&self) -> Option<Rule> {
        self.checked.iter().rev().find(|(_, outcome)| outcome.is_err()).map(|(rule, _)| *rule)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(rule) => write!(f, "the rule {rule} is broken"),
            Self::Policy => f.write_str("each operation has its own policy"),
        }
    }
}

/// Checks a policy whose type is not known any more.
pub(crate) type CheckPolicy = fn(Principal) -> Result<(), Rejection>;

/// Checks the policy `P`, as for a request.
pub(crate) fn check_policy<P: Policy>(principal: Principal) -> Result<(), Rejection> {
    policy::authorize::<P>(principal).map(drop)
}

/// Learns the outcomes of the rules while they are checked.
pub(crate) trait Observer: Send {
    /// The rule holds.
    fn passed(&mut self, rule: Rule);

    /// The outcome of a rule on which the following ones do not depend.
    ///
    /// # Errors
    ///
    /// If the token is refused without a look at the following rules.
    fn checked(&mut self, rule: Rule, outcome: Result<(), Rejection>) -> Result<(), Rejection>;
}

/// Stops at the first broken rule and records nothing. It costs nothing either: the compiler
/// removes it.
pub(crate) struct FirstBroken;

impl Observer for FirstBroken {
    #[inline(always)]
    fn passed(&mut self, _: Rule) {}

    #[inline(always)]
    fn checked(&mut self, _: Rule, outcome: Result<(), Rejection>) -> Result<(), Rejection> {
        outcome
    }
}

/// Records every outcome, and goes on as long as possible.
#[derive(Default)]
pub(crate) struct Recorder(Vec<(Rule, Result<(), Rejection>)>);

impl Observer for Recorder {
    fn passed(&mut self, rule: Rule) {
        self.0.push((rule, Ok(())));
    }

    fn checked(&mut self, rule: Rule, outcome: Result<(), Rejection>) -> Result<(), Rejection> {
        self.0.push((rule, outcome));
        Ok(())
    }
}

impl Recorder {
    /// The report, after the last rule that could be checked. An error names the rule itself.
    pub(crate) fn into_report(mut self, outcome: Result<Principal, Rejection>) -> Report {
        let principal = match outcome {
            Ok(principal) => Some(principal),
            Err(rejection) => {
                self.0.push((rejection.rule(), Err(rejection)));
                None
            }
        };
        Report { checked: self.0, principal }
    }
}
