//! A measure for a machine that does other things as well.
//!
//! Contestants take turns in short rounds, so that whatever slows the machine slows them alike; the
//! ratio to the first of them is taken within each round, and the median of all rounds counts.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

/// What is measured, one call of it.
pub type Work<'w> = Box<dyn FnMut() + 'w>;

/// How a contestant takes its turn.
pub enum Turn<'w> {
    /// In this thread, one call after the other.
    Here(Work<'w>),
    /// In another process, which says how many nanoseconds of processor time each of so many calls
    /// took.
    Elsewhere(Box<dyn FnMut(u32) -> f64 + 'w>),
}

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Here(_) => "Here",
            Self::Elsewhere(_) => "Elsewhere",
        })
    }
}

/// Contestants that do the same thing in different ways. The first is what the others are compared
/// with.
pub struct Lineup<'w> {
    /// What they do.
    pub name: String,
    /// How time is told.
    pub clock: Clock,
    /// Name and work of each.
    pub contestants: Vec<(&'static str, Turn<'w>)>,
}

impl std::fmt::Debug for Lineup<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Lineup").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How time is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The time that this thread ran: what waits for a processor does not count.
    Thread,
    /// Time on the wall: for work that uses several threads.
    Wall,
}

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Turns of every contestant.
    pub rounds: u32,
    /// Time of one turn.
    pub turn: Duration,
}

/// What one contestant needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Name of the contestant.
    pub name: &'static str,
    /// Nanoseconds for one call, median of the rounds.
    pub nanoseconds: f64,
    /// Times what the first contestant needs, median of the rounds.
    pub ratio: f64,
}

impl Lineup<'_> {
    /// Measures every contestant.
    pub fn measure(&mut self, effort: Effort) -> Vec<Cost> {
        let clock = self.clock;
        let calls: Vec<u32> = self
            .contestants
            .iter_mut()
            .map(|(_, work)| calls_in(clock, effort.turn, work))
            .collect();
        let mut rounds = Vec::new();
        for _ in 0..effort.rounds {
            let turn = self.contestants.iter_mut().zip(&calls);
            rounds.push(turn.map(|((_, work), calls)| cost(clock, *calls, work)).collect());
        }
        let names = self.contestants.iter().map(|(name, _)| *name);
        compare(names, &rounds)
    }
}

/// Costs and ratios of rounds, in each of which every contestant has one figure.
fn compare(names: impl Iterator<Item = &'static str>, rounds: &[Vec<f64>]) -> Vec<Cost> {
    let figures = |place: usize| rounds.iter().filter_map(move |round| round.get(place).copied());
    let cost = |(place, name)| {
        let ratios = figures(place).zip(figures(0)).map(|(figure, first)| figure / first);
        Cost { name, nanoseconds: median(figures(place)), ratio: median(ratios) }
    };
    names.enumerate().map(cost).collect()
}

/// The middle of the figures; not a number where there is none.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().div_euclid(2)).copied().unwrap_or(f64::NAN)
}

/// How many calls fill one turn; one where a call takes longer.
fn calls_in(clock: Clock, turn: Duration, work: &mut Turn<'_>) -> u32 {
    let mut calls = 1_u32;
    loop {
        let nanoseconds = cost(clock, calls, work) * f64::from(calls);
        if nanoseconds >= turn.as_secs_f64() * 1e9 || calls > u32::MAX.div_euclid(2) {
            return calls;
        }
        calls = calls.saturating_mul(2);
    }
}

/// Nanoseconds for one call, of so many in a row.
fn cost(clock: Clock, calls: u32, turn: &mut Turn<'_>) -> f64 {
    let work = match turn {
        Turn::Here(work) => work,
        Turn::Elsewhere(measure) => return measure(calls),
    };
    let (wall, thread) = (Instant::now(), ThreadTime::now());
    for _ in 0..calls {
        black_box(&mut *work)();
    }
    let took = match clock {
        Clock::Thread => thread.elapsed(),
        Clock::Wall => wall.elapsed(),
    };
    took.as_secs_f64() * 1e9 / f64::from(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_within_its_round() {
        // The machine was four times slower in the second round: the ratio does not move.
        let rounds = [vec![10.0, 30.0], vec![40.0, 120.0], vec![10.0, 30.0]];
        let costs = compare(["native", "component"].into_iter(), &rounds);
        let native = Cost { name: "native", nanoseconds: 10.0, ratio: 1.0 };
        let component = Cost { name: "component", nanoseconds: 30.0, ratio: 3.0 };
        assert_eq!(costs, [native, component]);
    }

    #[test]
    fn every_contestant_takes_a_turn_in_every_round() {
        let (mut first, mut second) = (0, 0);
        let mut lineup = Lineup {
            name: "counting".to_owned(),
            clock: Clock::Wall,
            contestants: vec![
                ("first", Turn::Here(Box::new(|| first += 1))),
                ("second", Turn::Here(Box::new(|| second += 1))),
            ],
        };
        let costs = lineup.measure(Effort { rounds: 3, turn: Duration::ZERO });
        assert_eq!(costs.len(), 2);
        drop(lineup);
        // One call to find out how many fill a turn of no time, and one in each round.
        assert_eq!((first, second), (4, 4));
    }
}
