//! Each row of the binding table, each with twins that differ by one fact and fit no row.

use mandate_authn::{FailingLine, ReasonCode};
use mandate_authz::decision::BindingMode;
use mandate_authz::record::{DelegationMode, Kind, Status};
use serde_json::{Value, json};

use crate::agent_context::context;
use crate::scene::{
    ALLOWED, MCP, NOW, OPEN, STRICT, Scene, agent_scene, denied, denied_at, in_force, person_scene,
    said, scene, service_scene,
};
use crate::world::{AGENTS, LOGIN, agent, credential, holder, object, user};

/// Mode, user, agent, service, credential, tenant and delegation of an allowed call.
type BoundNames =
    (BindingMode, [Option<String>; 3], Option<String>, Option<String>, Option<DelegationMode>);

fn bound(scene: &Scene) -> BoundNames {
    let state = scene.state();
    let decision = scene.decide_in(&state);
    assert_eq!(said(&decision), ALLOWED, "{}", decision.detail());
    let snapshot = in_force(&state);
    let bound = decision.circumstances().bound().unwrap();
    let name = |object| snapshot.name(object).to_string();
    (
        bound.mode(),
        [bound.user().map(name), bound.agent().map(name), bound.service().map(name)],
        bound.credential().map(str::to_owned),
        bound.tenant().map(name),
        bound.delegation(),
    )
}

fn names(user: &str, agent: &str, service: &str) -> [Option<String>; 3] {
    [user, agent, service].map(|name| (!name.is_empty()).then(|| name.to_owned()))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_token_with_act_binds_user_and_agent() {
    let expected = (
        BindingMode::ClaimRelation,
        names("user:anne", "agent:helper", ""),
        some("c-helper"),
        some("organization:acme"),
        Some(DelegationMode::Stored),
    );
    assert_eq!(bound(&scene()), expected);
}

#[test]
fn act_names_an_agent_and_nobody_else() {
    let mut user = scene();
    user.claims["act"] = json!({"iss": LOGIN, "sub": "bob"});
    user.claims["act"]["iss"] = json!(LOGIN);
    assert_eq!(user.said(), denied(ReasonCode::BindingUnmatched));
    let mut service = scene();
    service.claims["act"]["sub"] = json!("sa-importer");
    assert_eq!(service.said(), denied(ReasonCode::BindingUnmatched));
    let mut unknown = scene();
    unknown.claims["act"]["sub"] = json!("sa-ghost");
    assert_eq!(unknown.said(), denied(ReasonCode::IdentityUnknown));
    assert_eq!(unknown.decide().principal(), Some(Kind::Agent));
}

#[test]
fn act_without_an_issuer_is_of_the_tokens_issuer() {
    let mut scene = scene();
    scene.claims["act"] = json!({"sub": "sa-helper"});
    assert_eq!(scene.said(), denied(ReasonCode::IdentityUnknown));
    scene.identity("agent:helper").subjects.push(holder(LOGIN, "sa-helper"));
    scene.credential("c-helper").subject = Some(holder(LOGIN, "sa-helper"));
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn act_of_an_issuer_that_may_not_be_named_never_reaches_the_binding() {
    let mut scene = scene();
    scene.claims["act"]["iss"] = json!("https://evil.example");
    assert_eq!(scene.said(), denied(ReasonCode::TokenClaim));
}

#[test]
fn the_client_of_act_names_the_same_agent() {
    let mut scene = scene();
    scene.claims["act"]["client_id"] = json!("client-helper");
    assert_eq!(scene.said(), ALLOWED);
    scene.claims["act"]["client_id"] = json!("client-other");
    assert_eq!(scene.said(), denied(ReasonCode::BindingUnmatched));
    scene.claims["act"]["client_id"] = json!("client-ghost");
    assert_eq!(scene.said(), denied(ReasonCode::IdentityUnknown));
}

/// A user's token of the issuer whose client ids name agents.
fn client_scene() -> Scene {
    let mut scene = scene();
    scene.claims.as_object_mut().unwrap().remove("act");
    scene.claims["iss"] = json!(AGENTS);
    scene.claims["client_id"] = json!("client-helper");
    scene.identity("user:anne").subjects.push(holder(AGENTS, "anne"));
    scene.authz("/client_credentials", json!([AGENTS]));
    scene.credential("c-helper").client = Some(holder(AGENTS, "client-helper"));
    scene
}

#[test]
fn a_client_that_names_an_agent_binds_it() {
    let expected = (
        BindingMode::ClaimRelation,
        names("user:anne", "agent:helper", ""),
        some("c-helper"),
        some("organization:acme"),
        Some(DelegationMode::Stored),
    );
    assert_eq!(bound(&client_scene()), expected);
    let mut other_issuer = client_scene();
    other_issuer.contract["issuers"][1]["client_id_names_agent"] = json!(false);
    assert_eq!(other_issuer.said(), denied(ReasonCode::AgentRequired));
    let mut person = client_scene();
    person.identities.iter_mut().for_each(|identity| identity.clients.clear());
    person.identity("user:bob").clients.push(holder(AGENTS, "client-helper"));
    assert_eq!(person.said(), denied(ReasonCode::BindingUnmatched));
}

#[test]
fn act_beside_a_client_names_the_same_agent() {
    let mut scene = client_scene();
    scene.claims["act"] = json!({"sub": "sa-helper"});
    assert_eq!(scene.said(), ALLOWED);
    scene.claims["act"] = json!({"sub": "sa-other"});
    assert_eq!(scene.said(), denied(ReasonCode::BindingUnmatched));
}

#[test]
fn a_client_is_no_evidence_for_a_delegation_on_invoke() {
    let on_invoke = |mut scene: Scene| {
        scene.remove("user:anne#delegate_of@agent:helper");
        scene.identity("agent:helper").delegation = DelegationMode::OnInvoke;
        scene
    };
    assert_eq!(on_invoke(client_scene()).said(), denied(ReasonCode::NotDelegate));
    let mut with_act = on_invoke(client_scene());
    with_act.claims["act"] = json!({"sub": "sa-helper"});
    assert_eq!(bound(&with_act).4, Some(DelegationMode::OnInvoke));
}

#[test]
fn a_context_binds_the_user_that_it_names() {
    let mut scene = agent_scene();
    scene.contexts = vec![context(&mut scene)];
    let expected = (
        BindingMode::ContextRelation,
        names("user:anne", "agent:helper", ""),
        some("c-helper"),
        some("organization:acme"),
        Some(DelegationMode::Stored),
    );
    assert_eq!(bound(&scene), expected);
}

#[test]
fn an_agent_without_a_context_names_nobody() {
    assert_eq!(agent_scene().said(), denied(ReasonCode::AgentContextMissing));
}

#[test]
fn a_token_of_an_agent_has_no_actor() {
    let mut scene = agent_scene();
    scene.contexts = vec![context(&mut scene)];
    let contexts = scene.contexts.clone();
    for actor in ["sa-helper", "sa-other"] {
        scene.claims["act"] = json!({"sub": actor});
        scene.contexts = vec![context(&mut scene)];
        assert_eq!(scene.said(), denied(ReasonCode::BindingUnmatched), "{actor}");
    }
    scene.claims.as_object_mut().unwrap().remove("act");
    scene.contexts = contexts;
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn the_client_of_an_agents_token_names_the_same_agent() {
    let mut scene = agent_scene();
    scene.claims["client_id"] = json!("client-other");
    scene.contexts = vec![context(&mut scene)];
    assert_eq!(scene.said(), denied(ReasonCode::BindingUnmatched));
    scene.claims["client_id"] = json!("somebody-else");
    scene.contexts = vec![context(&mut scene)];
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_context_beside_act_names_the_same_user_and_agent() {
    let mut scene = scene();
    scene.contexts = vec![context(&mut scene)];
    assert_eq!(scene.said(), ALLOWED);
    let bob = crate::agent_context::context_with(&mut scene, "/sub", json!("user:bob"));
    scene.contexts = vec![bob];
    assert_eq!(scene.said(), denied(ReasonCode::CrossUser));
    scene.contexts = vec![crate::agent_context::context_of_other(&mut scene)];
    assert_eq!(scene.said(), denied(ReasonCode::AgentContextInvalid));
}

/// Agent helper has one user, and no context.
fn sole_scene() -> Scene {
    let mut scene = agent_scene();
    scene.audience = OPEN;
    scene.remove("user:dana#delegate_of@agent:helper");
    scene.identity("agent:helper").sole_user = Some(object("user:anne"));
    scene
}

#[test]
fn an_agent_with_one_user_acts_for_that_user() {
    let expected = (
        BindingMode::Relation,
        names("user:anne", "agent:helper", ""),
        some("c-helper"),
        some("organization:acme"),
        Some(DelegationMode::Stored),
    );
    assert_eq!(bound(&sole_scene()), expected);
}

#[test]
fn a_sole_user_needs_route_record_and_nobody_beside() {
    let mut elsewhere = sole_scene();
    elsewhere.audience = MCP;
    assert_eq!(elsewhere.said(), denied(ReasonCode::AgentContextMissing));
    let mut unpinned = sole_scene();
    unpinned.identity("agent:helper").sole_user = None;
    assert_eq!(unpinned.said(), denied(ReasonCode::AgentContextMissing));
    let mut beside = sole_scene();
    beside.add("user:bob#delegate_of@agent:helper");
    assert_eq!(beside.said(), denied(ReasonCode::UserAmbiguous));
    let mut expired = sole_scene();
    let until = json!({"until": "2020-01-01T00:00:00Z"});
    expired.add_if("user:bob#delegate_of@agent:helper", "before", &until);
    assert_eq!(expired.said(), denied(ReasonCode::UserAmbiguous));
}

// Every user was looked at for every request, however many there were.
#[test]
fn users_that_may_have_delegated_as_well_count_against_the_budget() {
    let among = |others: u32| {
        let mut scene = sole_scene();
        for number in 0..others {
            scene.add(&format!("user:u{number}#delegate_of@agent:other"));
        }
        scene.said()
    };
    assert_eq!(among(9_900), ALLOWED);
    assert_eq!(among(10_000), denied_at(ReasonCode::Budget, FailingLine::Binding));
}

#[test]
fn a_sole_user_is_never_delegated_on_invoke() {
    let mut scene = sole_scene();
    scene.remove("user:anne#delegate_of@agent:helper");
    scene.identity("agent:helper").delegation = DelegationMode::OnInvoke;
    assert_eq!(scene.said(), denied(ReasonCode::NotDelegate));
    scene.contexts = vec![context(&mut scene)];
    assert_eq!(bound(&scene).4, Some(DelegationMode::OnInvoke));
}

#[test]
fn a_sole_user_is_a_known_person() {
    let mut scene = sole_scene();
    scene.identity("agent:helper").sole_user = Some(object("agent:other"));
    assert_eq!(scene.said(), denied(ReasonCode::IdentityUnknown));
}

#[test]
fn a_person_acts_without_an_agent_where_the_route_allows_it() {
    let expected =
        (BindingMode::User, names("user:anne", "", ""), None, some("organization:acme"), None);
    assert_eq!(bound(&person_scene()), expected);
    let mut elsewhere = person_scene();
    elsewhere.audience = MCP;
    assert_eq!(elsewhere.said(), denied(ReasonCode::AgentRequired));
}

#[test]
fn a_person_signs_in_through_an_interactive_client() {
    for client in [json!("batch"), Value::Null] {
        let mut scene = person_scene();
        crate::scene::set(&mut scene.claims, "/client_id", client.clone());
        assert_eq!(scene.said(), denied(ReasonCode::AgentRequired), "{client}");
    }
}

#[test]
fn a_persons_token_has_no_may_act_and_no_context() {
    let mut may_act = person_scene();
    may_act.claims["may_act"] = json!({"sub": "sa-helper", "iss": AGENTS});
    assert_eq!(may_act.said(), denied(ReasonCode::BindingUnmatched));
    let mut context_beside = person_scene();
    context_beside.contexts = vec![context(&mut context_beside)];
    assert_eq!(context_beside.said(), denied(ReasonCode::BindingUnmatched));
}

#[test]
fn a_service_acts_for_itself() {
    let expected = (
        BindingMode::Own,
        names("", "", "service:importer"),
        some("c-importer"),
        some("organization:acme"),
        None,
    );
    assert_eq!(bound(&service_scene()), expected);
    let mut elsewhere = service_scene();
    elsewhere.audience = MCP;
    assert_eq!(elsewhere.said(), denied(ReasonCode::AgentRequired));
}

#[test]
fn a_service_is_never_somebody_else() {
    let mut acted = service_scene();
    acted.claims["act"] = json!({"sub": "sa-helper"});
    assert_eq!(acted.said(), denied(ReasonCode::BindingUnmatched));
    let mut may_act = service_scene();
    may_act.claims["may_act"] = json!({"sub": "sa-helper"});
    assert_eq!(may_act.said(), denied(ReasonCode::BindingUnmatched));
    let mut client = service_scene();
    client.claims["client_id"] = json!("client-helper");
    assert_eq!(client.said(), denied(ReasonCode::BindingUnmatched));
    let mut context_beside = service_scene();
    context_beside.contexts = vec![context(&mut context_beside)];
    assert_eq!(context_beside.said(), denied(ReasonCode::BindingUnmatched));
    let mut represented = service_scene();
    represented.on_behalf_of = Some("user:anne");
    assert_eq!(represented.said(), denied(ReasonCode::CrossUser));
}

#[test]
fn a_subject_without_a_record_is_unknown_whoever_acts_for_it() {
    let mut scene = scene();
    scene.claims["sub"] = json!("ghost");
    assert_eq!(scene.said(), denied(ReasonCode::IdentityUnknown));
    scene.claims["iss"] = json!(AGENTS);
    scene.claims["sub"] = json!("anne");
    assert_eq!(scene.said(), denied(ReasonCode::IdentityUnknown));
}

#[test]
fn kind_and_type_of_an_identity_agree() {
    let mut scene = scene();
    scene.identity("agent:helper").kind = Kind::User;
    assert_eq!(scene.said(), denied(ReasonCode::IdentityUnknown));
}

#[test]
fn a_request_is_on_behalf_of_the_bound_user() {
    let mut scene = scene();
    for (named, expected) in [
        ("user:anne", ALLOWED),
        ("user:bob", denied(ReasonCode::CrossUser)),
        ("user:ghost", denied(ReasonCode::CrossUser)),
        ("agent:helper", denied(ReasonCode::CrossUser)),
        ("anne", denied(ReasonCode::CrossUser)),
        ("", denied(ReasonCode::CrossUser)),
    ] {
        scene.on_behalf_of = Some(named);
        assert_eq!(scene.said(), expected, "{named}");
    }
}

/// Agent other has called agent helper, which calls now.
fn chain_scene() -> Scene {
    let mut scene = scene();
    scene.claims["act"]["act"] = json!({"iss": AGENTS, "sub": "sa-other"});
    scene
}

#[test]
fn an_earlier_actor_is_recorded_and_grants_nothing() {
    assert_eq!(chain_scene().said(), ALLOWED);
    let mut stranger = chain_scene();
    stranger.claims["act"]["act"]["sub"] = json!("ghost");
    assert_eq!(stranger.said(), ALLOWED);
    let mut only_earlier = chain_scene();
    only_earlier.remove("user:anne#delegate_of@agent:helper");
    only_earlier.add("user:anne#delegate_of@agent:other");
    assert_eq!(only_earlier.said(), denied(ReasonCode::NotDelegate));
}

#[test]
fn a_disabled_or_revoked_earlier_actor_breaks_the_chain() {
    let mut suspended = chain_scene();
    suspended.identity("agent:other").status = Status::Suspended;
    assert_eq!(suspended.said(), denied(ReasonCode::ActorChain));
    let mut expired = chain_scene();
    expired.identity("agent:other").expires_at = Some(NOW);
    assert_eq!(expired.said(), denied(ReasonCode::ActorChain));
    let mut revoked = chain_scene();
    revoked.credential("c-other").revoked_at = Some(NOW - 1000);
    assert_eq!(revoked.said(), denied(ReasonCode::ActorChain));
    let mut unregistered = chain_scene();
    unregistered.credentials.retain(|credential| credential.id != "c-other");
    assert_eq!(unregistered.said(), ALLOWED);
    let mut by_client = chain_scene();
    by_client.claims["act"]["act"] =
        json!({"iss": AGENTS, "sub": "ghost", "client_id": "client-other"});
    assert_eq!(by_client.said(), ALLOWED);
    by_client.identity("agent:other").status = Status::Retired;
    assert_eq!(by_client.said(), denied(ReasonCode::ActorChain));
    let mut told_by_client = chain_scene();
    told_by_client.authz("/client_credentials", json!([AGENTS]));
    told_by_client.claims["act"]["client_id"] = json!("client-helper");
    told_by_client.claims["act"]["act"]["client_id"] = json!("client-other");
    let credential = told_by_client.credential("c-other");
    credential.subject = None;
    credential.client = Some(holder(AGENTS, "client-other"));
    assert_eq!(told_by_client.said(), ALLOWED);
    told_by_client.credential("c-other").revoked_at = Some(NOW - 1000);
    assert_eq!(told_by_client.said(), denied(ReasonCode::ActorChain));
}

#[test]
fn a_restricted_chain_needs_every_actor_delegated() {
    let mut scene = chain_scene();
    scene.audience = STRICT;
    assert_eq!(scene.said(), denied(ReasonCode::ActorChain));
    scene.add("user:anne#delegate_of@agent:other");
    assert_eq!(scene.said(), ALLOWED);
    let mut stranger = scene.clone();
    stranger.claims["act"]["act"]["sub"] = json!("ghost");
    assert_eq!(stranger.said(), denied(ReasonCode::ActorChain));
    let mut two = scene.clone();
    two.claims["act"]["act"]["client_id"] = json!("client-helper");
    assert_eq!(two.said(), denied(ReasonCode::ActorChain));
    let mut deeper = scene.clone();
    deeper.claims["act"]["act"]["act"] = json!({"iss": LOGIN, "sub": "bob"});
    assert_eq!(deeper.said(), denied(ReasonCode::ActorChain));
}

#[test]
fn two_identities_that_claim_one_subject_after_a_delta_are_nobody() {
    use mandate_authz::row::Row;
    let scene = scene();
    let state = scene.state();
    assert_eq!(said(&scene.decide_in(&state)), ALLOWED);
    let mut impostor = user("impostor", &["acme"]);
    impostor.subjects = vec![holder(LOGIN, "anne")];
    let state = crate::scene::with_rows(&scene, &[Row::PutIdentity(impostor)]);
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::IdentityUnknown));
    let mut thief = agent("thief", "acme");
    thief.subjects = vec![holder(AGENTS, "sa-helper")];
    let state = crate::scene::with_rows(
        &scene,
        &[Row::PutIdentity(thief), Row::PutCredential(credential("c-thief", "agent:thief"))],
    );
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::IdentityUnknown));
}

#[test]
fn a_client_or_earlier_actor_that_two_claim_is_not_the_same_as_nobodys() {
    use mandate_authz::row::Row;
    // A person through an interactive client that a delta lets two agents claim.
    let mut person = client_scene();
    person.claims["client_id"] = json!("board-web");
    person.audience = OPEN;
    assert_eq!(person.said(), ALLOWED);
    let claimant = |id: &str, clients: &[&str], subject: &str| {
        let mut claimant = agent(id, "acme");
        claimant.subjects = vec![holder(AGENTS, subject)];
        claimant.clients = clients.iter().map(|client| holder(AGENTS, client)).collect();
        Row::PutIdentity(claimant)
    };
    let rows = [claimant("one", &["board-web"], "one"), claimant("two", &["board-web"], "two")];
    let state = crate::scene::with_rows(&person, &rows);
    assert_eq!(said(&person.decide_in(&state)), denied(ReasonCode::IdentityUnknown));
    let chain = chain_scene();
    let state = crate::scene::with_rows(&chain, &[claimant("two", &[], "sa-other")]);
    assert_eq!(said(&chain.decide_in(&state)), denied(ReasonCode::ActorChain));
}

#[test]
fn a_verified_token_of_another_route_or_moment_is_refused() {
    let mut other = scene();
    other.claims["aud"] = json!(OPEN);
    assert_eq!(other.said(), denied(ReasonCode::TokenAudience));
    let mut expired = scene();
    expired.claims["exp"] = json!(NOW - 60);
    assert_eq!(expired.said(), denied(ReasonCode::TokenExpired));
    assert_eq!(ReasonCode::TokenExpired.line(), Some(FailingLine::Token));
}
