//! What to change for each reason: in the contract, in Keycloak, in authentik.

/// One row: a reason, and the claim that it is about where that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Advice {
    reason: &'static str,
    /// Empty: any claim. `act` is also `act.iss` and the rest of it.
    claim: &'static str,
    /// The member of contract.json, or of the command line.
    pub(super) contract: &'static str,
    /// The setting as Keycloak's console names it.
    pub(super) keycloak: &'static str,
    /// The setting as authentik's console names it.
    pub(super) authentik: &'static str,
}

/// The advice for a reason with the plugin's detail, which names the claim first.
pub(super) fn find(reason: &str, detail: &str) -> Option<&'static Advice> {
    let named = detail.split('`').nth(1).unwrap_or_default();
    let claim = named.split('.').next().unwrap_or_default();
    let of_reason = || TABLE.iter().filter(|advice| advice.reason == reason);
    of_reason()
        .find(|advice| !advice.claim.is_empty() && advice.claim == claim)
        .or_else(|| of_reason().find(|advice| advice.claim.is_empty()))
}

const fn row(
    reason: &'static str,
    claim: &'static str,
    contract: &'static str,
    keycloak: &'static str,
    authentik: &'static str,
) -> Advice {
    Advice { reason, claim, contract, keycloak, authentik }
}

const SEND_ACCESS_TOKEN: &str =
    "nothing: this looks like an ID token; send the `access_token` of the token response";
const NEW_TOKEN: &str = "nothing: the client must get a new token";
const NOTHING: &str = "nothing";

#[rustfmt::skip]
const TABLE: &[Advice] = &[
    row("token-missing", "",
        NOTHING,
        "nothing: the caller must send `Authorization: Bearer …`",
        "nothing: the caller must send `Authorization: Bearer …`"),
    row("token-malformed", "",
        "nothing: only a compact JWS of three base64url parts of strict JSON is a token",
        "five parts are an encrypted token: Clients > APP > Keys, no encryption for access tokens",
        "five parts are an encrypted token: leave the provider's Encryption Key empty; an app password is no token"),
    row("token-too-large", "",
        "nothing: 16 KiB is a limit of every implementation",
        "Clients > APP > Client scopes > dedicated scope > Scope: turn `Full scope allowed` off; remove mappers",
        "remove scope mappings that write large claims (`groups`, `entitlements`) from the provider"),
    row("token-algorithm", "",
        "`issuers[].algorithms` must list the token's `alg`; `none` and HS* can never be listed",
        "Clients > APP > Advanced > Access token signature algorithm, or Realm settings > Tokens > Default signature algorithm",
        "choose a Signing Key in the provider: without one authentik signs HS256 with the client secret"),
    row("token-type", "",
        "`issuers[].types`, with `claim_tests` (or a `preset`) that refuse ID tokens where `typ` is not `at+jwt`",
        "`\"preset\": \"keycloak\"` takes `JWT`; with Clients > APP > Advanced > Use \"at+jwt\" as access token header type, list `at+jwt` in `types`",
        "`\"preset\": \"authentik\"`: its access tokens have `typ` `JWT`"),
    row("token-issuer", "",
        "`issuers[].issuer` must be the token's `iss`, character for character, and `apps[].issuers` of this app must list it",
        "`iss` is `https://HOST/realms/REALM`; HOST follows the server's `hostname` option",
        "`iss` follows the provider's Issuer mode: `https://HOST/application/o/APP/` (closing slash!) or `https://HOST/`"),
    row("token-key-unknown", "",
        "`issuers[].jwks_uri` (or the file of `--keys`) must be the key set that the issuer publishes now",
        "Realm settings > Keys: the key must be active or passive; a disabled one is not published",
        "the provider's Signing Key; its key set is `https://HOST/application/o/APP/jwks/`, one for each provider"),
    row("token-key-unfit", "",
        "nothing: the key set must hold a signature key that fits the token's `alg`",
        "Realm settings > Keys > Add provider: RSA of 2048 bits or more, P-256, P-384 or Ed25519, use `SIG`",
        "choose a Signing Key with a certificate of RSA 2048 or more, P-256 or P-384"),
    row("token-signature", "",
        "nothing, if the keys are the issuer's: the token was altered, or another key signed it; renew the file of `--keys`",
        "nothing: get a new token; after a change of keys renew key sets that were copied to files",
        "nothing: get a new token; after a change of the Signing Key renew key sets that were copied to files"),
    row("token-expired", "",
        "`skew_seconds` (at most 60) forgives clocks, not old tokens: the client must get a new one",
        "Realm settings > Tokens > Access Token Lifespan; Clients > APP > Advanced > Access Token Lifespan",
        "the provider's Access Token validity"),
    row("token-not-yet-valid", "",
        "`skew_seconds` (at most 60), if the clocks differ by less",
        "set the clocks of Keycloak and of this host by NTP",
        "set the clocks of authentik and of this host by NTP"),
    row("token-audience", "",
        "`apps[].audience` (or the route's) must stand in the token's `aud`; `--app` must name the app that was called",
        "Client scopes > SCOPE > Mappers > Audience: Included Custom Audience = the app's audience, Add to access token on; for lightweight tokens Add to lightweight access token too",
        "`aud` is the provider's Client ID: write that into `apps[].audience`, or get the token from the app's own provider"),
    row("token-subject", "",
        "`issuers[].subject_claim` (`/sub`, `/oid` or `/uid`) must be a claim that the token has",
        "give the client the scope `basic`, which carries `sub` since Keycloak 25; a person's lightweight token has none: its mapper `sub` needs `Add to lightweight access token`",
        "the provider's Subject mode decides `sub`; hashed ID or UUID"),
    row("token-claim", "",
        "the claim test, `scope_claim`, `role_claims` or `tenant_claim` that names the claim",
        "Client scopes > SCOPE > Mappers: the mapper of this claim; Multivalued on and Claim JSON Type String for roles",
        "Customization > Property Mappings: the scope mapping of this claim; roles are lists of strings"),
    row("token-claim", "/typ",
        "the claim test of preset `keycloak`: only `Bearer` marks an access token",
        SEND_ACCESS_TOKEN,
        "the preset is for Keycloak: use `\"preset\": \"authentik\"`"),
    row("token-claim", "/scope",
        "the claim test of preset `authentik`: access tokens have `scope`",
        "the preset is for authentik: use `\"preset\": \"keycloak\"`",
        "this looks like an ID token: send `access_token`; access tokens have `scope` since authentik 2025.10"),
    row("token-claim", "/at_hash",
        "the claim test of preset `authentik`: only ID tokens have `at_hash`",
        SEND_ACCESS_TOKEN, SEND_ACCESS_TOKEN),
    row("token-claim", "/c_hash",
        "the claim test of preset `authentik`: only ID tokens have `c_hash`",
        SEND_ACCESS_TOKEN, SEND_ACCESS_TOKEN),
    row("token-claim", "exp",
        "`issuers[].maximum_lifetime_seconds`, if the token lives longer; a token without `exp` never passes",
        "Realm settings > Tokens > Access Token Lifespan",
        "the provider's Access Token validity"),
    row("token-claim", "iat",
        "`issuers[].maximum_lifetime_seconds` needs `iat`, an integer",
        "nothing: Keycloak writes `iat`; look for a script mapper that changes it",
        "nothing: authentik writes `iat`; look for a scope mapping that changes it"),
    row("token-claim", "nbf",
        "nothing: `nbf` must be an integer",
        "look for a mapper that writes `nbf`",
        "look for a scope mapping that writes `nbf`"),
    row("token-claim", "act",
        "`issuers[].act_issuers` must list `act.iss` where it is another issuer; `act.sub` is required, ten actors at most",
        "standard token exchange writes no `act`; delegation (preview since 26.8) does: look for a mapper that writes `act`",
        "token exchange with an Actor account writes `act`; look for a scope mapping that changes it"),
    row("token-claim", "may_act",
        "`issuers[].act_issuers` must list `may_act.iss` where it is another issuer",
        "the consent scope `delegation:client:CLIENT` writes `may_act`",
        "look for a scope mapping that writes `may_act`"),
    row("token-claim", "cnf",
        "nothing: `cnf` must be an object with `x5t#S256`",
        "look for a mapper that writes `cnf`",
        "look for a scope mapping that writes `cnf`"),
    row("token-critical", "",
        "nothing: `crit` and `b64` are extensions that no implementation supports",
        "nothing: Keycloak writes neither; something between re-signs the token",
        "nothing: authentik writes neither; something between re-signs the token"),
    row("token-revoked", "", NEW_TOKEN, NEW_TOKEN, NEW_TOKEN),
    row("token-binding", "",
        "nothing: the host must pass on the client certificate that it verified (here: `--certificate FILE`); DPoP is not supported",
        "Clients > APP > Advanced > OAuth 2.0 Mutual TLS Certificate Bound Access Tokens, or Require DPoP bound tokens",
        "the client sends DPoP proofs, and authentik binds its tokens to the key: let it send none; or a scope mapping writes `cnf`"),
    row("token-tenant", "",
        "`issuers[].tenants` must list the tenant, if this issuer may speak for it; `issuers[].tenant_claim` says where it stands",
        "the mapper that writes the tenant claim (user attribute, or Organization Membership)",
        "the scope mapping that writes the tenant claim"),
    row("keys-missing", "",
        "`issuers[].jwks_uri`, or discovery at the issuer; here: `--keys ISSUER=FILE` or `--fetch`",
        "`https://HOST/realms/REALM/.well-known/openid-configuration` must answer 200 over https, without a redirect",
        "`https://HOST/application/o/APP/.well-known/openid-configuration` must answer 200 over https, without a redirect"),
    row("policy-missing", "",
        "`apps[].audience` must list the audience that the route is configured with",
        NOTHING, NOTHING),
    row("internal", "",
        "nothing: the plugin failed, and every failure denies; please report it",
        NOTHING, NOTHING),
];

#[cfg(test)]
mod tests {
    use mandate_authn::{Class, ReasonCode};

    use super::*;

    #[test]
    fn every_reason_about_a_token_has_advice() {
        let without: Vec<_> = ReasonCode::ALL
            .iter()
            .filter(|code| code.class() == Class::Token)
            .filter(|code| find(code.as_str(), "").is_none_or(|advice| !advice.claim.is_empty()))
            .collect();
        assert_eq!(without, Vec::<&ReasonCode>::new());
    }

    #[test]
    fn every_row_is_about_a_reason_that_exists_and_says_something() {
        for advice in TABLE {
            assert_eq!(
                ReasonCode::parse(advice.reason).map(ReasonCode::as_str),
                Some(advice.reason)
            );
            for text in [advice.contract, advice.keycloak, advice.authentik] {
                assert!(!text.is_empty(), "{} {}", advice.reason, advice.claim);
            }
        }
    }

    #[test]
    fn the_claim_that_the_detail_names_chooses_the_row() {
        let claim = |detail| find("token-claim", detail).map(|advice| advice.claim);
        assert_eq!(claim("`/typ` is not what is required"), Some("/typ"));
        assert_eq!(claim("`act.iss` is not what is required"), Some("act"));
        assert_eq!(claim("`cnf.x5t#S256` is malformed"), Some("cnf"));
        assert_eq!(claim("`/groups` is malformed"), Some(""));
        assert_eq!(find("not-delegate", ""), None);
    }
}
