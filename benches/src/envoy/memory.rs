//! What a snapshot takes in each VM: after the first load, and after others have replaced it.
//!
//! Envoys with one and with three workers are compared: what every worker adds is the difference, and
//! what the process has once (the fetched body, what is shared, the singleton's own) falls out.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::bootstrap::{Ground, Listener, Ours, bootstrap, gate};
use super::counting_server::CountingServer;
use super::deployment::World;
use super::process::{Envoy, free_port};
use super::programs::Programs;
use super::supply::Supply;
use super::tokens::{Algorithm, Issuer};
use super::{client, upstream};

/// What one Envoy took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    /// How many workers it has.
    pub workers: usize,
    /// Bytes without any state.
    pub empty: u64,
    /// Bytes after the first snapshot, and after each that replaced it.
    pub loaded: Vec<u64>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of the snapshot.
    pub snapshot: usize,
    /// With few workers, and with more.
    pub few: Resident,
    /// See `few`.
    pub more: Resident,
}

impl Memory {
    /// What each further worker takes after so many replacements, to the snapshot.
    #[must_use]
    pub fn per_worker(&self, swaps: usize) -> Option<f64> {
        let grown = |one: &Resident| Some(one.loaded.get(swaps)?.saturating_sub(one.empty));
        let grown = grown(&self.more)?.saturating_sub(grown(&self.few)?);
        let workers = self.more.workers.saturating_sub(self.few.workers);
        let number = |count: u64| u32::try_from(count / 1024).ok().map(f64::from);
        let snapshot = number(u64::try_from(self.snapshot).ok()?)?;
        Some(number(grown)? / f64::from(u32::try_from(workers).ok()?) / snapshot)
    }

    /// How many replacements there were.
    #[must_use]
    pub fn swaps(&self) -> usize {
        self.few.loaded.len().min(self.more.loaded.len()).saturating_sub(1)
    }

    /// Everything for a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let resident = |one: &Resident| json!({"workers": one.workers, "empty": one.empty, "loaded": one.loaded});
        let shares: Vec<_> = (0..=self.swaps()).map(|swaps| self.per_worker(swaps)).collect();
        json!({
            "snapshot_bytes": self.snapshot,
            "resident_bytes": [resident(&self.few), resident(&self.more)],
            "per_worker_to_snapshot": shares,
        })
    }
}

/// Loads a world and replaces it so many times.
///
/// # Errors
/// When something does not start, or a snapshot is not taken up.
pub fn measure(programs: &Programs, world: &World, swaps: usize) -> Result<Memory> {
    let issuer = Issuer::new()?;
    let (snapshot, few) = resident(programs, &issuer, world, FEW, swaps)?;
    let (_, more) = resident(programs, &issuer, world, MORE, swaps)?;
    Ok(Memory { snapshot, few, more })
}

fn resident(
    programs: &Programs,
    issuer: &Issuer,
    world: &World,
    workers: usize,
    swaps: usize,
) -> Result<(usize, Resident)> {
    let (supply, upstream) =
        (Supply::empty(world.size.slice)?, CountingServer::begin(upstream::converse)?);
    let ground = Ground {
        admin: free_port()?,
        upstream: upstream.port,
        check_server: free_port()?,
        key_set: issuer.key_set()?,
        trust: issuer.trust()?,
        module: programs.module.display().to_string(),
    };
    let ours = Ours { slice: world.size.slice, state: supply.state()?, feed: supply.port };
    let port = free_port()?;
    let listener = Listener { port, filters: vec![gate(&ground, &ours)] };
    let envoy =
        Envoy::start(programs, &bootstrap(&ground, &[listener], &[ours]), ground.admin, workers)?;
    let request = request(issuer, world)?;
    envoy.wait_until("the feed has been asked", || {
        Ok(client::ask(port, &request)?.status == 503
            && envoy.statistic("wasmcustom.mandate.feed.absent")?.is_some())
    })?;
    let empty = settled(&envoy)?;
    let (mut loaded, mut bytes) = (Vec::new(), 0);
    for epoch in 1..=u64::try_from(swaps)?.saturating_add(1) {
        bytes = supply.publish(&world.body, epoch)?;
        wait_for(&envoy, epoch)?;
        envoy.wait_until("every worker decides", || {
            let mut asked = (0..EVERY_WORKER).map(|_| client::ask(port, &request));
            Ok(asked.all(|answered| answered.is_ok_and(|answered| answered.status == 200)))
        })?;
        loaded.push(settled(&envoy)?);
    }
    Ok((bytes, Resident { workers, empty, loaded }))
}

/// Waits until every worker says that it has a snapshot: the last that wrote is shown, and each writes
/// with every tick.
fn wait_for(envoy: &Envoy, epoch: u64) -> Result<()> {
    envoy.wait_until("the snapshot is in force", || {
        let begun = Instant::now();
        while begun.elapsed() < TICKS {
            if envoy.statistic("wasmcustom.mandate.state.epoch")? != Some(epoch) {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(true)
    })
}

/// Resident memory, once it stands still.
fn settled(envoy: &Envoy) -> Result<u64> {
    let begun = Instant::now();
    let mut before = envoy.resident_bytes()?;
    loop {
        std::thread::sleep(Duration::from_secs(2));
        let now = envoy.resident_bytes()?;
        if now.abs_diff(before) < before / 200 || begun.elapsed() > Duration::from_secs(20) {
            return Ok(now);
        }
        before = now;
    }
}

fn request(issuer: &Issuer, world: &World) -> Result<Vec<u8>> {
    let tokens = issuer.tokens(Algorithm::Rs256, &world.size, 1)?;
    let token = tokens.first().context("a token")?;
    let board = world.size.board(0, 0);
    let head = format!("GET /boards/{board} HTTP/1.1\r\nhost: boards.example\r\n");
    Ok(format!("{head}authorization: Bearer {}\r\n\r\n", token.text).into_bytes())
}

const FEW: usize = 1;
const MORE: usize = 3;
/// Connections: so many go to one worker of three once in a million million times.
const EVERY_WORKER: usize = 64;
/// Some ticks of every worker.
const TICKS: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_process_has_once_falls_out() {
        let mib = |count: u64| count * 1024 * 1024;
        let few = Resident { workers: 1, empty: mib(100), loaded: vec![mib(170), mib(200)] };
        let more = Resident { workers: 3, empty: mib(120), loaded: vec![mib(230), mib(300)] };
        let memory = Memory { snapshot: 16 * 1024 * 1024, few, more };
        let shares: Vec<_> = (0..3).map(|swaps| memory.per_worker(swaps)).collect();
        assert_eq!(shares, [Some(1.25), Some(2.5), None]);
        assert_eq!(memory.swaps(), 1);
    }
}
