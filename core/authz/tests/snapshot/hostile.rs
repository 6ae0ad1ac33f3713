//! Bytes that nobody of ours wrote.

use mandate_authz::snapshot::{Opening, Snapshot, SnapshotError, World};

use crate::support::{SEED, list, model, tuples};

const MODEL: &str = "\
type user
type team
  relations
    define member: [user, team#member]
type document
  relations
    define parent: [document]
    define viewer: [user, user:*, team#member]
    define editor: [user]
    define can_view: (viewer and editor) or can_view from parent
    define can_edit: editor but not viewer
";

fn body() -> Vec<u8> {
    let relationships = tuples(&[
        "document:a#viewer@user:anne",
        "document:a#viewer@team:x#member",
        "document:b#viewer@user:*",
        "document:b#parent@document:a",
        "document:b#editor@user:bob",
        "team:x#member@team:y#member",
        "team:y#member@user:anne",
    ]);
    World::raw(model(MODEL), relationships).build(SEED).expect("builds")
}

/// Loads in the smallest steps, and none too many.
fn load_in_steps(bytes: Vec<u8>) -> Result<Snapshot, SnapshotError> {
    let most = bytes.len();
    let mut opening = Opening::begin(bytes)?;
    let done =
        (0..=most).try_fold(false, |done, _| if done { Ok(done) } else { opening.advance(1) });
    assert!(done?, "as many steps as bytes are enough");
    opening.finish()
}

/// Loads, and asks something of everything if that succeeds.
fn exercise(bytes: Vec<u8>) -> bool {
    let loaded = Snapshot::from_body(bytes.clone());
    let in_steps = load_in_steps(bytes);
    assert_eq!(in_steps.as_ref().err(), loaded.as_ref().err(), "steps find what one pass finds");
    let (Ok(snapshot), Ok(_)) = (loaded, in_steps) else { return false };
    for relation in ["viewer", "can_view", "can_edit", "parent"] {
        for user in ["user:anne", "team:y#member", "user:*", "document:a"] {
            let context = serde_json::Map::new();
            let query = mandate_authz::relation_query::ListQuery {
                user,
                relation,
                type_name: "document",
                contextual_tuples: &[],
                context: &context,
            };
            let _ = snapshot.list_objects(&query);
        }
    }
    true
}

#[test]
fn what_is_written_loads_and_equal_worlds_give_equal_bytes() {
    assert!(exercise(body()));
    assert_eq!(body(), body());
    let snapshot = Snapshot::from_body(body()).expect("loads");
    assert_eq!(list(&snapshot, "document", "viewer", "user:anne"), ["a", "b"]);
}

#[test]
fn every_truncation_is_refused() {
    let whole = body();
    for length in 0..whole.len() {
        let cut = whole.get(..length).expect("shorter").to_vec();
        assert!(!exercise(cut), "{length} bytes");
    }
    let mut longer = whole;
    longer.extend([0; 4]);
    assert!(!exercise(longer));
}

#[test]
fn no_flipped_bit_makes_reading_panic_or_loop() {
    let whole = body();
    let mut loaded = 0;
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            loaded += u32::from(exercise(flipped));
        }
    }
    // Some bits are names, keys of hashes or other valid subjects: those load as another world.
    assert!(loaded > 0);
}

#[test]
fn no_random_word_makes_reading_panic_or_loop() {
    let whole = body();
    let interesting = [0, 1, 2, 3, 0x7fff_ffff, 0x8000_0000, u32::MAX - 1, u32::MAX, 64, 1 << 20];
    for at in (0..whole.len()).step_by(4) {
        for word in interesting {
            let mut changed = whole.clone();
            changed[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
            exercise(changed);
        }
    }
}
