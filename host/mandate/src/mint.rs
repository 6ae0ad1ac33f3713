//! Test keys and test tokens for the conformance fixtures; nothing else.
//!
//! Every key is derived from published words, so that no private key is committed and every
//! machine makes the same bytes. Whoever trusts such a key trusts everybody: none of them belongs
//! into a key set that guards something.

mod key;
mod key_ring;
mod members;
mod mutation;
mod placeholder;
mod prime;
mod recipe;
mod seed;
mod sign;
mod token;

pub use key::{PublicEncoding, TestKey};
pub use key_ring::KeyRing;
pub use members::{merge_patch, sorted_text};
pub use mutation::{Form, Mutation, Part, Place, SignatureEdit};
pub use placeholder::{fill_placeholders, named_keys};
pub use recipe::{HmacHash, Secret, SecretForm, Signing, TokenRecipe};
pub use seed::SeedStream;
pub use token::mint;
