use std::sync::Mutex;

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};

use super::*;

/// What a host may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    /// As Envoy does it.
    Honest,
    /// It says yes to everything.
    Yes,
    /// It says no to everything.
    No,
    /// It has no such function.
    Absent,
    /// It looks at no hash.
    AnyHash,
    /// It answers what cannot be read.
    Garbled,
}

/// Envoy's `verify_signature` on ring: it takes the key and signature apart as BoringSSL does.
#[derive(Debug)]
struct Host {
    conduct: Mutex<Conduct>,
    asked: Mutex<usize>,
}

impl Host {
    fn new(conduct: Conduct) -> Arc<Self> {
        Arc::new(Self { conduct: Mutex::new(conduct), asked: Mutex::new(0) })
    }
}

impl VerifySignature for Host {
    fn call(&self, arguments: &[u8]) -> Result<Vec<u8>, HostProblem> {
        *self.asked.lock().unwrap() += 1;
        let yes = vec![8, 1];
        let no = b"\x12\x05wrong".to_vec();
        match *self.conduct.lock().unwrap() {
            Conduct::Absent => Err(HostProblem { call: "call_foreign_function", status: 1 }),
            Conduct::Yes => Ok(yes),
            Conduct::No => Ok(no),
            Conduct::Garbled => Ok(vec![8, 1, 8, 1]),
            conduct @ (Conduct::Honest | Conduct::AnyHash) => {
                let members = members(arguments);
                let [hash, key, signature, text] = members.as_slice() else {
                    panic!("{members:?}")
                };
                let hash = std::str::from_utf8(hash).unwrap();
                let hashes = ["sha256", "sha384", "sha512"];
                let tried =
                    hashes.iter().filter(|one| conduct == Conduct::AnyHash || **one == hash);
                let verified = tried.filter_map(|hash| method(key, hash)).any(|(method, bits)| {
                    UnparsedPublicKey::new(method, bits).verify(text, signature).is_ok()
                });
                Ok(if verified { yes } else { no })
            }
        }
    }
}

/// The values of a message whose members are bytes and come in their order.
fn members(mut message: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let [tag, rest @ ..] = message {
        assert_eq!(usize::from(*tag), (found.len() + 1) << 3 | 2);
        let digits = rest.iter().take_while(|byte| **byte >= 0x80).count() + 1;
        let (length, rest) = rest.split_at(digits);
        let length = length.iter().rev().fold(0, |sum, byte| (sum << 7) + usize::from(byte & 0x7f));
        let (value, rest) = rest.split_at(length);
        found.push(value.to_vec());
        message = rest;
    }
    found
}

/// How ring verifies with a SubjectPublicKeyInfo, and the key's own bits, which end it.
fn method<'k>(key: &'k [u8], hash: &str) -> Option<(&'static dyn VerificationAlgorithm, &'k [u8])> {
    let last = |count: usize| &key[key.len() - count..];
    Some(match (key.len(), hash) {
        (91, "sha256") => (&ECDSA_P256_SHA256_ASN1, last(65)),
        (91, "sha384") => (&ECDSA_P256_SHA384_ASN1, last(65)),
        (120, "sha256") => (&ECDSA_P384_SHA256_ASN1, last(97)),
        (120, "sha384") => (&ECDSA_P384_SHA384_ASN1, last(97)),
        (294, "sha256") => (&RSA_PKCS1_2048_8192_SHA256, last(270)),
        (294, "sha384") => (&RSA_PKCS1_2048_8192_SHA384, last(270)),
        (294, "sha512") => (&RSA_PKCS1_2048_8192_SHA512, last(270)),
        _ => return None,
    })
}

const ASKED: [Algorithm; 5] =
    [Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];

#[test]
fn an_honest_host_is_trusted_with_what_it_can_verify() {
    let backend = ForeignBackend::tested(Host::new(Conduct::Honest));
    assert_eq!(backend.trusted(), ASKED);
}

#[test]
fn a_host_that_fails_any_part_of_the_test_is_trusted_with_nothing() {
    for conduct in [Conduct::Yes, Conduct::No, Conduct::Absent, Conduct::AnyHash, Conduct::Garbled]
    {
        let backend = ForeignBackend::tested(Host::new(conduct));
        assert_eq!(backend.trusted(), [], "{conduct:?}");
    }
}

#[test]
fn every_known_signature_verifies_and_no_wrong_one_whoever_is_asked() {
    for conduct in [Conduct::Honest, Conduct::Absent] {
        let backend = ForeignBackend::tested(Host::new(conduct));
        for algorithm in ASKED {
            let (key, signature) = known::of(algorithm).unwrap();
            let key = backend.prepare(&key).unwrap();
            assert_eq!(key.verify(algorithm, known::TEXT, &signature), Ok(()), "{algorithm:?}");
            for byte in [0, signature.len() / 2, signature.len() - 1] {
                let mut wrong = signature.clone();
                wrong[byte] ^= 0x40;
                assert_eq!(key.verify(algorithm, known::TEXT, &wrong), Err(SignatureInvalid));
            }
            for wrong in [&[][..], &signature[1..], &[0; 64], &[0; 256]] {
                assert_eq!(key.verify(algorithm, known::TEXT, wrong), Err(SignatureInvalid));
            }
            assert_eq!(key.verify(algorithm, b"", &signature), Err(SignatureInvalid));
        }
    }
}

#[test]
fn a_host_that_stops_answering_is_done_without() {
    let host = Host::new(Conduct::Honest);
    let backend = ForeignBackend::tested(Arc::<Host>::clone(&host));
    let (key, signature) = known::of(Algorithm::Rs256).unwrap();
    let key = backend.prepare(&key).unwrap();
    for conduct in [Conduct::Absent, Conduct::Garbled] {
        *host.conduct.lock().unwrap() = conduct;
        assert_eq!(key.verify(Algorithm::Rs256, known::TEXT, &signature), Ok(()));
        assert_eq!(key.verify(Algorithm::Rs256, b"Sample", &signature), Err(SignatureInvalid));
    }
    *host.conduct.lock().unwrap() = Conduct::No;
    assert_eq!(key.verify(Algorithm::Rs256, known::TEXT, &signature), Err(SignatureInvalid));
}

#[test]
fn the_host_is_asked_once_a_signature_and_never_for_what_it_cannot() {
    let host = Host::new(Conduct::Honest);
    let backend = ForeignBackend::tested(Arc::<Host>::clone(&host));
    let (key, signature) = known::of(Algorithm::Rs256).unwrap();
    let key = backend.prepare(&key).unwrap();
    let tested = *host.asked.lock().unwrap();
    assert_eq!(tested, ASKED.len() * 4);
    key.verify(Algorithm::Rs256, known::TEXT, &signature).unwrap();
    assert_eq!(key.verify(Algorithm::Ps256, known::TEXT, &signature), Err(SignatureInvalid));
    assert_eq!(*host.asked.lock().unwrap(), tested + 1);
}
