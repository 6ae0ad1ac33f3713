//! The evaluator that ships against the naive one, in random worlds.

use crate::support::engine::{Engine as _, Failure};
use crate::support::fast::Fast;
use crate::support::in_parallel;
use crate::support::naive::Naive;
use crate::support::worlds::World;

/// Questions of each world.
const QUESTIONS: usize = 20;

/// How often what was answered.
#[derive(Debug, Default)]
struct Tally {
    yes: usize,
    no: usize,
    failed: usize,
    /// Either evaluator met its limit of work, which they count differently.
    limit: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.yes += other.yes;
        self.no += other.no;
        self.failed += other.failed;
        self.limit += other.limit;
    }

    /// Compares the answers in one world.
    fn compare(&mut self, seed: u64) {
        let world = World::new(seed);
        let stored = world.stored();
        let naive = Naive::open(&world.model, &stored);
        let fast = Fast::open(&world.model, &stored);
        for question in world.questions(&fast, QUESTIONS) {
            let (expected, found) = (naive.check(&question), fast.check(&question));
            let limit = [&expected, &found].contains(&&Err(Failure::Budget));
            match expected {
                _ if limit => self.limit += 1,
                Ok(true) => self.yes += 1,
                Ok(false) => self.no += 1,
                Err(_) => self.failed += 1,
            }
            assert!(
                limit || found == expected,
                "{question:?}: {found:?}, not {expected:?}\n{world}"
            );
        }
        let listing = world.listing();
        let (expected, found) = (naive.list_objects(&listing), fast.list_objects(&listing));
        let limit = [&expected, &found].contains(&&Err(Failure::Budget));
        assert!(limit || found == expected, "{listing:?}: {found:?}, not {expected:?}\n{world}");
    }
}

#[test]
fn the_fast_evaluator_agrees_with_the_naive_one_in_random_worlds() {
    let cases = std::env::var("MANDATE_CAMPAIGN_CASES").ok();
    let cases = cases.map_or(20_000, |cases| cases.parse().expect("a number of checks"));
    let worlds = cases / u64::try_from(QUESTIONS).expect("small");
    let tallies = in_parallel(0..worlds, |tally: &mut Tally, seed| tally.compare(seed));
    let mut tally = Tally::default();
    tallies.iter().for_each(|other| tally.add(other));
    assert!(tally.limit * 1_000 < tally.yes, "hardly any world is too much work: {tally:?}");
    eprintln!("tally: {tally:?}");
}
