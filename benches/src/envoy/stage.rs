//! Everything that a run needs, started: Envoy with its listeners, and those that stand around it.

use anyhow::{Context as _, Result, ensure};

use super::bootstrap::{self, Ground, Listener, Ours, bootstrap};
use super::contestant::{Contestant, Filters, Method, Tokens};
use super::counting_server::CountingServer;
use super::deployment::{Size, TOOLS, World};
use super::process::{Envoy, free_port, leave_envoys_core};
use super::programs::Programs;
use super::supply::Supply;
use super::tokens::{Algorithm, Issuer, Token};
use super::upstream::BODY;
use super::{check_server, client, upstream};

/// What is running.
#[derive(Debug)]
pub struct Stage {
    /// Envoy.
    pub envoy: Envoy,
    /// Behind it.
    pub upstream: CountingServer,
    /// Whom `ext_authz` asks.
    pub check_server: CountingServer,
    _supplies: Vec<Supply>,
    places: Vec<(Filters, u16)>,
}

/// A contestant with its requests.
#[derive(Debug)]
pub struct Entry {
    /// Who it is.
    pub contestant: Contestant,
    /// Where its listener is.
    pub port: u16,
    /// What is asked, all of it allowed.
    pub requests: Vec<Vec<u8>>,
    /// What has to be refused, and the status in which.
    pub refused: Vec<(Vec<u8>, u16)>,
}

impl Stage {
    /// Starts Envoy with a listener for each kind of filters, and the feeds of the worlds.
    ///
    /// # Errors
    /// When something does not start.
    pub fn begin(
        programs: &Programs,
        issuer: &Issuer,
        worlds: &[World],
        contestants: &[Contestant],
    ) -> Result<Self> {
        leave_envoys_core()?;
        let upstream = CountingServer::begin(upstream::converse)?;
        let check_server = CountingServer::begin(check_server::converse)?;
        let supplies = worlds.iter().map(Supply::of).collect::<Result<Vec<_>>>()?;
        let ground = Ground {
            admin: free_port()?,
            upstream: upstream.port,
            check_server: check_server.port,
            key_set: issuer.key_set()?,
            trust: issuer.trust()?,
            module: programs.module.display().to_string(),
        };
        let ours = worlds.iter().zip(&supplies).map(|(world, supply)| ours(world, supply));
        let ours = ours.collect::<Result<Vec<Ours>>>()?;
        let (mut listeners, mut places): (Vec<Listener>, Vec<(Filters, u16)>) = Default::default();
        for Contestant { filters, .. } in contestants {
            if places.iter().all(|(known, _)| known != filters) {
                let port = free_port()?;
                listeners.push(Listener { port, filters: chain(&ground, *filters, &ours)? });
                places.push((*filters, port));
            }
        }
        let bootstrap = bootstrap(&ground, &listeners, &ours);
        let envoy = Envoy::start(programs, &bootstrap, ground.admin, 1)?;
        Ok(Self { envoy, upstream, check_server, _supplies: supplies, places })
    }

    /// A contestant with its requests; of its tokens, at most so many.
    ///
    /// # Errors
    /// When a token cannot be minted.
    pub fn entry(
        &self,
        minted: &Minted,
        contestant: Contestant,
        most_tokens: usize,
    ) -> Result<Entry> {
        let place = self.places.iter().find(|(filters, _)| *filters == contestant.filters);
        let (_, port) = *place.context("every contestant has its listener")?;
        let Contestant { method, tokens, size, filters, .. } = contestant;
        let many = minted.many(&size);
        let first = many.first().context("a token")?;
        let ask = |token: &Token, turn: usize| {
            request(method, &token.text, &size.board(token.number, turn), TOOLS[0])
        };
        let each = |tokens: &[Token]| tokens.iter().map(|token| ask(token, token.number)).collect();
        let requests: Vec<Vec<u8>> = match tokens {
            Tokens::One => (0..16).map(|turn| ask(first, turn)).collect(),
            Tokens::Many(count) => each(many.get(..count.min(most_tokens)).unwrap_or(many)),
            Tokens::Fresh(algorithm) => each(minted.fresh(algorithm)),
        };
        let refused = refusals(method, filters, &size, &first.text);
        Ok(Entry { contestant, port, requests, refused })
    }

    /// Waits until a contestant lets pass what it may, and asks it for everything that it may not.
    ///
    /// # Errors
    /// When something passes that should not, or does not that should.
    pub fn check(&self, entry: &Entry) -> Result<()> {
        let name = entry.contestant.name;
        let first = entry.requests.first().context("a request")?;
        let passes = || {
            let answered = client::ask(entry.port, first)?;
            Ok(answered.status == 200 && answered.body == BODY)
        };
        self.envoy.wait_until(&format!("`{name}` lets pass what it may"), passes)?;
        for (request, status) in &entry.refused {
            let before = self.upstream.seen();
            let answered = client::ask(entry.port, request)?;
            let as_it_should = answered.status == *status && answered.body != BODY;
            let seen = self.upstream.seen().abs_diff(before);
            ensure!(as_it_should && seen == 0, "`{name}`: {status}? {answered:?}, {seen} passed");
        }
        Ok(())
    }
}

/// Tokens of a run.
#[derive(Debug, Default)]
pub struct Minted {
    thousand: Vec<Token>,
    million: Vec<Token>,
    rs256: Vec<Token>,
    es256: Vec<Token>,
}

impl Minted {
    /// Mints `many` tokens for each world, and `fresh` more by each algorithm.
    ///
    /// # Errors
    /// When one cannot be minted.
    pub fn new(issuer: &Issuer, many: usize, fresh: usize) -> Result<Self> {
        let (small, large) = (&Size::THOUSAND, &Size::MILLION);
        let all = issuer.tokens(Algorithm::Rs256, small, many.saturating_add(fresh))?;
        let (thousand, rs256) = all.split_at_checked(many).context("as many as were minted")?;
        Ok(Self {
            thousand: thousand.to_vec(),
            million: issuer.tokens(Algorithm::Rs256, large, many.min(2000))?,
            rs256: rs256.to_vec(),
            es256: issuer.tokens(Algorithm::Es256, small, fresh)?,
        })
    }

    fn many(&self, size: &Size) -> &[Token] {
        if *size == Size::MILLION { &self.million } else { &self.thousand }
    }

    fn fresh(&self, algorithm: Algorithm) -> &[Token] {
        match algorithm {
            Algorithm::Es256 => &self.es256,
            Algorithm::Rs256 => &self.rs256,
        }
    }
}

fn ours(world: &World, supply: &Supply) -> Result<Ours> {
    Ok(Ours { slice: world.size.slice, state: supply.state()?, feed: supply.port })
}

fn chain(ground: &Ground, filters: Filters, ours: &[Ours]) -> Result<Vec<serde_json::Value>> {
    let jwt = |claims| bootstrap::jwt_authn(ground, true, claims);
    Ok(match filters {
        Filters::None => Vec::new(),
        Filters::Jwt { cache } => vec![bootstrap::jwt_authn(ground, cache, false)],
        Filters::JwtRbac => vec![jwt(true), bootstrap::rbac_on_claims()],
        Filters::JwtMcpRbac => vec![jwt(true), bootstrap::mcp(), bootstrap::rbac_on_tool()],
        Filters::ExtAuthz { jwt: false, body } => vec![bootstrap::ext_authz(body)],
        Filters::ExtAuthz { jwt: true, body } => vec![jwt(false), bootstrap::ext_authz(body)],
        Filters::Gate(slice) => {
            let ours = ours.iter().find(|one| one.slice == slice);
            vec![bootstrap::gate(ground, ours.context("a world of each gate")?)]
        }
    })
}

/// What each kind of filters can refuse at all.
fn refusals(method: Method, filters: Filters, size: &Size, token: &str) -> Vec<(Vec<u8>, u16)> {
    let [tool, other_tool] = TOOLS;
    let allowed = size.board(0, 0);
    let spoilt = (request(method, &spoilt(token), &allowed, tool), 401);
    let elsewhere = (get(token, "/elsewhere"), 403);
    let other_call = |status| (request(Method::Post, token, &allowed, other_tool), status);
    let other_board = |status| (request(method, token, &size.forbidden(0), tool), status);
    match (filters, method) {
        (Filters::None | Filters::ExtAuthz { jwt: false, .. }, _) => Vec::new(),
        (Filters::Jwt { .. } | Filters::ExtAuthz { jwt: true, .. }, _) => vec![spoilt],
        (Filters::JwtRbac, _) => vec![spoilt, elsewhere],
        (Filters::JwtMcpRbac, _) => vec![spoilt, other_call(403)],
        (Filters::Gate(_), Method::Get) => vec![spoilt, elsewhere, other_board(403)],
        // MCP clients read a denial as a JSON-RPC error: docs/mcp.md.
        (Filters::Gate(_), Method::Post) => vec![spoilt, other_call(200), other_board(200)],
    }
}

/// The same token with another signature.
fn spoilt(token: &str) -> String {
    let Some((input, signature)) = token.rsplit_once('.') else { return String::new() };
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let rest: String = signature.chars().skip(1).collect();
    format!("{input}.{first}{rest}")
}

fn request(method: Method, token: &str, board: &str, tool: &str) -> Vec<u8> {
    match method {
        Method::Get => get(token, &format!("/boards/{board}")),
        Method::Post => post(token, board, tool),
    }
}

fn get(token: &str, target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\n{}accept: application/json\r\n\r\n", head(token)).into_bytes()
}

fn post(token: &str, board: &str, tool: &str) -> Vec<u8> {
    let body = serde_json::json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": {"name": tool, "arguments": {"board": board, "note": "x".repeat(800)}},
    })
    .to_string();
    let head = head(token);
    format!(
        "POST /mcp HTTP/1.1\r\n{head}accept: application/json, text/event-stream\r\n\
         content-type: application/json\r\nmcp-protocol-version: 2025-11-25\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn head(token: &str) -> String {
    format!(
        "host: boards.example\r\nauthorization: Bearer {token}\r\nuser-agent: mandate-bench/1\r\n\
         accept-encoding: gzip\r\nx-request-start: 1767225600\r\n"
    )
}
