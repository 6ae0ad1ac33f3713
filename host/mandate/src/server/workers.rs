//! Threads for what blocks: a fixed number, and a bounded number of those who wait for one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// A number of threads.
#[derive(Clone, Debug)]
pub(super) struct Workers {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// There was no room, or no thread in time: the caller may try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// How long work waits for a thread.
const PATIENCE: Duration = Duration::from_millis(500);

impl Workers {
    /// `running` threads, for each of which `waiting` may wait.
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        let admitted = running.saturating_mul(waiting.saturating_add(1));
        let admitted = admitted.min(Semaphore::MAX_PERMITS);
        Self {
            admitted: Arc::new(Semaphore::new(admitted)),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// Does the work on one of the threads. Work that has begun is finished, even if nobody waits for
    /// it any more: its place is free only then.
    ///
    /// # Errors
    /// [`Busy`] where nothing was begun, or the work panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Busy)?;
        let running = timeout(PATIENCE, Arc::clone(&self.running).acquire_owned());
        let running = running.await.ok().and_then(Result::ok).ok_or(Busy)?;
        let working = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop((running, admitted));
            outcome
        });
        working.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn who_finds_no_room_is_told_so() {
        let workers = Workers::new(1, 0);
        let (release, held) = channel::<()>();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let workers = workers.clone();
            async move {
                workers
                    .run(move || {
                        let _ = begun.send(());
                        held.recv()
                    })
                    .await
            }
        });
        begins.await.unwrap();
        assert_eq!(workers.run(|| 1).await, Err(Busy));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(Ok(())));
        assert_eq!(workers.run(|| 2).await, Ok(2));
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let workers = Workers::new(1, 0);
        let panicked: Result<(), Busy> = workers.run(|| panic!("made for this test")).await;
        assert_eq!(panicked, Err(Busy));
        assert_eq!(workers.run(|| 3).await, Ok(3));
    }
}
