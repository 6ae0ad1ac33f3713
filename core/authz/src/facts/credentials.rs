//! Credentials.

use mandate_authn::base64url;
use serde_json::Value;

use super::FactsError;
use super::assembly::Assembly;
use super::file::CredentialFile;
use super::names;
use super::place::{Place, entries};
use crate::name::ObjectName;
use crate::record::Credential;

/// The credentials that stand within the entry of their identity.
pub(super) fn of_identity<'l>(
    assembly: &mut Assembly<'_>,
    identity: &ObjectName,
    credentials: impl Iterator<Item = (Place, &'l CredentialFile)>,
) -> Result<(), FactsError> {
    for (place, entry) in credentials {
        if entry.identity.is_some() {
            return Err(place.member("identity").error("is the entry that it stands in"));
        }
        enter(assembly, identity.clone(), entry, &place)?;
    }
    Ok(())
}

/// The credentials of the section `credentials`, which name their identity.
pub(super) fn credentials(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    for (place, entry) in entries("credentials".to_owned(), &assembly.file.credentials) {
        let identity = entry.identity.as_deref();
        let identity = identity.ok_or_else(|| place.error("`identity` is missing"))?;
        let identity = names::full_object(identity).map_err(|message| place.error(message))?;
        if !assembly.identities.iter().any(|(known, _)| known.object == identity) {
            return Err(place.error(format!("there is no entry for `{identity}`")));
        }
        enter(assembly, identity, entry, &place)?;
    }
    Ok(())
}

fn enter(
    assembly: &mut Assembly<'_>,
    identity: ObjectName,
    entry: &CredentialFile,
    place: &Place,
) -> Result<(), FactsError> {
    if entry.id.is_empty() {
        return Err(place.member("id").error("is empty"));
    }
    if assembly.credentials.iter().any(|(known, _)| known.id == entry.id) {
        return Err(place.error(format!("there is another credential `{}`", entry.id)));
    }
    let holder = |stated: &Option<_>, member| match stated {
        None => Ok(None),
        Some(stated) => assembly.holder(stated, &place.member(member)).map(Some),
    };
    let credential = Credential {
        id: entry.id.clone(),
        identity,
        thumbprint: thumbprint(entry, place)?,
        token_ids: entry.token_ids.clone(),
        client: holder(&entry.client, "client")?,
        subject: holder(&entry.subject, "subject")?,
        context_key: context_key(entry, place)?,
        expires_at: entry.expires_at.map(|moment| moment.0),
        revoked_at: entry.revoked_at.map(|moment| moment.0),
    };
    assembly.credentials.push((credential, place.clone()));
    Ok(())
}

fn thumbprint(entry: &CredentialFile, place: &Place) -> Result<Option<[u8; 32]>, FactsError> {
    let Some(text) = &entry.thumbprint else { return Ok(None) };
    let digest = base64url::decode(text.as_bytes()).and_then(|bytes| bytes.try_into().ok());
    let wrong = || place.member("thumbprint").error("must be a SHA-256 in base64url");
    digest.map(Some).ok_or_else(wrong)
}

/// Only public keys belong here: whoever reads the file could sign with another.
fn context_key(entry: &CredentialFile, place: &Place) -> Result<Option<String>, FactsError> {
    let Some(key) = &entry.context_key else { return Ok(None) };
    let place = place.member("context_key");
    if let Some(member) = PRIVATE.iter().find(|member| key.contains_key(**member)) {
        return Err(place.error(format!("is a private key: it has `{member}`")));
    }
    Ok(Some(Value::Object(key.clone()).to_string()))
}

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
