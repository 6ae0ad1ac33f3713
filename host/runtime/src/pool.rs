//! The instances of one policy, and the trust that they share.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use crate::bindings::{authn, types};
use crate::failure::Failure;
use crate::instance::Instance;
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::state::{StateDocuments, StateError, StateStatus};

/// Lends instances, each to one call at a time.
///
/// An instance whose call failed is never lent again, and one with an older trust is replaced by a
/// fresh one with the current trust: linear memory never shrinks, so that a new instance also gives
/// the old trust's memory back.
#[derive(Debug)]
pub(crate) struct Pool {
    plugin: Plugin,
    limits: Limits,
    trust: RwLock<Option<Arc<Trust>>>,
    state: RwLock<Arc<StateDocuments>>,
    sealing: RwLock<Option<Arc<Sealing>>>,
    room: Mutex<Room>,
    returned: Condvar,
    loading: Mutex<()>,
    fuel: AtomicU64,
}

/// A trust document that an instance has accepted.
#[derive(Debug)]
struct Trust {
    generation: u64,
    document: Box<str>,
}

/// A secret that an instance has accepted. It is in no log: [`Sealing`] shows its number only.
struct Sealing {
    generation: u64,
    secret: Box<[u8]>,
}

impl fmt::Debug for Sealing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sealing")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// What is in the pool. INVARIANT: `idle.len() <= live <= limits.instances`.
#[derive(Debug, Default)]
struct Room {
    idle: Vec<Member>,
    live: usize,
    /// Calls that wait for an instance: only then is there somebody to wake, which is a system
    /// call.
    waiting: usize,
}

/// An instance with its standing in the pool.
#[derive(Debug)]
struct Member {
    instance: Instance,
    generation: u64,
    /// The snapshot that it holds, and the newest delta.
    state: (u64, u64),
    /// The secret that it holds.
    sealing: u64,
    calls: u32,
}

impl Pool {
    pub(crate) fn new(plugin: Plugin, limits: Limits) -> Self {
        Self {
            plugin,
            limits,
            trust: RwLock::default(),
            state: RwLock::default(),
            sealing: RwLock::default(),
            room: Mutex::default(),
            returned: Condvar::new(),
            loading: Mutex::default(),
            fuel: AtomicU64::new(0),
        }
    }

    pub(crate) const fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Fuel of the call that ended last; `None` where it is not counted.
    pub(crate) fn fuel_used(&self) -> Option<u64> {
        self.plugin.engine().counts_fuel().then(|| self.fuel.load(Ordering::Relaxed))
    }

    /// Makes one call on an instance that holds the current trust. When it fails, the instance is
    /// thrown away, and the next call gets a fresh one.
    pub(crate) fn call<T>(
        &self,
        call: impl FnOnce(&mut Instance) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.lend(|member| call(&mut member.instance))
    }

    fn lend<T>(&self, call: impl FnOnce(&mut Member) -> Result<T, Failure>) -> Result<T, Failure> {
        let (place, idle) = self.take_place()?;
        // Read once the place is taken: a call that begins after a load sees its trust.
        let trust = self.current_trust();
        let state = self.current_state();
        let generation = trust.as_ref().map_or(0, |trust| trust.generation);
        let mut member = match idle {
            Some(member)
                if member.generation >= generation && member.state.0 >= state.generation =>
            {
                member
            }
            Some(_) | None => self.fresh(trust.as_deref(), &state)?,
        };
        member.catch_up(&state)?;
        member.take_sealing(self.current_sealing().as_deref())?;
        let answer = call(&mut member);
        if let Some(fuel) = member.instance.fuel_used() {
            self.fuel.store(fuel, Ordering::Relaxed);
        }
        let answer = answer?;
        member.calls = member.calls.saturating_add(1);
        if self.limits.calls_per_instance.is_none_or(|most| member.calls < NonZeroU32::get(most)) {
            place.give_back(member);
        }
        Ok(answer)
    }

    /// Tries the document in an instance of its own; when that accepts it, it is the current trust
    /// for every call that begins from now on.
    pub(crate) fn load_trust(
        &self,
        document: &str,
    ) -> Result<Result<(authn::TrustStatus, u64), types::LoadError>, Failure> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut instance = Instance::new(&self.plugin, &self.limits)?;
        let status = match instance.load_trust(document)? {
            Ok(status) => status,
            Err(error) => return Ok(Err(error)),
        };
        let generation = self.current_trust().map_or(0, |trust| trust.generation).saturating_add(1);
        let trust = Arc::new(Trust { generation, document: document.into() });
        *self.trust.write().unwrap_or_else(PoisonError::into_inner) = Some(trust);
        let mut member = Member { instance, generation, state: (0, 0), sealing: 0, calls: 0 };
        if member.take_state(&self.current_state()).is_ok() {
            self.renew(member);
        }
        Ok(Ok((status, generation)))
    }

    /// Tries the secret in an instance of its own; when that accepts it, every call that begins
    /// from now on has it.
    pub(crate) fn configure_sealing(
        &self,
        secret: &[u8],
    ) -> Result<Result<(), types::LoadError>, Failure> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut instance = Instance::new(&self.plugin, &self.limits)?;
        if let Err(error) = instance.configure_sealing(secret)? {
            return Ok(Err(error));
        }
        let before = self.current_sealing().map_or(0, |sealing| sealing.generation);
        let sealing = Sealing { generation: before.saturating_add(1), secret: secret.into() };
        *self.sealing.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(sealing));
        Ok(Ok(()))
    }

    fn current_sealing(&self) -> Option<Arc<Sealing>> {
        self.sealing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says whose state is taken. What was loaded before is dropped: who changes keys wants what
    /// they sign.
    pub(crate) fn configure_state(
        &self,
        config: &str,
    ) -> Result<Result<(), types::LoadError>, Failure> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut instance = Instance::new(&self.plugin, &self.limits)?;
        if let Err(error) = instance.configure_state(config)? {
            return Ok(Err(error));
        }
        let generation = self.current_state().generation.saturating_add(1);
        let config = Some(config.into());
        self.put_state(StateDocuments { generation, config, ..StateDocuments::default() });
        Ok(Ok(()))
    }

    /// Tries a snapshot in an instance of its own; when that accepts it, it is the current state
    /// for every call that begins from now on.
    pub(crate) fn load_state(&self, container: &[u8]) -> Result<StateStatus, StateError> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current_state();
        let config = before.config_at_floor().ok_or_else(|| StateError {
            reason: "snapshot-missing".to_owned(),
            detail: "the state is not configured".to_owned(),
        })?;
        let trust = self.current_trust();
        let mut member = self.fresh(trust.as_deref(), &StateDocuments::default())?;
        member
            .instance
            .configure_state(&config)?
            .map_err(|error| Failure::StateRefused(error.message))?;
        let status = match member.instance.load_state(container)? {
            Ok(status) => StateStatus::from(status),
            Err(refusal) => return Err(self.refused(&before, refusal.into())),
        };
        let generation = before.generation.saturating_add(1);
        self.put_state(StateDocuments {
            generation,
            config: Some(config),
            snapshot: Some(container.into()),
            deltas: Vec::new(),
            status: Some(status.clone()),
            refused: None,
        });
        member.state = (generation, 0);
        self.renew(member);
        Ok(status)
    }

    /// Keeps why a snapshot was refused while nothing is in force: the questions until then are
    /// answered with it.
    fn refused(&self, before: &StateDocuments, error: StateError) -> StateError {
        if before.status.is_none() {
            let (generation, config) = (before.generation, before.config.clone());
            let refused = Some(error.clone());
            let documents =
                StateDocuments { generation, config, refused, ..StateDocuments::default() };
            self.put_state(documents);
        }
        error
    }

    /// Why nothing is in force, if something was refused.
    pub(crate) fn refusal(&self) -> Option<StateError> {
        self.current_state().refused.clone()
    }

    /// Tries a delta in an instance that holds what is in force; when that accepts it, every call
    /// that begins from now on sees it.
    pub(crate) fn apply_delta(&self, container: &[u8]) -> Result<StateStatus, StateError> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current_state();
        let mut after = None;
        self.lend(|member| {
            let applied = member.instance.apply_delta(container)?;
            if let Ok(status) = &applied {
                let documents = before.with_delta(container, StateStatus::from(status.clone()));
                member.state = (documents.generation, documents.sequence());
                after = Some(documents);
            }
            Ok(applied)
        })??;
        let documents = after.ok_or(Failure::Inconsistent("a delta without a state"))?;
        let status = documents.status.clone();
        self.put_state(documents);
        Ok(status.ok_or(Failure::Inconsistent("a delta without a state"))?)
    }

    /// What is in force.
    pub(crate) fn state(&self) -> Option<StateStatus> {
        self.current_state().status.clone()
    }

    fn current_state(&self) -> Arc<StateDocuments> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put_state(&self, documents: StateDocuments) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(documents);
    }

    fn current_trust(&self) -> Option<Arc<Trust>> {
        self.trust.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fresh(&self, trust: Option<&Trust>, state: &StateDocuments) -> Result<Member, Failure> {
        let instance = Instance::new(&self.plugin, &self.limits)?;
        let mut member = Member { instance, generation: 0, state: (0, 0), sealing: 0, calls: 0 };
        if let Some(trust) = trust {
            member.instance.load_trust(&trust.document)?.map_err(|error| {
                Failure::TrustRefused(format!("{}: {}", error.path, error.message))
            })?;
            member.generation = trust.generation;
        }
        member.take_state(state)?;
        Ok(member)
    }

    /// Puts an instance with a new trust in the place of the idle ones, which hold an older one.
    fn renew(&self, member: Member) {
        let stale = {
            let mut room = self.room();
            let stale = std::mem::take(&mut room.idle);
            room.live = room.live.saturating_sub(stale.len());
            if room.live < self.limits.instances {
                room.live = room.live.saturating_add(1);
                room.idle.push(member);
            }
            stale
        };
        self.returned.notify_all();
        drop(stale);
    }

    /// Takes an idle instance, or room for a new one; waits when there is neither.
    fn take_place(&self) -> Result<(Place<'_>, Option<Member>), Failure> {
        let began = Instant::now();
        let mut room = self.room();
        loop {
            if let Some(member) = room.idle.pop() {
                return Ok((Place { pool: self }, Some(member)));
            }
            if room.live < self.limits.instances {
                room.live = room.live.saturating_add(1);
                return Ok((Place { pool: self }, None));
            }
            let left = self.limits.wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(Failure::Busy(self.limits.wait));
            }
            room.waiting = room.waiting.saturating_add(1);
            (room, _) =
                self.returned.wait_timeout(room, left).unwrap_or_else(PoisonError::into_inner);
            room.waiting = room.waiting.saturating_sub(1);
        }
    }

    // A panic while the lock is held cannot leave the room half changed, so that the mark it
    // leaves is ignored: refusing every later call for it would be a denial of service.
    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    /// Loads the state that others have accepted.
    fn take_state(&mut self, state: &StateDocuments) -> Result<(), Failure> {
        if let Some(config) = &state.config {
            self.instance
                .configure_state(config)?
                .map_err(|error| Failure::StateRefused(error.message))?;
        }
        if let Some(snapshot) = &state.snapshot {
            self.instance
                .load_state(snapshot)?
                .map_err(|refusal| Failure::StateRefused(refusal.detail))?;
        }
        self.state = (state.generation, 0);
        self.catch_up(state)
    }

    /// Takes the secret in force, where it holds another.
    fn take_sealing(&mut self, sealing: Option<&Sealing>) -> Result<(), Failure> {
        let Some(Sealing { generation, secret }) = sealing else { return Ok(()) };
        if self.sealing == *generation {
            return Ok(());
        }
        self.instance
            .configure_sealing(secret)?
            .map_err(|error| Failure::SealingRefused(error.message))?;
        self.sealing = *generation;
        Ok(())
    }

    /// Applies the deltas that came since this instance was lent last.
    fn catch_up(&mut self, state: &StateDocuments) -> Result<(), Failure> {
        let (generation, sequence) = self.state;
        if generation != state.generation {
            return Ok(());
        }
        for delta in state.deltas.iter().filter(|delta| delta.sequence > sequence) {
            self.instance
                .apply_delta(&delta.bytes)?
                .map_err(|refusal| Failure::StateRefused(refusal.detail))?;
            self.state.1 = delta.sequence;
        }
        Ok(())
    }
}

/// Room for one instance. Dropping it makes room for another.
#[derive(Debug)]
struct Place<'p> {
    pool: &'p Pool,
}

impl Place<'_> {
    /// Leaves the room occupied by an idle instance.
    fn give_back(self, member: Member) {
        let mut room = self.pool.room();
        room.idle.push(member);
        let is_awaited = room.waiting > 0;
        drop(room);
        if is_awaited {
            self.pool.returned.notify_one();
        }
        std::mem::forget(self);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut room = self.pool.room();
        room.live = room.live.saturating_sub(1);
        drop(room);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    // A plugin without imports should answer alike every time; that is no reason to trust it.
    #[test]
    fn a_fresh_instance_that_refuses_the_trust_in_force_denies_until_it_accepts() {
        let pool = Pool::new(fixture::plugin(), Limits { instances: 1, ..Limits::default() });
        let put_in_force = |document: &str| {
            let trust = Trust { generation: 1, document: document.into() };
            *pool.trust.write().unwrap() = Some(Arc::new(trust));
        };
        put_in_force("error");
        let refused = Failure::TrustRefused("contract: refused by the fixture".to_owned());
        assert_eq!(pool.call(|_| Ok(())), Err(refused.clone()));
        assert_eq!(pool.call(|_| Ok(())), Err(refused));
        put_in_force("good");
        assert_eq!(pool.call(|_| Ok(())), Ok(()));
    }
}
