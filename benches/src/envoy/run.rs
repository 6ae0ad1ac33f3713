//! One run: contestants take turns in rounds, and of each the least counts.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::client::Client;
use super::contestant::{Contestant, Filters, Method, Tokens};
use super::deployment::{Size, World};
use super::programs::Programs;
use super::stage::{Entry, Minted, Stage};
use super::tokens::Issuer;
use crate::lineup::median;

/// How much to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Turns of every contestant.
    pub rounds: usize,
    /// Requests of one turn.
    pub requests: usize,
    /// Tokens of those who get many.
    pub many: usize,
    /// Tokens of those who get new ones.
    pub fresh: usize,
    /// Whether there is a world of a million relationships.
    pub million: bool,
    /// Snapshots that memory is measured over, one after the other; none measures none.
    pub swaps: usize,
}

impl Plan {
    /// The whole run.
    #[must_use]
    pub const fn whole(rounds: usize, requests: usize) -> Self {
        // Twice what the filter remembers, and more.
        Self { rounds, requests, many: 5000, fresh: 9000, million: true, swaps: 12 }
    }

    /// One short turn: that the bench works, and that everybody answers as they should.
    #[must_use]
    pub const fn trial() -> Self {
        Self { rounds: 1, requests: 64, many: 8, fresh: 16, million: false, swaps: 0 }
    }
}

/// What one contestant cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Who.
    pub contestant: Contestant,
    /// Microseconds of Envoy for one request, round by round.
    pub rounds: Vec<f64>,
    /// Signatures that our filter checked, for one request; `None` for the others.
    pub checked: Option<f64>,
}

impl Row {
    /// The least of all rounds.
    #[must_use]
    pub fn least(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The middle of all rounds.
    #[must_use]
    pub fn middle(&self) -> f64 {
        median(self.rounds.iter().copied())
    }

    /// The most of all rounds.
    #[must_use]
    pub fn most(&self) -> f64 {
        self.rounds.iter().copied().fold(0.0, f64::max)
    }
}

/// What a run has measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Everybody.
    pub rows: Vec<Row>,
    /// Relationships of the worlds, the smallest first.
    pub relationships: Vec<usize>,
    /// How much was done.
    pub plan: Plan,
}

impl Measured {
    /// The row of a contestant.
    #[must_use]
    pub fn row(&self, method: Method, name: &str) -> Option<&Row> {
        let named = |row: &&Row| row.contestant.name == name && row.contestant.method == method;
        self.rows.iter().find(named)
    }

    /// Microseconds of a contestant over the same request without a filter.
    #[must_use]
    pub fn over(&self, method: Method, name: &str) -> Option<f64> {
        let bare = self.row(method, super::contestant::NO_FILTER)?;
        Some(self.row(method, name)?.least() - bare.least())
    }

    /// Everything for a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let Contestant { name, method, .. } = row.contestant;
            json!({
                "name": name,
                "method": if method == Method::Get { "GET" } else { "POST" },
                "microseconds": {"least": row.least(), "median": row.middle(), "most": row.most()},
                "over_no_filter": self.over(method, name),
                "signatures_per_request": row.checked,
                "rounds": row.rounds,
            })
        });
        json!({
            "clock": CLOCK,
            "rounds": self.plan.rounds,
            "requests_per_round": self.plan.requests,
            "relationships": self.relationships,
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

/// Runs it.
///
/// # Errors
/// When something does not start, or an answer is not what it should be.
pub fn run(plan: &Plan, programs: &Programs, contestants: &[Contestant]) -> Result<Measured> {
    let there = |size: Size| plan.million || size != Size::MILLION;
    let contestants: Vec<Contestant> =
        contestants.iter().filter(|one| there(one.size)).copied().collect();
    // A world that nobody asks about is not built: it takes a while.
    let asked = |size: &&Size| contestants.iter().any(|one| one.size == **size);
    let worlds = [Size::THOUSAND, Size::MILLION].iter().filter(asked).map(Size::build);
    let worlds = worlds.collect::<Result<Vec<World>>>()?;
    let issuer = Issuer::new()?;
    let minted = Minted::new(&issuer, plan.many, plan.fresh)?;
    let stage = Stage::begin(programs, &issuer, &worlds, &contestants)?;
    let entries = contestants.iter().map(|one| stage.entry(&minted, *one, plan.many));
    let entries = entries.collect::<Result<Vec<Entry>>>()?;
    let mut turns = Vec::new();
    for entry in &entries {
        stage.check(entry)?;
        turns.push(Turns { entry, begin_at: 0, rounds: Vec::new(), checked: 0 });
    }
    for _ in 0..plan.rounds {
        for turn in &mut turns {
            let name = entry_name(turn.entry);
            turn.take(&stage, plan.requests).with_context(|| format!("`{name}`"))?;
        }
    }
    Ok(Measured {
        rows: turns.into_iter().map(|turns| turns.row(plan)).collect(),
        relationships: worlds.iter().map(|world| world.relationships).collect(),
        plan: *plan,
    })
}

const fn entry_name(entry: &Entry) -> &'static str {
    entry.contestant.name
}

/// The turns of one contestant.
struct Turns<'e> {
    entry: &'e Entry,
    /// The request that the next turn begins with: new tokens stay new.
    begin_at: usize,
    rounds: Vec<f64>,
    checked: u64,
}

impl Turns<'_> {
    fn take(&mut self, stage: &Stage, count: usize) -> Result<()> {
        let mut client = Client::open(self.entry.port, CONNECTIONS)?;
        self.drive(&mut client, CONNECTIONS.saturating_mul(2))?;
        let (seen, asked) = (stage.upstream.seen(), stage.check_server.seen());
        let checked = self.signatures(stage)?;
        let before = stage.envoy.nanoseconds()?;
        self.drive(&mut client, count)?;
        let took = stage.envoy.nanoseconds()?.saturating_sub(before);
        let seen = stage.upstream.seen().saturating_sub(seen);
        ensure!(seen == count, "the upstream saw {seen} of {count}");
        let asked = stage.check_server.seen().saturating_sub(asked);
        let is_asked = matches!(self.entry.contestant.filters, Filters::ExtAuthz { .. });
        ensure!(asked == if is_asked { count } else { 0 }, "{asked} of {count} were asked about");
        self.checked = self.checked.saturating_add(self.signatures(stage)?.saturating_sub(checked));
        self.rounds.push(to_number(took)? / to_number(u64::try_from(count)?)? / 1e3);
        Ok(())
    }

    /// Signatures that our filter has checked: told a tick later.
    fn signatures(&self, stage: &Stage) -> Result<u64> {
        if !matches!(self.entry.contestant.filters, Filters::Gate(_)) {
            return Ok(0);
        }
        std::thread::sleep(Duration::from_millis(600));
        let count = stage.envoy.statistic("wasmcustom.mandate.signatures.checked")?;
        Ok(count.unwrap_or_default())
    }

    fn drive(&mut self, client: &mut Client, count: usize) -> Result<()> {
        client.drive(&self.entry.requests, self.begin_at, count)?;
        let all = self.entry.requests.len().max(1);
        self.begin_at = self.begin_at.saturating_add(count).checked_rem(all).unwrap_or_default();
        Ok(())
    }

    fn row(self, plan: &Plan) -> Row {
        let contestant = self.entry.contestant;
        let ours = matches!(contestant.filters, Filters::Gate(_));
        let requests = u64::try_from(plan.rounds.saturating_mul(plan.requests)).unwrap_or(u64::MAX);
        let share = to_number(self.checked).ok().zip(to_number(requests).ok());
        let checked = share.filter(|_| ours).map(|(checked, all)| checked / all);
        Row { contestant, rounds: self.rounds, checked }
    }
}

/// Whether those who were given new tokens have checked each, and those who were given few hardly
/// any: what a table says of caches is otherwise not so.
///
/// # Errors
/// The row that is not as it is named.
pub fn check_caches(measured: &Measured) -> Result<()> {
    for row in &measured.rows {
        let Contestant { name, tokens, .. } = row.contestant;
        let as_named = match (row.checked, tokens) {
            (None, _) | (_, Tokens::Many(FIVE_THOUSAND)) => true,
            (Some(share), Tokens::Fresh(_)) => share > 0.95,
            (Some(share), Tokens::One | Tokens::Many(_)) => share < 0.2,
        };
        ensure!(as_named, "`{name}` has checked {:?} signatures a request", row.checked);
    }
    Ok(())
}

fn to_number(count: u64) -> Result<f64> {
    // 2^53 nanoseconds are a hundred days.
    Ok(f64::from(u32::try_from(count >> 32)?) * 4_294_967_296.0
        + f64::from(u32::try_from(count & 0xffff_ffff)?))
}

/// What is told.
pub const CLOCK: &str = "processor time of the Envoy process, as the scheduler counts it";
/// As many as keep one worker busy.
const CONNECTIONS: usize = 32;
/// More than the filter remembers: how many of them it has to check is a result.
const FIVE_THOUSAND: usize = 5000;
