//! A feed on a socket: a thread for each connection, bounded in number.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::feed_state::Feed;
use super::http::{Connection, Unread};
use super::routes;
use super::socket::{self, ListenAddress, Listener};

/// Requests that are answered at once.
const MOST_REQUESTS: usize = 64;
/// Connections: those that wait between two requests included.
const MOST_CONNECTIONS: usize = 256;

/// How a feed is served.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen.
    pub listen: ListenAddress,
}

/// A feed that is served until it is dropped.
#[derive(Debug)]
pub struct FeedServer {
    address: ListenAddress,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    feed: Arc<Feed>,
    stopping: AtomicBool,
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl FeedServer {
    /// Serves a feed and signs its heartbeats.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn start(feed: Arc<Feed>, options: &ServerOptions) -> io::Result<Self> {
        let (listener, address) = Listener::bind(&options.listen)?;
        let shared = Arc::new(Shared {
            feed,
            stopping: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let (accepting, beating) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            std::thread::spawn(move || accept(&listener, &accepting)),
            std::thread::spawn(move || beat(&beating)),
        ];
        Ok(Self { address, shared, threads })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> &ListenAddress {
        &self.address
    }
}

impl Drop for FeedServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.feed.stop();
        // Wakes the thread that waits for connections.
        socket::wake(&self.address, WAKE);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        socket::remove(&self.address);
        // Whoever waits is answered with what there is; nobody is waited for long.
        for _ in 0..LAST_ANSWERS {
            if self.shared.requests.load(Ordering::SeqCst) == 0 {
                break;
            }
            std::thread::sleep(TICK);
        }
    }
}

fn accept(listener: &Listener, shared: &Arc<Shared>) {
    loop {
        let stream = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let Ok(connection) = stream.and_then(Connection::new) else {
            // Out of file descriptors, perhaps: do not spin.
            std::thread::sleep(TICK);
            continue;
        };
        let Some(place) = Place::take(shared, |shared| &shared.connections, MOST_CONNECTIONS)
        else {
            let mut connection = connection;
            connection.send(None, &routes::busy());
            continue;
        };
        std::thread::spawn(move || converse(connection, &place));
    }
}

fn converse(mut connection: Connection, place: &Place) {
    let shared = &place.shared;
    while !shared.stopping.load(Ordering::SeqCst) {
        match connection.read() {
            Ok(request) => {
                // The place is kept until the answer is sent.
                let asked = Place::take(shared, |shared| &shared.requests, MOST_REQUESTS);
                let response = match &asked {
                    Some(_) => routes::answer(&shared.feed, &request),
                    None => routes::busy(),
                };
                if !connection.send(Some(&request), &response) {
                    return;
                }
            }
            Err(Unread::Closed) => return,
            Err(Unread::Refused(status, message)) => {
                connection.send(None, &routes::problem(status, "request", message));
                return connection.drain();
            }
        }
    }
}

/// One of a bounded number of places.
struct Place {
    shared: Arc<Shared>,
    of: fn(&Shared) -> &AtomicUsize,
}

impl Place {
    fn take(shared: &Arc<Shared>, of: fn(&Shared) -> &AtomicUsize, most: usize) -> Option<Self> {
        let room = |taken: usize| taken.checked_add(1).filter(|taken| *taken <= most);
        let taken = of(shared).fetch_update(Ordering::SeqCst, Ordering::SeqCst, room);
        taken.is_ok().then(|| Self { shared: Arc::clone(shared), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        (self.of)(&self.shared).fetch_sub(1, Ordering::SeqCst);
    }
}

/// Signs heartbeats when they are due.
fn beat(shared: &Shared) {
    while !shared.stopping.load(Ordering::SeqCst) {
        if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            shared.feed.tick(now.as_secs());
        }
        std::thread::sleep(TICK);
    }
}

const TICK: Duration = Duration::from_millis(50);
const WAKE: Duration = Duration::from_secs(1);
/// Ticks that a stopping server waits for answers to be sent.
const LAST_ANSWERS: u32 = 40;
