//! One request on its way through the filter: held until it is decided, whatever ends it.

mod response;

use std::cell::RefCell;
use std::rc::Rc;

use mandate_authn::ReasonCode;
use mandate_gate::{
    Answer, Connection, Head, Headers, Pass, Reply, Request, ResponseDuty, Verdict,
};

use self::response::Response;
use crate::configuration::RouteName;
use crate::fields::{Fields, RequestHead};
use crate::host::{Buffer, Host, HostProblem, Level, LocalReply, Map};
use crate::worker::Worker;

/// What Envoy does next with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Continue,
    Pause,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Absent where the plugin is not configured: then nothing passes.
    worker: Option<Rc<RefCell<Worker>>>,
    phase: Phase,
    response: Response,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Answered here: nothing of it goes upstream.
    Answered,
    /// Nothing is known.
    Fresh,
    /// Headers and body are held, at most so many bytes and one.
    Holding { most: usize },
    /// Decided: it goes upstream.
    Passed,
    /// The host took no answer: nothing goes anywhere any more.
    Stuck,
}

/// What a request ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Body,
    Headers,
    Trailers,
}

impl Stream {
    pub(crate) fn new(worker: Option<Rc<RefCell<Worker>>>) -> Self {
        Self { worker, phase: Phase::Fresh, response: Response::default() }
    }

    /// The headers of the request have come.
    pub(crate) fn on_request_headers(&mut self, host: &dyn Host, end: bool) -> Step {
        match self.phase {
            Phase::Fresh => {
                self.begin(host, end).unwrap_or_else(|problem| self.fail(host, problem))
            }
            // They come once; what comes again was not decided.
            Phase::Answered | Phase::Holding { .. } | Phase::Passed | Phase::Stuck => {
                self.fail(host, HostProblem::unreadable("on_request_headers"))
            }
        }
    }

    /// More of the body has come: `size` bytes are held in all.
    pub(crate) fn on_request_body(&mut self, host: &dyn Host, size: usize, end: bool) -> Step {
        match self.phase {
            Phase::Holding { most } if end || size > most => self
                .held(host, most, Some(size), End::Body)
                .unwrap_or_else(|problem| self.fail(host, problem)),
            Phase::Holding { .. } | Phase::Answered | Phase::Stuck => Step::Pause,
            Phase::Passed => Step::Continue,
            Phase::Fresh => self.fail(host, HostProblem::unreadable("on_request_body")),
        }
    }

    /// The trailers have come: no callback says that the body has ended.
    pub(crate) fn on_request_trailers(&mut self, host: &dyn Host) -> Step {
        let done = match self.phase {
            Phase::Holding { most } => self.held(host, most, None, End::Trailers),
            Phase::Passed => self.clean_trailers(host),
            Phase::Answered | Phase::Stuck => Ok(Step::Pause),
            Phase::Fresh => Err(HostProblem::unreadable("on_request_trailers")),
        };
        done.unwrap_or_else(|problem| self.fail(host, problem))
    }

    /// Decides at once what has no body that matters, and holds the rest.
    fn begin(&mut self, host: &dyn Host, end: bool) -> Result<Step, HostProblem> {
        let worker = self.worker()?;
        let fields = Fields::parse(host.fields(Map::Request)?)?;
        let route = route(&worker.borrow().route, host)?;
        let split = fields.request_head();
        let limit = || worker.borrow().gate.body_limit(&head(split.as_ref(), route.as_deref()));
        if let Some(most) = (!end).then(limit).flatten() {
            self.phase = Phase::Holding { most };
            return Ok(Step::Pause);
        }
        self.decide(host, split.as_ref(), route.as_deref(), b"", End::Headers)
    }

    /// Decides what was held. The headers are read again: what goes upstream is what is decided.
    fn held(
        &mut self,
        host: &dyn Host,
        most: usize,
        size: Option<usize>,
        end: End,
    ) -> Result<Step, HostProblem> {
        let cut = most.saturating_add(1);
        let body = host.buffer(Buffer::Request, 0..cut)?;
        if size.is_some_and(|size| size.min(cut) != body.len()) {
            return Err(HostProblem::unreadable("get_buffer_bytes"));
        }
        let fields = Fields::parse(host.fields(Map::Request)?)?;
        let route = route(&self.worker()?.borrow().route, host)?;
        self.decide(host, fields.request_head().as_ref(), route.as_deref(), &body, end)
    }

    fn decide(
        &mut self,
        host: &dyn Host,
        split: Option<&RequestHead<'_>>,
        route: Option<&str>,
        body: &[u8],
        end: End,
    ) -> Result<Step, HostProblem> {
        let worker = self.worker()?;
        let mut worker = worker.borrow_mut();
        let trailers = match end {
            End::Trailers => Fields::parse(host.fields(Map::RequestTrailers)?)?,
            End::Body | End::Headers => Fields::default(),
        };
        let trailers: Vec<_> = trailers.iter().collect();
        let certificate_sha256 = if worker.client_certificate { certificate(host)? } else { None };
        let address = if worker.peer_address { peer_address(host)? } else { None };
        let request = Request {
            head: head(split, route),
            body,
            trailers: Headers(&trailers),
            connection: Connection { certificate_sha256, peer_address: address.as_deref() },
        };
        // The operator's line is not written: the access log has the reason, and a flood of denials
        // must not become one of lines, each of which Envoy writes at once.
        let Answer { verdict, reason, detail: _, audit, refresh: _ } =
            worker.decide(host, &request)?;
        let record = audit.as_ref().map(|record| record.as_json().as_bytes());
        let log = || record.map_or(Ok(()), |record| host.set_filter_state("mandate", record));
        match verdict {
            Verdict::Reply(reply) => {
                log()?;
                Ok(self.answer(host, reason, &reply))
            }
            Verdict::Pass(pass) => {
                apply(host, &pass, end)?;
                // Last: a request that could not be changed does not pass, and no record says so.
                log()?;
                self.pass(pass.response);
                Ok(Step::Continue)
            }
        }
    }

    fn pass(&mut self, duty: ResponseDuty) {
        self.phase = Phase::Passed;
        self.response = Response::of(duty);
    }

    fn answer(&mut self, host: &dyn Host, reason: ReasonCode, reply: &Reply) -> Step {
        let headers: Vec<(&str, &str)> =
            reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let details = if reason == ReasonCode::Ok {
            "mandate_answered".to_owned()
        } else {
            format!("mandate_denied{{{}}}", reason.as_str())
        };
        let Reply { status, body, .. } = reply;
        self.reply(
            host,
            &LocalReply {
                status: *status,
                details: &details,
                headers: &headers,
                body: body.as_bytes(),
            },
        )
    }

    /// Whatever went wrong, nothing passes.
    fn fail(&mut self, host: &dyn Host, problem: HostProblem) -> Step {
        host.log(Level::Error, &problem.to_string());
        let details = format!("mandate_denied{{{}}}", ReasonCode::Internal.as_str());
        let body = ReasonCode::Internal.text().as_bytes();
        let headers = [("retry-after", "1"), ("cache-control", "no-store")];
        self.reply(host, &LocalReply { status: 503, details: &details, headers: &headers, body })
    }

    fn reply(&mut self, host: &dyn Host, reply: &LocalReply<'_>) -> Step {
        // Twice on one stream hung older Envoys; the first answer is the one that counts.
        if matches!(self.phase, Phase::Answered | Phase::Stuck) {
            return Step::Pause;
        }
        self.phase = Phase::Answered;
        if let Err(problem) = host.reply(reply) {
            host.log(Level::Error, &problem.to_string());
            self.phase = Phase::Stuck;
        }
        Step::Pause
    }

    /// A body that streamed has trailers: they go upstream without those that are ours.
    fn clean_trailers(&self, host: &dyn Host) -> Result<Step, HostProblem> {
        let trailers = Fields::parse(host.fields(Map::RequestTrailers)?)?;
        let trailers: Vec<_> = trailers.iter().collect();
        let worker = self.worker()?;
        let removed = worker.borrow().gate.trailer_removals(Headers(&trailers));
        let unreadable = HostProblem::unreadable("on_request_trailers");
        for name in removed.ok_or(unreadable)? {
            host.remove_field(Map::RequestTrailers, &name)?;
        }
        Ok(Step::Continue)
    }

    fn worker(&self) -> Result<Rc<RefCell<Worker>>, HostProblem> {
        self.worker.clone().ok_or(HostProblem::unreadable("on_configure"))
    }
}

/// What the gate decides on. A request whose pseudo-header fields have two readings has none here:
/// the gate refuses it as malformed.
fn head<'h>(split: Option<&'h RequestHead<'_>>, route: Option<&'h str>) -> Head<'h> {
    match split {
        None => Head { route, method: b"", target: b"", headers: Headers::default() },
        Some(RequestHead { method, target, others }) => {
            Head { route, method, target, headers: Headers(others) }
        }
    }
}

/// Changes the request as the verdict says. Anything that fails is a denial: half of it is none.
fn apply(host: &dyn Host, pass: &Pass, end: End) -> Result<(), HostProblem> {
    for name in &pass.remove {
        host.remove_field(Map::Request, name)?;
    }
    for (name, value) in &pass.set {
        host.set_field(Map::Request, name, value)?;
    }
    if end == End::Trailers {
        for name in &pass.remove_trailers {
            host.remove_field(Map::RequestTrailers, name)?;
        }
    }
    Ok(())
}

fn route(name: &RouteName, host: &dyn Host) -> Result<Option<String>, HostProblem> {
    match name {
        RouteName::ByPath => Ok(None),
        RouteName::Fixed(name) => Ok(Some(name.clone())),
        // A route without a name is named like none of the gate's: it is refused as unmapped.
        RouteName::OfEnvoy => {
            let name = host.property(&["xds", "route_name"])?.unwrap_or_default();
            Ok(Some(String::from_utf8(name).unwrap_or_default()))
        }
    }
}

/// The digest of the certificate that the listener has verified.
fn certificate(host: &dyn Host) -> Result<Option<[u8; 32]>, HostProblem> {
    let path = ["connection", "sha256_peer_certificate_digest"];
    let Some(text) = host.property(&path)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    from_hex(&text).map(Some).ok_or(HostProblem::unreadable("get_property"))
}

fn from_hex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

/// The peer's address without its port.
fn peer_address(host: &dyn Host) -> Result<Option<String>, HostProblem> {
    let Some(text) = host.property(&["source", "address"])? else { return Ok(None) };
    let text = String::from_utf8(text).map_err(|_| HostProblem::unreadable("get_property"))?;
    let address = text.rsplit_once(':').map_or(text.as_str(), |(address, _)| address);
    Ok(Some(address.trim_matches(['[', ']']).to_owned()))
}

#[cfg(test)]
mod tests;
