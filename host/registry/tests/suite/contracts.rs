//! Versions of the contract, and what those who asked are told of them.

use mandate_registry::contract::{ContractVersion, KnownContract, Stage};
use mandate_registry::error::RegistryError;
use mandate_registry::limits::{DELIVERY_LEASE, DELIVERY_WAITS};
use mandate_registry::outbox::{Announcement, Attempt, Delivery};

use crate::scene::{NOW, at, by, connect, dry, empty, local, scene};
use crate::store::Store;

fn version(version: &str, digest: &str) -> ContractVersion {
    ContractVersion { version: version.to_owned(), digest: digest.to_owned() }
}

fn told(hooks: &[&str], payload: &str) -> Announcement {
    Announcement {
        hooks: hooks.iter().map(|hook| (*hook).to_owned()).collect(),
        payload: payload.to_owned(),
    }
}

fn nobody() -> Announcement {
    Announcement::default()
}

pub(crate) fn a_version_is_frozen_then_deployed_and_means_one_content(store: &Store) {
    let mut registry = empty(store);
    let (one, two) = (version("1.0.0", "aa"), version("1.1.0", "bb"));
    let early = registry.advance_contract(&local(), &one, Stage::Deployed, &nobody());
    let refused = RegistryError::Conflict("contract 1.0.0 is not frozen yet".to_owned());
    assert_eq!(early.map(|written| written.outcome), Err(refused));
    let mut advance = |act, contract: &ContractVersion, stage| {
        let written = registry.advance_contract(&act, contract, stage, &nobody());
        written.map(|written| written.outcome)
    };
    assert_eq!(advance(dry(), &one, Stage::Frozen), Ok(true));
    assert_eq!(advance(local(), &one, Stage::Frozen), Ok(true));
    assert_eq!(advance(local(), &one, Stage::Frozen), Ok(false));
    let other = RegistryError::Conflict(
        "contract 1.0.0 was frozen with another content: give this one a new version".to_owned(),
    );
    for stage in [Stage::Frozen, Stage::Deployed] {
        assert_eq!(advance(local(), &version("1.0.0", "bb"), stage), Err(other.clone()));
    }
    assert_eq!(advance(at(NOW + 1), &one, Stage::Deployed), Ok(true));
    assert_eq!(advance(at(NOW + 2), &two, Stage::Frozen), Ok(true));
    assert_eq!(advance(at(NOW + 3), &two, Stage::Deployed), Ok(true));
    assert_eq!(advance(at(NOW + 3), &two, Stage::Deployed), Ok(false));
    // Back to the one before: the same second, and yet the later one.
    assert_eq!(advance(at(NOW + 3), &one, Stage::Deployed), Ok(true));
    let known = |contract: ContractVersion, frozen_at, is_in_force| KnownContract {
        contract,
        frozen_at,
        deployed_at: Some(NOW + 3),
        is_in_force,
    };
    let all = vec![known(one.clone(), NOW, true), known(two, NOW + 2, false)];
    assert_eq!(registry.contracts(), Ok(all));
    assert_eq!(registry.require_contract(&one), Ok(()));
    assert_eq!(registry.require_contract(&version("2.0.0", "cc")), Ok(()));
    assert_eq!(registry.require_contract(&version("1.0.0", "cc")), Err(other));
    let changes: Vec<_> = store.dump("audit_event").concat();
    let count = |change: &str| changes.iter().filter(|cell| cell.contains(change)).count();
    let (freezes, deploys) =
        (count(r#""change":"contract-freeze""#), count(r#""change":"contract-deploy""#));
    assert_eq!((freezes, deploys), (2, 3));
}

pub(crate) fn only_the_operator_freezes_and_deploys(store: &Store) {
    let mut registry = scene(store);
    for stage in [Stage::Frozen, Stage::Deployed] {
        let version = version("1.0.0", "aa");
        let refused = registry.advance_contract(&by("user:anne"), &version, stage, &nobody());
        let message = "`user:anne` may not freeze or deploy a contract".to_owned();
        let refused = refused.map(|written| written.outcome);
        assert_eq!(refused, Err(RegistryError::Denied(message)));
    }
    assert_eq!(registry.contracts(), Ok(vec![]));
    assert_eq!(registry.deliveries(10), Ok(vec![]));
}

pub(crate) fn a_message_goes_to_every_hook_until_it_is_delivered(store: &Store) {
    let mut registry = empty(store);
    let version = version("1.0.0", "aa");
    let hooks = told(&["anne", "bob"], "{}");
    registry.advance_contract(&dry(), &version, Stage::Frozen, &hooks).expect("a dry run");
    assert_eq!(registry.deliveries(10), Ok(vec![]));
    for _ in 0..2 {
        registry.advance_contract(&local(), &version, Stage::Frozen, &hooks).expect("frozen");
    }
    let written = registry.deliveries(10).expect("the outbox");
    let [anne, bob] = written.as_slice() else { panic!("{written:?}") };
    assert_eq!((anne.hook.as_str(), bob.hook.as_str()), ("anne", "bob"));
    assert_eq!(anne.message, bob.message);
    assert_eq!(anne.payload, "{}");
    let id = anne.message.strip_prefix("msg_").expect("an id");
    assert_eq!(id.len(), 22, "128 bits");

    // Whoever has it has it alone, for the lease.
    let claim = |now| connect(store).claim_delivery("anne", now).expect("the outbox");
    assert_eq!(claim(NOW - 1), None);
    let first = claim(NOW).expect("it is due");
    assert_eq!((first.attempts, first.next_at), (1, Some(NOW + DELIVERY_LEASE)));
    assert_eq!(claim(NOW), None);
    // Whoever had it is gone: another one takes it over, and the first has no say any more.
    let second = claim(NOW + DELIVERY_LEASE).expect("it is due again");
    assert_eq!((&second.message, second.attempts), (&first.message, 2));
    registry.settle_delivery(&first, &Attempt::Refused("gone".to_owned()), NOW).expect("late");
    registry.settle_delivery(&second, &Attempt::Delivered, NOW + 70).expect("in time");
    assert_eq!(claim(NOW + 1_000_000), None);
    let anne = registry.deliveries(10).expect("the outbox").remove(0);
    let delivered = Delivery { next_at: None, delivered_at: Some(NOW + 70), ..second };
    assert_eq!(anne, delivered);
}

pub(crate) fn a_failed_delivery_waits_longer_each_time_and_is_given_up(store: &Store) {
    let mut registry = empty(store);
    let told = told(&["anne"], "{}");
    let version = version("1.0.0", "aa");
    registry.advance_contract(&local(), &version, Stage::Frozen, &told).expect("frozen");
    let mut now = NOW;
    let mut waits = Vec::new();
    while let Some(delivery) = registry.claim_delivery("anne", now).expect("the outbox") {
        let failed = Attempt::Failed("status\n500".to_owned());
        registry.settle_delivery(&delivery, &failed, now).expect("written");
        let [found] = <[Delivery; 1]>::try_from(registry.deliveries(2).expect("the outbox"))
            .expect("one message");
        assert_eq!(found.problem.as_deref(), Some("status500"));
        let Some(next) = found.next_at else { break };
        assert_eq!(registry.claim_delivery("anne", next - 1), Ok(None));
        waits.push(next - now);
        now = next;
    }
    assert_eq!(waits, DELIVERY_WAITS);
    assert_eq!(registry.claim_delivery("anne", now * 2), Ok(None));
    assert_eq!(registry.retry_deliveries("anne", now), Ok(1));
    let again = registry.claim_delivery("anne", now).expect("the outbox").expect("it is due");
    assert_eq!(again.attempts, 11);
    registry.settle_delivery(&again, &Attempt::Delivered, now).expect("written");
    assert_eq!(registry.retry_deliveries("anne", now), Ok(0));
}

pub(crate) fn two_nodes_deliver_each_message_once(store: &Store) {
    let mut registry = empty(store);
    const MESSAGES: usize = 20;
    for number in 0..MESSAGES {
        let version = version(&format!("1.{number}.0"), "aa");
        let told = told(&["anne"], "{}");
        registry.advance_contract(&local(), &version, Stage::Frozen, &told).expect("frozen");
    }
    let mut claimed: Vec<String> = std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..2)
            .map(|_| {
                let mut node = connect(store);
                scope.spawn(move || {
                    let mut claimed = Vec::new();
                    let mut misses = 0;
                    // A claim that another node got first gives none, though more are due.
                    while misses < 2 * MESSAGES {
                        match node.claim_delivery("anne", NOW).expect("the outbox") {
                            Some(delivery) => claimed.push(delivery.message),
                            None => misses += 1,
                        }
                    }
                    claimed
                })
            })
            .collect();
        nodes.into_iter().flat_map(|node| node.join().expect("no panic")).collect()
    });
    claimed.sort();
    let mut messages: Vec<_> = registry.deliveries(100).expect("the outbox");
    messages.sort_by(|one, other| one.message.cmp(&other.message));
    let messages: Vec<_> = messages.into_iter().map(|delivery| delivery.message).collect();
    assert_eq!(claimed, messages);
    assert_eq!(claimed.len(), MESSAGES);
}
