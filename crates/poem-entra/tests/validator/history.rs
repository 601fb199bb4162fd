//! The keys over months and under load. Histories of published key sets are replayed with a test
//! clock, and keys rotate while many tasks validate tokens.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem_entra::Rule;

use crate::support::{INSTANCE, World, jwk, token_of};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The default settings.
const REFRESH: u64 = HOUR;
const FLOOR: u64 = 5 * MINUTE;
const RETENTION: u64 = DAY;

#[tokio::test]
async fn returning_keys_stay_trusted_and_removed_keys_are_refused() {
    let history = History::generated(60 * DAY, 1);
    let figures = history.replay(Replay::default()).await;
    assert!(
        figures.vanished > 150 && figures.returned > 100,
        "too few changes in the history: {figures:?}"
    );
    assert!(figures.away > 5_000, "too few requests with absent keys: {figures:?}");
    assert_eq!(figures.away_refused, 0, "{figures:?}");
    // A published key is refused only until an unknown key can cause the next refresh.
    assert!(figures.published_refused * 500 < figures.published, "{figures:?}");
    assert!(figures.gone_refused > 2_000, "{figures:?}");
}

#[tokio::test]
async fn returning_keys_stay_trusted_without_the_token_cache() {
    let history = History::generated(10 * DAY, 2);
    let figures = history.replay(Replay { cached: false, ..Replay::default() }).await;
    assert!(figures.away > 500, "{figures:?}");
    assert_eq!(figures.away_refused, 0, "{figures:?}");
}

#[tokio::test]
async fn without_retention_an_absent_key_is_refused() {
    let history = History::generated(20 * DAY, 3);
    let figures = history.replay(Replay { retention: 0, ..Replay::default() }).await;
    assert!(figures.away_refused > figures.away / 2, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tokens_of_published_keys_are_accepted_during_rotations() {
    const ROTATIONS: usize = 12;
    const TASKS: usize = 32;
    /// Tokens per key.
    const TOKENS: usize = 8;
    /// Requests between two rotations.
    const LOAD: usize = 256;
    // The cache is smaller than the number of tokens, so there are both hits and misses.
    let world = Arc::new(World::with(|settings| settings.token_cache_entries = TOKENS));
    let mut claims = world.claims();
    claims["exp"] = (claims["iat"].as_u64().unwrap() + DAY).into();
    let tokens: Vec<Vec<String>> = (0..ROTATIONS + 2)
        .map(|number| {
            let token = |uti: usize| {
                claims["uti"] = uti.into();
                token_of(&kid(number), number % 3, &claims)
            };
            (0..TOKENS).map(token).collect()
        })
        .collect();
    let tokens = Arc::new(tokens);
    let publish = |oldest: usize| {
        let keys = [oldest, oldest + 1].map(|number| jwk(&kid(number), number % 3, None));
        world.documents.publish_keys(INSTANCE, &keys);
    };
    publish(0);

    // The key with the number `oldest` and the next one are in use.
    let oldest = Arc::new(AtomicUsize::new(0));
    let served = Arc::new([const { AtomicUsize::new(0) }; ROTATIONS + 2]);
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (world, tokens) = (Arc::clone(&world), Arc::clone(&tokens));
            let (oldest, served) = (Arc::clone(&oldest), Arc::clone(&served));
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let mut turn = task;
                while !stop.load(Ordering::SeqCst) {
                    turn += 1;
                    let number = oldest.load(Ordering::SeqCst) + turn % 2;
                    let token = &tokens[number][turn / 2 % TOKENS];
                    if let Err(rejection) = world.validator.validate(token).await {
                        panic!("a token of {} is refused: {rejection}", kid(number));
                    }
                    served[number].fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();

    let until = async |condition: &dyn Fn() -> bool| {
        while !condition() {
            assert!(!tasks.iter().any(|task| task.is_finished()), "a task has failed");
            tokio::task::yield_now().await;
        }
    };
    let load = |number: usize| served[number].load(Ordering::SeqCst);
    for rotation in 1..=ROTATIONS {
        until(&|| load(rotation) >= LOAD).await;
        publish(rotation);
        if rotation % 2 == 0 {
            // A planned rotation: the new key is fetched before it is used.
            let before = world.documents.keys_fetched();
            world.clock.advance(REFRESH);
            until(&|| world.documents.keys_fetched() > before).await;
        } else {
            // An emergency rotation: the new key is used at once, and the first request fetches it.
            world.clock.advance(FLOOR);
        }
        oldest.store(rotation, Ordering::SeqCst);
    }
    until(&|| load(ROTATIONS + 1) >= LOAD).await;
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    // Each rotation causes one fetch.
    assert_eq!(world.documents.keys_fetched(), 1 + ROTATIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_unknown_kids_do_not_delay_known_keys() {
    let world = Arc::new(World::new());
    let known = token_of("a", 0, &world.claims());
    world.validator.validate(&known).await.unwrap();
    let gate = world.documents.close_gate();
    let mut random = Random(5);
    let unknown: Vec<_> = (0..10_000)
        .map(|_| {
            let world = Arc::clone(&world);
            let header = format!(r#"{{"alg":"RS256","kid":"{:x}"}}"#, random.next());
            let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
            tokio::spawn(async move { world.validator.validate(&token).await })
        })
        .collect();
    // The fetch cannot end, but requests with the known key do, both with and without a cache hit.
    for number in 0..100 {
        world.validator.validate(&known).await.unwrap();
        let mut claims = world.claims();
        claims["uti"] = number.into();
        world.validator.validate(&token_of("a", 0, &claims)).await.unwrap();
    }
    assert_eq!(world.documents.keys_fetched(), 1, "the gate did not delay the fetch");
    gate.add_permits(100);
    for task in unknown {
        assert_eq!(task.await.unwrap().unwrap_err().rule(), Rule::SigningKey);
    }
    assert_eq!(world.documents.keys_fetched(), 2);
}

fn kid(number: usize) -> String {
    format!("key-{number}")
}

/// The key sets that an authority published, as `kid`s, in the order of time. Each is valid from
/// its time, in seconds since the first, until the next.
pub(crate) struct History(pub(crate) Vec<(u64, BTreeSet<String>)>);

/// How a history is replayed.
pub(crate) struct Replay {
    pub(crate) retention: u64,
    pub(crate) cached: bool,
    /// Seconds between two rounds of requests. A round has one request for each key. There is also
    /// a round whenever the key set changes.
    pub(crate) step: u64,
    /// The longest absence, in seconds, through which a key must stay trusted.
    pub(crate) absence: u64,
}

impl Default for Replay {
    fn default() -> Self {
        Self { retention: RETENTION, cached: true, step: 15 * MINUTE, absence: RETENTION }
    }
}

/// The results of a replay. Requests are counted by the state of their key.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) keys: usize,
    pub(crate) vanished: usize,
    pub(crate) returned: usize,
    pub(crate) fetches: usize,
    pub(crate) published: usize,
    pub(crate) published_refused: usize,
    /// Requests with a key that is absent for at most [`Replay::absence`] seconds.
    pub(crate) away: usize,
    pub(crate) away_refused: usize,
    /// Requests with a key that is absent for longer or does not return.
    pub(crate) gone: usize,
    pub(crate) gone_refused: usize,
}

/// What the validator must know, derived from its fetches.
#[derive(Default)]
struct Knowledge {
    fetches: usize,
    last_fetch: u64,
    latest: BTreeSet<String>,
    /// The time of the first fetch without the key, for keys of earlier fetches.
    missing_since: BTreeMap<String, u64>,
}

impl Knowledge {
    fn note(&mut self, fetches: usize, now: u64, published: &BTreeSet<String>) {
        if fetches > self.fetches {
            self.fetches = fetches;
            self.last_fetch = now;
            let gone = self.latest.difference(published).map(|kid| (kid.clone(), now));
            self.missing_since.extend(gone);
            self.missing_since.retain(|kid, _| !published.contains(kid));
            self.latest.clone_from(published);
        }
    }
}

impl History {
    /// Replays the history against a validator. Asserts for each request that a key is trusted
    /// until its retention ends, counted from the first fetch without it, and no longer.
    pub(crate) async fn replay(&self, how: Replay) -> Figures {
        let world = World::with(|settings| {
            settings.key_retention = Duration::from_secs(how.retention);
            if !how.cached {
                settings.token_cache_entries = 0;
            }
        });
        let absences = self.absences();
        let mut claims = world.claims();
        claims["exp"] = (claims["iat"].as_u64().unwrap() + 1_000 * DAY).into();
        let mut tokens = BTreeMap::new();
        let mut figures = Figures {
            vanished: absences.values().map(Vec::len).sum(),
            returned: absences.values().flatten().filter(|(_, back)| back.is_some()).count(),
            ..Figures::default()
        };
        let mut knowledge = Knowledge::default();
        let (mut now, mut unknown_rounds) = (0, 0);
        for (index, (at, published)) in self.0.iter().enumerate() {
            let keys: Vec<_> = published
                .iter()
                .map(|kid| {
                    let number = tokens.len() % 3;
                    let (number, _) = tokens
                        .entry(kid.clone())
                        .or_insert_with(|| (number, token_of(kid, number, &claims)));
                    jwk(kid, *number, None)
                })
                .collect();
            world.documents.publish_keys(INSTANCE, &keys);
            let end = self.0.get(index + 1).map_or(at + how.step, |(next, _)| *next);
            let mut round = *at;
            while round < end {
                world.clock.advance(round - now);
                now = round;
                let mut unknown = false;
                for (kid, (_, token)) in &tokens {
                    let absence = absences.get(kid.as_str()).into_iter().flatten();
                    let absence = absence.rev().find(|(gone, _)| *gone <= now);
                    let away = absence.filter(|(_, back)| back.is_none_or(|back| now < back));
                    if away.is_some_and(|(gone, _)| now > gone + 2 * DAY) {
                        // By now, all of the key's tokens have expired.
                        continue;
                    }
                    let outcome = world.validator.validate(token).await;
                    let since = knowledge.missing_since.get(kid);
                    let ends = since.map_or(0, |since| since + how.retention);
                    let what = format!("{kid} at {now}, missing since {since:?}, {away:?}");
                    if knowledge.latest.contains(kid) || now < ends {
                        assert!(outcome.is_ok(), "a trusted key is refused: {what}");
                    } else {
                        unknown = true;
                        if published.contains(kid) {
                            let waits = now < knowledge.last_fetch + FLOOR && knowledge.fetches > 0;
                            assert!(outcome.is_ok() || waits, "a new key is not found: {what}");
                        } else if now > ends {
                            let rule = outcome.as_ref().map_err(|rejection| rejection.rule()).err();
                            assert_eq!(
                                rule,
                                Some(Rule::SigningKey),
                                "a key is trusted for too long: {what}"
                            );
                        }
                    }
                    let (requests, refused) = match away {
                        None => (&mut figures.published, &mut figures.published_refused),
                        Some((gone, Some(back))) if back - gone <= how.absence => {
                            (&mut figures.away, &mut figures.away_refused)
                        }
                        Some(_) => (&mut figures.gone, &mut figures.gone_refused),
                    };
                    *requests += 1;
                    *refused += usize::from(outcome.is_err());
                    knowledge.note(world.documents.keys_fetched(), now, published);
                }
                // Let a background refresh end.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                knowledge.note(world.documents.keys_fetched(), now, published);
                unknown_rounds += usize::from(unknown);
                round += how.step;
            }
        }
        figures.keys = tokens.len();
        figures.fetches = knowledge.fetches;
        // A refresh every hour, less the jitter of a tenth, and one for each round with an unknown
        // key.
        let refreshes = 1 + (now * 10 / (9 * REFRESH)) as usize;
        assert!(figures.fetches <= refreshes + unknown_rounds, "{unknown_rounds}, {figures:?}");
        let forced = (now / FLOOR) as usize;
        assert!(figures.fetches <= refreshes + forced, "{figures:?}");
        figures
    }

    /// The absences of each key: when it disappeared and when it returned, if it did.
    fn absences(&self) -> BTreeMap<&str, Vec<(u64, Option<u64>)>> {
        let mut absences: BTreeMap<&str, Vec<(u64, Option<u64>)>> = BTreeMap::new();
        for pair in self.0.windows(2) {
            let [(_, before), (at, after)] = pair else { continue };
            for kid in before.difference(after) {
                absences.entry(kid).or_default().push((*at, None));
            }
            for kid in after.difference(before) {
                if let Some((_, back)) = absences.get_mut(kid.as_str()).and_then(|a| a.last_mut()) {
                    *back = Some(*at);
                }
            }
        }
        absences
    }

    /// A random history like that of the public cloud. There are eight or nine keys. Every few days
    /// a key is added and another one removed. In between, keys are absent for minutes, hours or
    /// days.
    fn generated(length: u64, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut keys: Vec<Key> = (0..8).map(|number| Key::new(kid(number), 0)).collect();
        let (mut at, mut number, mut rotation) = (0, keys.len(), 2 * DAY);
        let mut snapshots = Vec::new();
        while at < length {
            if at >= rotation {
                keys.push(Key::new(kid(number), at));
                number += 1;
                // The newest key is never removed or absent, because a key set must not be empty.
                if keys.len() > 9 {
                    keys.remove(random.below(7) as usize);
                }
                rotation = at + random.between(2 * DAY, 8 * DAY);
            }
            let last = keys.len() - 1;
            for (index, key) in keys.iter_mut().enumerate() {
                match key.away_until {
                    Some(until) if until <= at => *key = Key::new(key.kid.clone(), at),
                    Some(_) => {}
                    // The key stays long enough for a refresh to fetch it.
                    None if index < last && at > key.since + REFRESH && random.below(12) == 0 => {
                        key.away_until = Some(at + random.absence());
                    }
                    None => {}
                }
            }
            let present = keys.iter().filter(|key| key.away_until.is_none());
            snapshots.push((at, present.map(|key| key.kid.clone()).collect()));
            at += match random.below(10) {
                0..3 => random.between(MINUTE, 6 * MINUTE),
                3..6 => random.between(6 * MINUTE, 2 * HOUR),
                _ => random.between(2 * HOUR, 6 * HOUR),
            };
        }
        Self(snapshots)
    }
}

struct Key {
    kid: String,
    since: u64,
    away_until: Option<u64>,
}

impl Key {
    fn new(kid: String, since: u64) -> Self {
        Self { kid, since, away_until: None }
    }
}

/// The random number generator SplitMix64, so that all machines use the same numbers.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn between(&mut self, start: u64, end: u64) -> u64 {
        start + self.below(end - start)
    }

    /// A random length of an absence, in seconds; in most cases hours.
    fn absence(&mut self) -> u64 {
        match self.below(10) {
            0..2 => self.between(MINUTE, HOUR),
            2..6 => self.between(HOUR, 12 * HOUR),
            6..9 => self.between(12 * HOUR, 22 * HOUR),
            _ => self.between(25 * HOUR, 60 * HOUR),
        }
    }
}
