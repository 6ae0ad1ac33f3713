//! The container: what a pinned key has signed opens, and nothing else does.

use mandate_authz::container::{
    ContainerProblem, Header, Kind, Position, Statement, VerifiedHeader, open, seal, split_first,
};
use proptest::prelude::*;

use crate::support::*;

const MIB: usize = 1024 * 1024;
const LARGEST: u64 = 9_007_199_254_740_991;
const SIGNATURE: usize = 64;

fn opened(container: &[u8]) -> Result<(Statement, Vec<u8>), ContainerProblem> {
    let (header, body) = open(container, &[pinned(1), pinned(2)])?;
    Ok((header.header().statement.clone(), body.to_vec()))
}

/// The container with these header bytes replaced, signed anew: what the key's holder could make.
fn resigned(container: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut header = container[..Header::total_bytes(container).unwrap() - SIGNATURE].to_vec();
    let body = &container[header.len() + SIGNATURE..];
    header[at..at + bytes.len()].copy_from_slice(bytes);
    sign_header(&header, body)
}

fn sign_header(header: &[u8], body: &[u8]) -> Vec<u8> {
    let domain = b"mandate container, version 1\0";
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let signature = pair.sign(&[domain.as_slice(), header].concat());
    [header, signature.as_ref(), body].concat()
}

#[test]
fn what_was_sealed_opens() {
    for body in [&b"body"[..], b"", &[9; MIB], &[9; MIB + 1]] {
        let statement = snapshot_statement();
        let container = sealed(&statement, body);
        assert_eq!(opened(&container), Ok((statement, body.to_vec())));
    }
    for statement in [delta_statement(7, 8), delta_statement(9, 9)] {
        let body: &[u8] = if statement.position.epoch == 8 { b"rows" } else { b"" };
        assert_eq!(opened(&sealed(&statement, body)), Ok((statement, body.to_vec())));
    }
    let raw = Statement { raw: true, ..snapshot_statement() };
    assert_eq!(opened(&sealed(&raw, b"body")), Ok((raw, b"body".to_vec())));
}

#[test]
fn one_digest_covers_each_mebibyte() {
    let counts = [(0, 0), (1, 1), (MIB - 1, 1), (MIB, 1), (MIB + 1, 2), (2 * MIB, 2)];
    for (length, count) in counts {
        let container = sealed(&snapshot_statement(), &vec![7; length]);
        assert_eq!(Header::read(&container).unwrap().digests.len(), count, "{length}");
    }
}

#[test]
fn either_pinned_key_may_sign_and_no_other() {
    let by = |number| seal(&snapshot_statement(), b"body", &key(number)).unwrap();
    let whole = (snapshot_statement(), b"body".to_vec());
    assert_eq!(opened(&by(1)), Ok(whole.clone()));
    assert_eq!(opened(&by(2)), Ok(whole));
    let unknown = ContainerProblem::KeyUnknown { key: key(3).id() };
    assert_eq!(opened(&by(3)), Err(unknown));
    // The id of a pinned key does not help another key's signature.
    let mut forged = by(3);
    forged[16..48].copy_from_slice(key(1).id().as_bytes());
    assert_eq!(opened(&forged), Err(ContainerProblem::Signature));
}

#[test]
fn every_changed_bit_is_refused() {
    let container = sealed(&delta_statement(7, 8), b"rows of a delta");
    assert_eq!(opened(&container).map(drop), Ok(()));
    for position in 0..container.len() {
        for bit in 0..8 {
            let mut changed = container.clone();
            changed[position] ^= 1 << bit;
            assert!(opened(&changed).is_err(), "bit {bit} of byte {position}");
        }
    }
}

#[test]
fn every_shorter_or_longer_file_is_refused() {
    let container = sealed(&delta_statement(7, 8), b"rows of a delta");
    for length in 0..container.len() {
        assert_eq!(opened(&container[..length]), Err(ContainerProblem::Truncated), "{length}");
    }
    let longer = [container.as_slice(), &[0]].concat();
    assert_eq!(opened(&longer), Err(ContainerProblem::Trailing));
    let header = Header::total_bytes(&container).unwrap();
    let longer = VerifiedHeader::verify(&container[..=header], &[pinned(1)]);
    assert_eq!(longer, Err(ContainerProblem::Trailing));
}

#[test]
fn several_containers_are_told_apart() {
    let first = sealed(&delta_statement(7, 8), b"rows");
    let second = sealed(&delta_statement(8, 8), b"");
    let both = [first.as_slice(), &second].concat();
    let (one, rest) = split_first(&both).unwrap();
    assert_eq!((one, rest), (first.as_slice(), second.as_slice()));
    assert_eq!(split_first(rest), Ok((second.as_slice(), &[][..])));
    assert_eq!(split_first(&[]), Err(ContainerProblem::Truncated));
    for length in 0..first.len() {
        assert_eq!(split_first(&first[..length]), Err(ContainerProblem::Truncated), "{length}");
    }
}

#[test]
fn chunks_in_another_order_are_refused() {
    let body: Vec<u8> = [vec![1; MIB], vec![2; MIB], vec![3; 5]].concat();
    let container = sealed(&snapshot_statement(), &body);
    let header = Header::total_bytes(&container).unwrap();
    let swapped = [&container[..header], &vec![2; MIB], &vec![1; MIB], &[3; 5]].concat();
    assert_eq!(opened(&swapped), Err(ContainerProblem::Digest { chunk: 0 }));
    let mut last = container;
    *last.last_mut().unwrap() = 4;
    assert_eq!(opened(&last), Err(ContainerProblem::Digest { chunk: 2 }));
}

#[test]
fn a_signed_header_is_read_as_strictly() {
    use ContainerProblem::{ChunkSize, Epochs, Flags, Kind, Length, Name, Number, TooLarge};
    let container = sealed(&delta_statement(7, 8), b"rows");
    let number = |number: u64| number.to_le_bytes().to_vec();
    // Offsets are those of docs/snapshot-container.md.
    let cases = [
        (10, vec![0], Kind),
        (10, vec![3], Kind),
        // As a snapshot its three epochs would have to be one.
        (10, vec![1], Epochs),
        (11, vec![2], Flags),
        (48, number(LARGEST + 1), Number),
        (56, number(LARGEST + 1), Number),
        (64, number(LARGEST + 1), Number),
        (72, number(LARGEST + 1), Number),
        (80, number(LARGEST + 1), Number),
        // base after from, from after to, rows without a new epoch
        (64, number(8), Epochs),
        (72, number(9), Epochs),
        (72, number(8), Epochs),
        (100, number(1 << 40), TooLarge),
        (100, number(0), Length),
        (108, vec![1, 0, 0, 0], ChunkSize),
        (112, vec![2], Length),
        (118, vec![b'\n'], Name),
        (118, vec![0xff], Name),
        (126, vec![0x7f], Name),
    ];
    for (at, bytes, problem) in cases {
        let changed = resigned(&container, at, &bytes);
        assert_eq!(opened(&changed), Err(problem), "{bytes:?} at {at}");
    }
    // Without the six letters of `globex`.
    let end = Header::total_bytes(&container).unwrap() - SIGNATURE;
    let mut nameless = [&container[..116], &[0, 0], &container[124..end]].concat();
    nameless[12] -= 6;
    assert_eq!(opened(&sign_header(&nameless, b"rows")), Err(Name));
    let version = resigned(&container, 8, &[2]);
    assert_eq!(opened(&version), Err(ContainerProblem::Version { version: 2 }));
    assert_eq!(opened(&resigned(&container, 0, b"m")), Err(ContainerProblem::Magic));
}

#[test]
fn a_stated_length_is_the_real_one() {
    let container = sealed(&delta_statement(7, 8), b"rows");
    let end = Header::total_bytes(&container).unwrap() - SIGNATURE;
    let with_length = |length: usize, filling: usize| {
        let mut header = container[..end].to_vec();
        header.resize(end + filling, 0);
        header[12..16].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
        sign_header(&header, b"rows")
    };
    assert_eq!(opened(&with_length(end, 0)).map(drop), Ok(()));
    assert_eq!(opened(&with_length(end + 1, 1)), Err(ContainerProblem::Length));
    assert_eq!(opened(&with_length(65_537, 0)), Err(ContainerProblem::TooLarge));
    assert_eq!(opened(&with_length(65_536, 0)), Err(ContainerProblem::Truncated));
    let short = [&container[..12], &20_u32.to_le_bytes(), &[0; 68]].concat();
    assert_eq!(opened(&short), Err(ContainerProblem::Truncated));
}

#[test]
fn what_no_reader_would_take_is_not_sealed() {
    let refused = |statement: &Statement, body: &[u8]| {
        seal(statement, body, &key(1)).map(|_| ()).unwrap_err()
    };
    let snapshot = snapshot_statement();
    let long = "n".repeat(129);
    for name in ["", "a\nb", &long] {
        let statement = Statement { deployment: name.to_owned(), ..snapshot.clone() };
        assert_eq!(refused(&statement, b"body"), ContainerProblem::Name);
        let statement = Statement { slice: name.to_owned(), ..snapshot.clone() };
        assert_eq!(refused(&statement, b"body"), ContainerProblem::Name);
    }
    let longest = "n".repeat(128);
    let named = Statement { deployment: longest.clone(), slice: longest, ..snapshot };
    assert_eq!(opened(&sealed(&named, b"body")), Ok((named, b"body".to_vec())));
    let late = Statement { issued_at: LARGEST + 1, ..snapshot.clone() };
    assert_eq!(refused(&late, b"body"), ContainerProblem::Number);
    for position in [Position::new(LARGEST + 1, 1), Position::new(1, LARGEST + 1)] {
        let statement = Statement { position, ..snapshot.clone() };
        assert_eq!(refused(&statement, b"body"), ContainerProblem::Number);
    }
    assert_eq!(refused(&delta_statement(8, 7), b""), ContainerProblem::Epochs);
    assert_eq!(refused(&delta_statement(6, 8), b""), ContainerProblem::Epochs);
    assert_eq!(refused(&delta_statement(8, 8), b"rows"), ContainerProblem::Epochs);
    assert_eq!(refused(&delta_statement(7, 8), &vec![0; MIB + 1]), ContainerProblem::TooLarge);
    let largest = seal(&delta_statement(7, 8), &vec![0; MIB], &key(1));
    assert_eq!(largest.map(drop), Ok(()));
}

#[test]
fn a_signature_over_something_else_is_none_over_a_container() {
    let container = sealed(&snapshot_statement(), b"body");
    let header = &container[..Header::total_bytes(&container).unwrap() - SIGNATURE];
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    // Signed without the words that say what is signed.
    let bare = [header, pair.sign(header).as_ref(), b"body"].concat();
    assert_eq!(opened(&bare), Err(ContainerProblem::Signature));
}

/// The delta of docs/snapshot-container.md#example, as a hex dump.
fn example() -> String {
    let rows = mandate_authz::delta::encode(&[grant("document:1", "user:anne")]).unwrap();
    let container = sealed(&delta_statement(7, 8), &rows);
    let line = |(number, bytes): (usize, &[u8])| {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' };
        let text: String = bytes.iter().map(shown).collect();
        format!("{:04x}  {:<47}  {text}\n", number * 16, hex.join(" "))
    };
    container.chunks(16).enumerate().map(line).collect()
}

#[test]
fn the_documented_example_is_what_is_sealed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/snapshot-container.md");
    let documented = std::fs::read_to_string(path).unwrap();
    let example = example();
    assert!(documented.contains(&example), "docs/snapshot-container.md shows other bytes");
    assert!(documented.contains(&key(1).to_public_jwk()));
}

fn names() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{1,32}".prop_filter("at most 128 bytes", |name| name.len() <= 128)
}

fn statements() -> impl Strategy<Value = (Statement, Vec<u8>)> {
    let numbers = || 0..=LARGEST;
    let kind = prop_oneof![
        Just(Kind::Snapshot),
        (numbers(), numbers()).prop_map(|(base, from)| Kind::Delta { base, from }),
    ];
    let fields = (kind, any::<bool>(), names(), names(), numbers(), numbers());
    let rest = (any::<[u32; 3]>(), numbers(), prop::collection::vec(any::<u8>(), 1..64));
    (fields, rest).prop_map(|((kind, raw, deployment, slice, era, epoch), rest)| {
        let (contract_version, issued_at, body) = rest;
        let (kind, epoch) = match kind {
            Kind::Snapshot => (kind, epoch),
            Kind::Delta { base, from } => {
                let mut epochs = [base, from, epoch];
                epochs.sort_unstable();
                (Kind::Delta { base: epochs[0], from: epochs[1] }, epochs[2])
            }
        };
        let changes_nothing = matches!(kind, Kind::Delta { from, .. } if from == epoch);
        let body = if changes_nothing { Vec::new() } else { body };
        let position = Position::new(era, epoch);
        let statement =
            Statement { kind, raw, deployment, slice, position, contract_version, issued_at };
        (statement, body)
    })
}

proptest! {
    // Each case builds or seals something; campaigns run longer ones.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_statement_survives((statement, body) in statements()) {
        let container = sealed(&statement, &body);
        prop_assert_eq!(opened(&container), Ok((statement, body)));
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        prop_assert!(opened(&bytes).is_err());
        prop_assert!(opened(&[b"MANDATE\0\x01\0", bytes.as_slice()].concat()).is_err());
    }

    #[test]
    fn any_signed_header_is_read_or_refused(
        (statement, body) in statements(), at in 16..200_usize, value in any::<[u8; 4]>(),
    ) {
        let container = sealed(&statement, &body);
        let end = Header::total_bytes(&container).unwrap() - SIGNATURE;
        let at = at.min(end - 4);
        // Whatever the holder of the key signs: either refused, or what it says is what was signed.
        if let Ok((read, body)) = opened(&resigned(&container, at, &value)) {
            prop_assert_eq!(&sealed(&read, &body)[..at], &container[..at]);
        }
    }
}
