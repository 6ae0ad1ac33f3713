//! Native core, the component and the module side by side, in one run: `cargo xtask bench`.
//!
//! `--json` prints the figures for a program. Without `--bench` (as under `cargo test --benches`)
//! every contestant takes one short turn, which checks that the benches work.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use mandate_benches::doors::{Component, Door, Module, Native, patient, patient_and_fresh};
use mandate_benches::guests;
use mandate_benches::issuer::{AUDIENCE, Issuer, NOW};
use mandate_benches::lineup::{Clock, Effort, Lineup, Turn};
use mandate_benches::report::{Section, to_json, write_table};
use mandate_host::{Plugin, PluginOptions, Policy, Sha256Digest, ValidateRequest};

fn main() -> Result<()> {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let effort = match asked("--bench") || asked("--json") {
        true => Effort { rounds: 15, turn: Duration::from_millis(20) },
        false => Effort { rounds: 1, turn: Duration::ZERO },
    };
    let bytes = guests::plugin()?;
    let issuer = Issuer::new()?;
    let plugin = load(&bytes, None)?;
    let mut sections = Vec::new();
    for (algorithm, token) in &issuer.tokens {
        for moments in [Moments::Verified, Moments::Remembered] {
            let name = format!("validate {algorithm}, {}", moments.name());
            let doors = doors(&bytes, &plugin, &issuer.trust, moments)?;
            sections.push(validations(name, doors, token, moments, effort)?);
        }
    }
    sections.push(instances(&plugin, &issuer.trust, effort)?);
    sections.push(loads(&bytes, Effort { rounds: effort.rounds.min(5), ..effort })?);
    let mut output = std::io::stdout().lock();
    if asked("--json") {
        writeln!(output, "{}", to_json(&sections))?;
    } else {
        write_table(&sections, &mut output)?;
    }
    Ok(())
}

/// Whether a call finds its token among those that were verified before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moments {
    /// Every call is 400 s away from the one before it, longer than a token is remembered.
    Verified,
    /// All calls are made at one moment.
    Remembered,
}

impl Moments {
    const fn name(self) -> &'static str {
        match self {
            Self::Verified => "signature verified",
            Self::Remembered => "from the verified-token cache",
        }
    }

    const fn step(self) -> u64 {
        match self {
            Self::Verified => 400,
            Self::Remembered => 0,
        }
    }
}

type Doors = Vec<(&'static str, Box<dyn Door>)>;

fn doors(bytes: &[u8], plugin: &Plugin, trust: &str, moments: Moments) -> Result<Doors> {
    let mut doors: Doors = vec![
        ("native", Box::new(Native::new(trust)?)),
        ("component", Box::new(Component::new(plugin, patient(), trust)?)),
        ("module, JSON in and out", Box::new(Module::new(bytes, trust)?)),
    ];
    // A fresh instance remembers nothing.
    if moments == Moments::Verified {
        let fresh = Component::new(plugin, patient_and_fresh(), trust)?;
        doors.push(("component, fresh for every call", Box::new(fresh)));
    }
    Ok(doors)
}

/// One token by every door.
fn validations(
    name: String,
    mut doors: Doors,
    token: &str,
    moments: Moments,
    effort: Effort,
) -> Result<Section> {
    for (door, asked) in &mut doors {
        ensure!(asked.allows(token, NOW), "{name}: `{door}` does not allow the token");
        ensure!(!asked.allows("a.b.c", NOW), "{name}: `{door}` allows no token at all");
    }
    let contestants = doors.into_iter().map(|(name, mut door)| {
        let mut later = [NOW, NOW.saturating_add(moments.step())].into_iter().cycle();
        (name, work(move || later.next().map(|now| door.allows(token, now))))
    });
    let contestants = contestants.collect();
    Ok(measure(Lineup { name, clock: Clock::Thread, contestants }, effort))
}

/// What an instance costs: a malformed token needs hardly more than the call.
fn instances(plugin: &Plugin, trust: &str, effort: Effort) -> Result<Section> {
    let long_lived = Policy::new(plugin.clone(), patient())?;
    let without_trust = Policy::new(plugin.clone(), patient_and_fresh())?;
    let with_trust = Policy::new(plugin.clone(), patient_and_fresh())?;
    long_lived.load_trust(trust)?;
    with_trust.load_trust(trust)?;
    let refuse = |policy: Policy| {
        let request = ValidateRequest::new(AUDIENCE, NOW);
        work(move || policy.validate("a.b.c", &request))
    };
    let contestants = vec![
        ("call of a long-lived instance", refuse(long_lived)),
        ("instantiate, and call", refuse(without_trust)),
        ("instantiate, load trust, and call", refuse(with_trust)),
    ];
    let name = "refuse a malformed token".to_owned();
    Ok(measure(Lineup { name, clock: Clock::Thread, contestants }, effort))
}

/// What a start costs.
fn loads(bytes: &[u8], effort: Effort) -> Result<Section> {
    let folder = Folder::new()?;
    load(bytes, Some(folder.path()))?;
    let contestants: Vec<(&'static str, Turn<'_>)> = vec![
        ("from the cache of compiled code", work(move || load(bytes, Some(folder.path())))),
        ("compiled", work(|| load(bytes, None))),
    ];
    let name = "load the plugin".to_owned();
    Ok(measure(Lineup { name, clock: Clock::Wall, contestants }, effort))
}

fn work<'w, T>(mut call: impl FnMut() -> T + 'w) -> Turn<'w> {
    Turn::Here(Box::new(move || drop(std::hint::black_box(call()))))
}

fn measure(mut lineup: Lineup<'_>, effort: Effort) -> Section {
    let costs = lineup.measure(effort);
    Section { name: lineup.name, clock: lineup.clock, costs }
}

fn load(bytes: &[u8], cache: Option<&Path>) -> Result<Plugin> {
    let cache_directory = cache.map(Path::to_owned);
    let options = PluginOptions { cache_directory, ..PluginOptions::default() };
    Ok(Plugin::from_bytes(bytes, &Sha256Digest::of(bytes), &options)?)
}

/// A folder for compiled code that is removed again.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("mandate-benches-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path.join("compiled")))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(parent) = self.0.parent() {
            let _gone = std::fs::remove_dir_all(parent);
        }
    }
}
