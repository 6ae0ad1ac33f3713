//! The feed of each ground: what its fixture says, and when its snapshots may be taken.

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::clock;
use super::ground::{Ground, Grounds};
use super::message;

/// A feed for every ground, under its number.
#[derive(Clone, Debug)]
pub(super) struct Feeds {
    shelf: Arc<Shelf>,
    pub(super) port: u16,
}

type Shelf = Mutex<BTreeMap<usize, Arc<Shared>>>;

/// What one ground's feed has, and how often all of it was given.
#[derive(Debug)]
struct Shared {
    containers: Vec<Vec<u8>>,
    /// Seconds since the epoch: nothing is given before. Who takes a state that is issued later than
    /// now refuses it.
    opens: u64,
    given: AtomicUsize,
}

impl Feeds {
    /// Serves on a port of its own until the process ends.
    pub(super) fn serve() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("the feed")?;
        let port = listener.local_addr()?.port();
        let shelf = Arc::new(Shelf::default());
        let served = Arc::clone(&shelf);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shelf = Arc::clone(&served);
                thread::spawn(move || converse(&connection, &shelf));
            }
        });
        Ok(Self { shelf, port })
    }

    /// Puts these grounds in the place of those before.
    pub(super) fn put(&self, grounds: &Grounds, opens: u64) {
        let shared = |(number, ground): (&usize, &Ground)| {
            let given = AtomicUsize::new(0);
            (*number, Arc::new(Shared { containers: ground.containers.clone(), opens, given }))
        };
        let shared = grounds.iter().map(shared).collect();
        *self.shelf.lock().unwrap_or_else(PoisonError::into_inner) = shared;
    }

    /// Whether the VM of the main thread and that of the worker have been given all of these.
    pub(super) fn are_taken(&self, mut numbers: impl Iterator<Item = usize>) -> bool {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.all(|number| {
            shelf.get(&number).is_none_or(|one| {
                one.containers.is_empty() || one.given.load(Ordering::Acquire) >= MACHINES
            })
        })
    }
}

fn converse(connection: &TcpStream, shelf: &Shelf) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    loop {
        let head = message::request_head(&mut reader)?;
        let target = String::from_utf8(head.target).ok()?;
        let body = answer(shelf, &target);
        let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
        let body = body.unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {KIND}\r\netag: \"a\"\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    }
}

fn answer(shelf: &Shelf, target: &str) -> Option<Vec<u8>> {
    let (number, rest) = target.strip_prefix('/')?.split_once('/')?;
    let number = number.parse().ok()?;
    let shared = shelf.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()?;
    let (snapshot, deltas) = shared.containers.split_first()?;
    clock::wait_for(shared.opens);
    let whole = || shared.given.fetch_add(1, Ordering::AcqRel);
    if rest == "v1/snapshot" {
        if deltas.is_empty() {
            whole();
        }
        return Some(snapshot.clone());
    }
    if deltas.is_empty() {
        // A long poll that nothing ends: a fixture's state grows no younger.
        thread::sleep(LONG);
    } else {
        whole();
    }
    Some(deltas.concat())
}

/// VMs of an Envoy with one worker: the worker's and the main thread's.
const MACHINES: usize = 2;
const LONG: Duration = Duration::from_secs(25);
const KIND: &str = "application/vnd.mandate.containers";
