//! One run: every contestant on every world, side by side, with every answer checked.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};
use cpu_time::ThreadTime;
use mandate_authz::snapshot::Snapshot;
use serde_json::{Value, json};

use super::loads::{InWasm, in_wasm};
use super::{Contestant, Decider, Form, World, delta, engine, guest, kernel, module, plugin, v8};
use crate::lineup::{Clock, Effort, Lineup, Turn, median};
use crate::report::Section;

/// How much to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Relationships of each world.
    pub sizes: Vec<usize>,
    /// Requests of each world.
    pub queries: usize,
    /// How long to measure.
    pub effort: Effort,
}

impl Plan {
    /// The whole run; with `largest` a world of ten million for ours alone.
    #[must_use]
    pub fn whole(largest: bool) -> Self {
        let mut sizes = vec![1_000, 100_000, 1_000_000];
        sizes.extend(largest.then_some(10_000_000));
        let effort = Effort { rounds: 15, turn: Duration::from_millis(20) };
        Self { sizes, queries: 100_000, effort }
    }

    /// One short turn in the smallest world: that the bench works.
    #[must_use]
    pub fn trial() -> Self {
        let effort = Effort { rounds: 1, turn: Duration::ZERO };
        Self { sizes: vec![1_000], queries: 1_000, effort }
    }
}

/// What was measured in one world.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its relationships.
    pub relationships: usize,
    /// Bytes of its snapshot's file.
    pub file_bytes: usize,
    /// What one request costs each contestant, form by form.
    pub checks: Vec<Section>,
    /// What each of them needed to load the world, in the same order.
    pub loads: Vec<Load>,
    /// Nanoseconds of the validation of a snapshot whose bytes are in memory.
    pub validation: f64,
    /// Nanoseconds until a delta of [`delta::CHANGES`] changes is visible.
    pub delta: f64,
    /// The same in WebAssembly.
    pub in_wasm: InWasm,
}

impl Measured {
    /// Nanoseconds that one request costs a contestant.
    #[must_use]
    pub fn cost(&self, form: Form, name: &str) -> Option<f64> {
        let section = self.checks.iter().find(|section| section.name == form.name())?;
        section.costs.iter().find(|cost| cost.name == name).map(|cost| cost.nanoseconds)
    }
}

/// What a contestant needed to load a world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// The contestant.
    pub name: &'static str,
    /// How it is asked.
    pub form: Form,
    /// Seconds of processor time.
    pub seconds: f64,
    /// Bytes that it holds: what it says, else what the process has grown by.
    pub bytes: usize,
}

/// The lower bound and ours in this process.
#[must_use]
pub fn native() -> Vec<Contestant> {
    vec![
        ours(KERNEL, Form::Ids, kernel::load),
        ours(NATIVE, Form::Ids, engine::load),
        ours("native, relations by name", Form::Ids, engine::load_by_name),
        ours(AFTER_DELTA, Form::Ids, delta::load),
        ours(NATIVE, Form::Checks, engine::load_by_check),
        ours(NATIVE, Form::Json, module::load_native),
    ]
}

/// Ours in WebAssembly; in V8 as well where there is a Node.
#[must_use]
pub fn in_webassembly() -> Vec<Contestant> {
    let mut contestants = vec![
        ours(WASMTIME, Form::Ids, guest::load),
        ours(COMPONENT, Form::Checks, plugin::load),
        ours(WASMTIME, Form::Json, module::load),
    ];
    if v8::is_there() {
        contestants.push(ours(V8, Form::Ids, v8::load_guest));
        contestants.push(ours(V8, Form::Json, v8::load_module));
    }
    contestants
}

fn ours(
    name: &'static str,
    form: Form,
    load: fn(&World) -> Result<Box<dyn Decider>>,
) -> Contestant {
    Contestant { name, form, most: usize::MAX, load }
}

/// The lower bound.
pub const KERNEL: &str = "kernel for this rule alone";
/// The general engine in this process.
pub const NATIVE: &str = "native";
/// The same after a delta.
pub const AFTER_DELTA: &str = "native, after a delta of 100";
/// A core module in wasmtime.
pub const WASMTIME: &str = "module in wasmtime";
/// A core module in Node.
pub const V8: &str = "module in V8";
/// The component by its types.
pub const COMPONENT: &str = "component";

/// Measures every contestant in every world.
///
/// # Errors
/// When a world cannot be loaded, or an answer is not the generator's.
pub fn run(plan: &Plan, contestants: &[Contestant]) -> Result<Vec<Measured>> {
    plan.sizes.iter().map(|size| measure(*size, plan, contestants)).collect()
}

fn measure(size: usize, plan: &Plan, contestants: &[Contestant]) -> Result<Measured> {
    let world = World::draw(size, plan.queries)?;
    let (mut loads, mut deciders) = (Vec::new(), Vec::new());
    for contestant in contestants.iter().filter(|contestant| contestant.most >= size) {
        let (load, mut decider) = load(contestant, &world)?;
        let asked = questions(decider.as_mut(), &world);
        let wrong = world.wrong(decider.as_mut(), asked);
        ensure!(wrong == 0, "`{}`: {wrong} of {asked} answers are wrong", contestant.name);
        loads.push(load);
        deciders.push((*contestant, decider));
    }
    let mut checks = Vec::new();
    for form in Form::ALL {
        let (own, others) = deciders.into_iter().partition(|(one, _)| one.form == form);
        deciders = others;
        checks.push(compare(form, &world, own, plan.effort));
    }
    loads.sort_by_key(|load| Form::ALL.iter().position(|form| *form == load.form));
    Ok(Measured {
        relationships: world.workload.tuples.len(),
        file_bytes: super::sealed::snapshot(&world.body)?.len(),
        checks,
        loads,
        validation: validation(&world, plan.effort.rounds)?,
        delta: delta::cost(&world, plan.effort.rounds)?,
        in_wasm: in_wasm(&world, plan.effort.rounds.min(5))?,
    })
}

fn load(contestant: &Contestant, world: &World) -> Result<(Load, Box<dyn Decider>)> {
    let (resident, started) = (resident_bytes(), ThreadTime::now());
    let decider = (contestant.load)(world)?;
    let seconds = started.elapsed().as_secs_f64();
    let grown = resident_bytes().saturating_sub(resident);
    let bytes = decider.bytes().unwrap_or(grown);
    let Contestant { name, form, .. } = *contestant;
    Ok((Load { name, form, seconds, bytes }, decider))
}

/// How many requests are checked: all of them, or what takes two seconds.
fn questions(decider: &mut dyn Decider, world: &World) -> usize {
    let started = std::time::Instant::now();
    let asked = world.workload.queries.iter().take_while(|query| {
        black_box(decider.allows(query));
        started.elapsed() < Duration::from_secs(2)
    });
    asked.count().max(1)
}

fn compare(
    form: Form,
    world: &World,
    deciders: Vec<(Contestant, Box<dyn Decider>)>,
    effort: Effort,
) -> Section {
    let contestants = deciders
        .into_iter()
        .map(|(contestant, decider)| (contestant.name, turn(decider, &world.workload.queries)));
    let (name, contestants) = (form.name().to_owned(), contestants.collect());
    let mut lineup = Lineup { name, clock: Clock::Thread, contestants };
    let costs = lineup.measure(effort);
    Section { name: lineup.name, clock: lineup.clock, costs }
}

/// One request after the other, in their order: where the decider is, if it is elsewhere.
fn turn<'w>(mut decider: Box<dyn Decider>, queries: &'w [super::workload::Query]) -> Turn<'w> {
    if decider.turn(1).is_some() {
        return Turn::Elsewhere(Box::new(move |calls| decider.turn(calls).unwrap_or(f64::NAN)));
    }
    let mut queries = queries.iter().cycle();
    Turn::Here(Box::new(move || {
        if let Some(query) = queries.next() {
            black_box(decider.allows(query));
        }
    }))
}

fn validation(world: &World, rounds: u32) -> Result<f64> {
    let mut costs = Vec::new();
    for _ in 0..rounds {
        let body = world.body.clone();
        let started = ThreadTime::now();
        black_box(Snapshot::from_body(body)?);
        costs.push(started.elapsed().as_secs_f64() * 1e9);
    }
    Ok(median(costs))
}

/// Memory of this process that is in use, as the kernel counts it; 0 where it does not say.
fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default().saturating_mul(4096)
}

/// Everything for a program.
#[must_use]
pub fn to_json(measured: &[Measured]) -> Value {
    let worlds = measured.iter().map(|world| {
        let loads = world.loads.iter().map(|load| {
            let Load { name, form, seconds, bytes } = load;
            json!({"name": name, "form": form.name(), "seconds": seconds, "bytes": bytes})
        });
        let mut members = crate::report::to_json(&world.checks);
        let more = json!({
            "relationships": world.relationships,
            "file_bytes": world.file_bytes,
            "loads": loads.collect::<Vec<_>>(),
            "validation_nanoseconds": world.validation,
            "delta_nanoseconds": world.delta,
            "in_wasm": world.in_wasm.to_json(),
        });
        if let (Some(members), Value::Object(more)) = (members.as_object_mut(), more) {
            members.extend(more);
        }
        members
    });
    json!({ "worlds": worlds.collect::<Vec<_>>() })
}
