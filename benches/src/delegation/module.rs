//! Ours, as the core module with JSON in and out; the same JSON in this process, to compare with.

use anyhow::{Context as _, Result, ensure};
use mandate_authz::authorizer::Authorizer;
use mandate_host::{CoreModule, PluginOptions, Sha256Digest};
use serde_json::json;

use super::plugin::roomy;
use super::workload::Query;
use super::{Decider, World, sealed};
use crate::guests;

/// The questions of a request, as docs/abi.md describes them.
#[must_use]
pub fn questions(query: &Query) -> [String; 3] {
    query.checks().map(|[user, relation, object]| {
        json!({"user": user, "relation": relation, "object": object}).to_string()
    })
}

/// Whether the answer to a question is yes.
fn is_yes(answer: &str) -> bool {
    answer.starts_with(r#"{"allowed":true"#)
}

/// The questions of every request, by its number.
fn all_questions(world: &World) -> Vec<[String; 3]> {
    world.workload.queries.iter().map(questions).collect()
}

struct Native {
    authorizer: Authorizer,
    questions: Vec<[String; 3]>,
}

impl Decider for Native {
    fn allows(&mut self, query: &Query) -> bool {
        let mut questions = self.questions.get(query.number).into_iter().flatten();
        questions.all(|question| is_yes(&self.authorizer.relation_holds_json(question)))
    }
}

/// Loads the world into an authorizer that is asked in JSON.
///
/// # Errors
/// When it refuses the world.
pub fn load_native(world: &World) -> Result<Box<dyn Decider>> {
    let mut authorizer = Authorizer::new();
    authorizer
        .configure_state(&sealed::config()?)
        .map_err(|error| anyhow::anyhow!("{}", error.message))?;
    let container = sealed::snapshot(&world.body)?;
    authorizer.state_mut().load(&container).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    Ok(Box::new(Native { authorizer, questions: all_questions(world) }))
}

struct Module {
    module: CoreModule,
    questions: Vec<[String; 3]>,
    bytes: usize,
}

impl Decider for Module {
    fn allows(&mut self, query: &Query) -> bool {
        let mut questions = self.questions.get(query.number).into_iter().flatten();
        questions.all(|question| {
            let answer = self.module.call("mandate_relation_holds", question);
            answer.is_ok_and(|answer| is_yes(&answer))
        })
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.bytes)
    }
}

/// Loads the world into the module.
///
/// # Errors
/// When the plugin was not built, or it refuses the world.
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    let mut module = instance()?;
    feed(&mut module, &sealed::snapshot(&world.body)?, |_, _| ())?;
    let bytes = module.memory_bytes();
    Ok(Box::new(Module { module, questions: all_questions(world), bytes }))
}

/// A configured instance without a state.
///
/// # Errors
/// When the plugin was not built, or does not load.
pub fn instance() -> Result<CoreModule> {
    let bytes = guests::plugin()?;
    let options = PluginOptions::default();
    let mut module = CoreModule::from_bytes(&bytes, &Sha256Digest::of(&bytes), &options, roomy())?;
    let answer = module.call("mandate_configure_state", &sealed::config()?)?;
    ensure!(answer == "{}", "{answer}");
    Ok(module)
}

/// Steps of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The header with its signature.
    Begin,
    /// Copies and digests of the body.
    Chunk,
    /// Validation of offsets, ranges and orders: so many words.
    Validate,
    /// It is put in force.
    Commit,
}

/// Loads a container in steps, and tells what each took, in nanoseconds of this thread.
///
/// # Errors
/// When the module refuses a step.
pub fn feed(
    module: &mut CoreModule,
    container: &[u8],
    mut took: impl FnMut(Step, f64),
) -> Result<()> {
    let total = mandate_authz::container::Header::total_bytes(container);
    let total = total.map_err(|problem| anyhow::anyhow!("{problem}"))?;
    let (header, body) = container.split_at_checked(total).context("a whole header")?;
    let mut step = |step, call: &mut dyn FnMut() -> Result<String>| {
        let started = cpu_time::ThreadTime::now();
        let answer = call()?;
        took(step, started.elapsed().as_secs_f64() * 1e9);
        ensure!(!answer.contains("\"error\"") && !answer.contains("\"reason\""), "{answer}");
        Ok(())
    };
    step(Step::Begin, &mut || Ok(module.call_bytes("mandate_load_begin", header)?))?;
    for piece in body.chunks(1 << 17) {
        step(Step::Chunk, &mut || Ok(module.call_bytes("mandate_load_chunk", piece)?))?;
    }
    let mut done = false;
    while !done {
        step(Step::Validate, &mut || {
            let answer = module.call_without("mandate_load_validate")?;
            done = answer == r#"{"done":true}"#;
            Ok(answer)
        })?;
    }
    step(Step::Commit, &mut || Ok(module.call_without("mandate_load_commit")?))
}
