//! What the gate is told of a connection, and who may tell it: certificates, addresses, the names of
//! Envoy's routes, and the servers of key sets and feed.

use mandate_authn::base64url;
use serde_json::{Value, json};

use crate::client::{self, Answered};
use crate::keys::{KeyServer, set};
use crate::scene::Scene;
use crate::stage::{More, Plan, Stage, get, scene_of_now};
use crate::tls::{Authority, Identity};
use crate::traps::bearer;

/// A token that is bound to a certificate serves over connections of its key alone: RFC 8705.
#[test]
fn a_token_that_is_bound_to_a_certificate_serves_over_its_connection_alone() {
    let unbound = scene_of_now();
    let (authority, foreign) = (Authority::new(), Authority::new());
    let (own, other) = (authority.vouch("helper.example"), authority.vouch("other.example"));
    let mut bound = unbound.clone();
    bound.claims["cnf"] = json!({"x5t#S256": base64url::encode(&own.thumbprint())});
    let more = More {
        gate: vec![("client_certificate", json!(true))],
        tls: Some(authority.listener(&authority.vouch("localhost"))),
        ..More::default()
    };
    let plan = Plan { more, ..Plan::new("envoy: client certificates", &unbound) };
    let Some(stage) = plan.ready() else { return };
    let ask = |scene: &Scene, shown: Option<&Identity>| {
        let request = get("/boards/roadmap", &bearer(scene));
        client::send_tls(stage.tls_port, &authority.client(shown), &[request])
    };

    assert_eq!(status(ask(&bound, Some(&own))), 200);
    assert_eq!(stage.received().len(), 1);
    // Without `cnf` a token says nothing of certificates.
    for shown in [None, Some(&own), Some(&other)] {
        assert_eq!(status(ask(&unbound, shown)), 200);
    }
    assert_eq!(stage.received().len(), 3);

    let refused = || stage.metric("denied.token-binding");
    assert_eq!(refused(), None);
    assert_eq!(status(ask(&bound, Some(&other))), 401);
    assert_eq!(status(ask(&bound, None)), 401);
    assert_eq!(stage.asks(&bound, "roadmap"), 401);
    assert_eq!(refused(), Some(3));
    // Whom the listener's authority does not know has no connection.
    assert_eq!(ask(&unbound, Some(&foreign.vouch("helper.example"))), None);
    assert_eq!(stage.received().len(), 0);
}

/// Of two secrets one is lent to calls from this machine, the other to calls from another network.
#[test]
fn a_condition_on_the_address_asks_the_connection_or_the_hop_that_is_trusted() {
    let scene = lender();
    let lent = |stage: &Stage, lines: &str| {
        let lines = format!("{}{lines}", bearer(&scene));
        ["here", "there"]
            .map(|name| status(stage.send(&[get(&format!("/secrets/{name}"), &lines)])))
    };
    let forwarded = "x-forwarded-for: 192.0.2.7\r\n";
    let member = ("use_remote_address", json!(true));

    let stage = |what: &str, known: bool, manager: Vec<(&'static str, Value)>| {
        let more = More { gate: vec![("peer_address", json!(known))], manager, ..More::default() };
        Plan { more, ..Plan::new(what, &scene) }.ready()
    };
    let Some(direct) = stage("envoy: the peer's address", true, vec![member.clone()]) else {
        return;
    };
    // What the caller writes of its address is nothing.
    for from in ["", forwarded] {
        assert_eq!(lent(&direct, from), [200, 403], "{from}");
    }
    let trusted = vec![member.clone(), ("xff_num_trusted_hops", json!(1))];
    let Some(behind) = stage("envoy: a trusted hop", true, trusted) else { return };
    assert_eq!(lent(&behind, ""), [200, 403]);
    assert_eq!(lent(&behind, forwarded), [403, 200]);
    // Nobody has said that the address can be asked for.
    let Some(silent) = stage("envoy: no address", false, vec![member]) else { return };
    assert_eq!(lent(&silent, ""), [403, 403]);
    assert_eq!(silent.metric("denied.condition"), Some(2));
}

/// The route of Envoy that matched says which of the gate's it is: the path alone does not.
#[test]
fn the_name_of_envoys_route_is_that_of_the_gates() {
    let scene = scene_of_now();
    let route = |side: &str, name: Option<&str>| {
        let header = json!({"name": "x-side", "string_match": {"exact": side}});
        let mut route = json!({"match": {"prefix": "/", "headers": [header]},
            "route": {"cluster": "upstream"}});
        if let Some(name) = name {
            route["name"] = json!(name);
        }
        route
    };
    let last = json!({"name": "web", "match": {"prefix": "/"}, "route": {"cluster": "upstream"}});
    let routes = json!([
        route("mcp", Some("mcp")),
        route("other", Some("other")),
        route("none", None),
        last
    ]);
    let routes = json!({"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]});
    let more = More {
        gate: vec![("route_from_envoy", json!(true))],
        manager: vec![("route_config", routes)],
        ..More::default()
    };
    let plan = Plan { more, ..Plan::new("envoy: names of routes", &scene) };
    let Some(stage) = plan.ready() else { return };
    let ask = |board: &str, lines: &str| {
        let lines = format!("{}{lines}", bearer(&scene));
        status(stage.send(&[get(&format!("/boards/{board}"), &lines)]))
    };
    assert_eq!((ask("roadmap", ""), ask("budget", "")), (200, 403));
    assert_eq!(stage.received().len(), 1);
    for side in ["mcp", "other", "none"] {
        assert_ne!(ask("roadmap", &format!("x-side: {side}\r\n")), 200, "{side}");
    }
    assert_eq!(stage.metric("denied.unmapped"), Some(3));
    assert_eq!(stage.received().len(), 0);
}

/// Who answers for the issuer says whose tokens are good: it has to prove its name, by an authority
/// that was chosen.
#[test]
fn key_sets_and_state_come_from_servers_that_prove_their_names_alone() {
    let scene = scene_of_now();
    let (authority, foreign) = (Authority::new(), Authority::new());
    let login = || authority.vouch("login.example");
    let feed = || authority.vouch("feed.example");
    let begin = |what: &str, login: &Identity, feed: &Identity| {
        let server = KeyServer::over(Some(login.server()), set(&scene));
        let more = More {
            feed: Some(feed.server()),
            clusters: vec![
                ("feed", authority.cluster("feed.example")),
                ("login", authority.cluster("login.example")),
            ],
            ..More::default()
        };
        let plan = Plan { keys: Some(server.port), more, ..Plan::new(what, &scene) };
        Some((plan.begin()?, server))
    };
    let Some((good, _)) = begin("envoy: TLS of servers", &login(), &feed()) else { return };
    good.wait_for_state(&scene);
    assert_eq!(good.asks(&scene, "budget"), 403);

    let (unknown, misnamed) = ("fail_verify_error", "fail_verify_san");
    let evil = || authority.vouch("evil.example");
    for (login, refused, feed, refused_too) in [
        (foreign.vouch("login.example"), unknown, evil(), misnamed),
        (evil(), misnamed, foreign.vouch("feed.example"), unknown),
    ] {
        let Some((stage, server)) = begin("envoy: TLS of servers", &login, &feed) else { return };
        let has = |cluster: &str, what: &str| {
            stage.statistic(&format!("cluster.{cluster}.ssl.{what}")).is_some_and(|times| times > 0)
        };
        stage.wait_until("both are refused", || has("login", refused) && has("feed", refused_too));
        assert!((0..8).all(|_| stage.asks(&scene, "roadmap") == 503), "{refused}");
        assert_eq!((stage.received().len(), server.asked(), stage.feed.asked()), (0, 0, 0));
    }
}

/// The scene with a vault of anne's, out of which two secrets are lent.
fn lender() -> Scene {
    let mut scene = scene_of_now();
    let contract = &mut scene.contract;
    contract["authz"]["types"]["parents"]["vault"] = json!(["organization"]);
    contract["authz"]["types"]["parents"]["secret"] = json!(["vault"]);
    contract["authz"]["actions"]["lend"] =
        json!({"mode": "read", "relation": "can_use", "on": ["secret"]});
    contract["authz"]["scopes"]["boards"] = json!(["view", "list", "ping", "lend"]);
    let rule = json!({"method": "GET", "path": "/secrets/{secret}", "action": "lend",
        "resources": [{"path": "secret", "type": "secret"}]});
    let rules = contract["gate"]["routes"]["web"]["rules"].as_array_mut().expect("rules");
    rules.push(rule);
    scene.facts.push_str(
        "- {user: 'organization:acme', relation: organization, object: 'vault:keys'}\n\
         - {user: 'vault:keys', relation: vault, object: 'secret:here'}\n\
         - {user: 'vault:keys', relation: vault, object: 'secret:there'}\n",
    );
    for (secret, network) in [("here", "127.0.0.0/8"), ("there", "192.0.2.0/24")] {
        scene.facts.push_str(&format!(
            "- {{user: 'user:anne', relation: borrower, object: 'secret:{secret}', \
             condition: {{name: from_network, context: {{network: '{network}'}}}}}}\n"
        ));
    }
    scene
}

/// 0 where there is no answer.
fn status(answered: Option<Answered>) -> u16 {
    answered.map_or(0, |answered| answered.status)
}
