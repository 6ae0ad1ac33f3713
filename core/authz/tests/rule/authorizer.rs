//! One instance, and the backend that verifies signatures for it.

use mandate_authn::{
    Algorithm, KeyUnfit, PublicKey, ReasonCode, RingBackend, SignatureBackend, SignatureInvalid,
    VerifyingKey,
};
use mandate_authz::authorize::Presented;
use mandate_authz::authorizer::Authorizer;

use crate::scene::{NOW, scene};

/// Takes every key, and no signature.
#[derive(Debug)]
struct Doubting;

impl SignatureBackend for Doubting {
    fn prepare(&self, _: &PublicKey) -> Result<Box<dyn VerifyingKey>, KeyUnfit> {
        Ok(Box::new(Self))
    }
}

impl VerifyingKey for Doubting {
    fn verify(&self, _: Algorithm, _: &[u8], _: &[u8]) -> Result<(), SignatureInvalid> {
        Err(SignatureInvalid)
    }
}

#[test]
fn the_backend_that_is_given_verifies() {
    let scene = scene();
    let reason = |backend: Box<dyn SignatureBackend>| {
        let mut authorizer = Authorizer::with_backend(backend);
        authorizer.load_trust(&scene.trust()).unwrap();
        let token = scene.token();
        let presented =
            Presented { token: token.as_bytes(), agent_contexts: &[], certificate_sha256: None };
        authorizer.authorize(&presented, &scene.request(), NOW).0.reason()
    };
    // With a signature that verifies, what is missing next is the state.
    assert_eq!(reason(Box::new(RingBackend)), ReasonCode::SnapshotMissing);
    assert_eq!(reason(Box::new(Doubting)), ReasonCode::TokenSignature);
}
