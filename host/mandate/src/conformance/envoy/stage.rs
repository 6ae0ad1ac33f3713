//! An Envoy with everything around it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::bootstrap::{Places, bootstrap, listeners};
use super::door::Door;
use super::feed::Feeds;
use super::ground::{Ground, Grounds};
use super::process::{AccessLog, Envoy, Folder};
use super::upstream::Upstream;

/// One Envoy, a feed before it and a server behind it.
pub(super) struct Stage {
    envoy: Envoy,
    pub(super) feeds: Feeds,
    pub(super) upstream: Upstream,
    pub(super) door: Door,
    /// How often the listeners were replaced.
    version: usize,
    folder: Folder,
}

impl Stage {
    /// Starts it with one ground.
    pub(super) fn begin(program: &Path, door: Door, first: &Ground) -> Result<Self> {
        let folder = Folder::new()?;
        let (feeds, upstream) = (Feeds::serve()?, Upstream::serve()?);
        let listeners = folder.write(LISTENERS, r#"{"version_info":"0","resources":[]}"#)?;
        let log = folder.path(LOG);
        let places = Places {
            door: &door,
            log: &log,
            listeners: &listeners,
            feed: feeds.port,
            upstream: upstream.port,
        };
        let envoy = Envoy::start(program, &bootstrap(first, &places), &folder)?;
        Ok(Self { envoy, feeds, upstream, door, version: 0, folder })
    }

    /// Replaces the listeners by those of these grounds; on which port each of them is.
    pub(super) fn put(&mut self, grounds: &Grounds) -> Result<BTreeMap<usize, u16>> {
        self.version = self.version.saturating_add(1);
        if let Door::ExtAuthz(desk) = &self.door {
            desk.put(grounds);
        }
        let (listeners_file, log) = (self.folder.path(LISTENERS), self.folder.path(LOG));
        let places = Places {
            door: &self.door,
            log: &log,
            listeners: &listeners_file,
            feed: self.feeds.port,
            upstream: self.upstream.port,
        };
        let ports = free_ports(grounds.keys().copied())?;
        let document = listeners(grounds, &ports, &places, self.version);
        self.folder.write(LISTENERS, &document.to_string())?;
        Ok(ports)
    }

    /// Whether what decides has the state of these grounds.
    pub(super) fn is_ready(&self, numbers: &BTreeSet<usize>) -> bool {
        match &self.door {
            Door::ExtAuthz(_) => true,
            Door::Filter(_) => self.feeds.are_taken(numbers.iter().copied()),
        }
    }

    /// Waits until Envoy listens for all of these grounds.
    pub(super) fn wait_for(&mut self, numbers: &BTreeSet<usize>) -> Result<()> {
        let names: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        self.envoy.wait_for(&|listening| names.iter().all(|name| listening.contains(name)))
    }

    /// What the filter of a ground has logged, or why a server would not start on it.
    pub(super) fn said_by(&self, number: usize) -> Vec<String> {
        if let Door::ExtAuthz(desk) = &self.door {
            return desk.refused(number).into_iter().collect();
        }
        let log = self.envoy.log();
        let prefix = format!("wasm log gate-{number}: ");
        log.lines().filter(|line| line.contains(&prefix)).map(str::to_owned).collect()
    }

    /// The access log.
    pub(super) fn log(&self) -> AccessLog {
        AccessLog::new(self.folder.path(LOG))
    }
}

/// Ports that are freed at once, for Envoy to take.
fn free_ports(numbers: impl Iterator<Item = usize>) -> Result<BTreeMap<usize, u16>> {
    let bind = |number| Ok((number, TcpListener::bind("127.0.0.1:0").context("a port")?));
    let held = numbers.map(bind).collect::<Result<Vec<_>>>()?;
    held.iter().map(|(number, held)| Ok((*number, held.local_addr()?.port()))).collect()
}

const LISTENERS: &str = "listeners.json";
const LOG: &str = "access.log";
