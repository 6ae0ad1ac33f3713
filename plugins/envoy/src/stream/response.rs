//! The response to a request that passed: lists are held and filtered, streams go on event by event,
//! session ids are sealed.

use mandate_gate::{EventStream, ListReply, ListTicket, ResponseDuty, SessionDuty, limits};

use super::{Phase, Step, Stream};
use crate::fields::Fields;
use crate::host::{Buffer, Host, HostProblem, Level, LocalReply, Map};
use crate::worker::seconds;

/// What is left to do with a response.
#[derive(Debug, Default)]
pub(super) struct Response {
    duty: ResponseDuty,
    body: Body,
}

#[derive(Debug, Default)]
enum Body {
    /// It goes on as it comes, as long as it may.
    #[default]
    Free,
    /// A list is held.
    List { status: u16, content_type: Option<String> },
    /// A stream of events.
    Events(EventStream),
}

/// The response cannot go on, and this is why: for the log.
struct Stopped(&'static str);

impl Response {
    pub(super) fn of(duty: ResponseDuty) -> Self {
        Self { duty, body: Body::Free }
    }
}

impl Stream {
    /// The headers of the response have come.
    pub(crate) fn on_response_headers(&mut self, host: &dyn Host, end: bool) -> Step {
        if let Some(step) = self.undecided() {
            return step;
        }
        if self.response.duty == ResponseDuty::default() {
            return Step::Continue;
        }
        match self.open(host, end) {
            Ok(Ok(step)) => step,
            Ok(Err(stopped)) => self.stop(host, &stopped),
            Err(problem) => self.fail(host, problem),
        }
    }

    /// More of the response has come; of a list, `size` bytes are held in all.
    pub(crate) fn on_response_body(&mut self, host: &dyn Host, size: usize, end: bool) -> Step {
        if let Some(step) = self.undecided() {
            return step;
        }
        match self.go_on(host, size, end) {
            Ok(Ok(step)) => step,
            Ok(Err(stopped)) => self.stop(host, &stopped),
            Err(problem) => self.fail(host, problem),
        }
    }

    /// The trailers of the response have come: a list that is held has ended.
    pub(crate) fn on_response_trailers(&mut self, host: &dyn Host) -> Step {
        if let Some(step) = self.undecided() {
            return step;
        }
        match &self.response.body {
            Body::Free | Body::Events(_) => Step::Continue,
            Body::List { .. } => {
                self.finish_list(host).unwrap_or_else(|problem| self.fail(host, problem))
            }
        }
    }

    /// What happens to the response to a request that did not go upstream: it is our own, or Envoy's.
    const fn undecided(&self) -> Option<Step> {
        match self.phase {
            Phase::Passed => None,
            Phase::Stuck => Some(Step::Pause),
            Phase::Answered | Phase::Fresh | Phase::Holding { .. } => Some(Step::Continue),
        }
    }

    fn open(&mut self, host: &dyn Host, end: bool) -> Result<Result<Step, Stopped>, HostProblem> {
        let fields = Fields::parse(host.fields(Map::Response)?)?;
        if let Err(stopped) = self.session(host, &fields)? {
            return Ok(Err(stopped));
        }
        if end {
            return Ok(Ok(Step::Continue));
        }
        let text = |name| fields.only(name).and_then(|value| std::str::from_utf8(value).ok());
        let encoding = fields.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case(b"content-encoding")
                && !value.eq_ignore_ascii_case(b"identity")
        });
        let content_type = text("content-type").map(str::to_owned);
        if self.response.duty.list.is_some() {
            let status = text(":status").and_then(|status| status.parse().ok());
            let status = status.ok_or(HostProblem::unreadable("get_header_map_pairs"))?;
            // What is compressed cannot be read, and is filtered as what it is: nothing.
            let content_type = content_type.filter(|_| !encoding);
            self.response.body = Body::List { status, content_type };
            return Ok(Ok(Step::Pause));
        }
        if self.response.duty.stream.is_some() && is_event_stream(content_type.as_deref()) {
            if encoding {
                return Ok(Err(Stopped("compressed")));
            }
            // Events are left out of it: its length is not what the server says.
            host.remove_field(Map::Response, "content-length")?;
            self.response.body = Body::Events(EventStream::default());
        }
        Ok(Ok(Step::Continue))
    }

    /// Takes the session id away, or seals it.
    fn session(
        &self,
        host: &dyn Host,
        fields: &Fields,
    ) -> Result<Result<(), Stopped>, HostProblem> {
        const SESSION: &str = "mcp-session-id";
        let present = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(SESSION.as_bytes()));
        match &self.response.duty.session {
            SessionDuty::Remove if present => host.remove_field(Map::Response, SESSION)?,
            SessionDuty::Seal(scope) if present => {
                let worker = self.worker()?;
                let id = fields.only(SESSION);
                let sealed = id.and_then(|id| worker.borrow().gate.seal_session(scope, id));
                let Some(sealed) = sealed else { return Ok(Err(Stopped("session"))) };
                host.set_field(Map::Response, SESSION, &sealed)?;
            }
            SessionDuty::Remove | SessionDuty::Seal(_) | SessionDuty::Untouched => {}
        }
        Ok(Ok(()))
    }

    fn go_on(
        &mut self,
        host: &dyn Host,
        size: usize,
        end: bool,
    ) -> Result<Result<Step, Stopped>, HostProblem> {
        if self.has_ended(host)? {
            return Ok(Err(Stopped("ended")));
        }
        match &self.response.body {
            Body::Free => Ok(Ok(Step::Continue)),
            Body::List { .. } if end || size > limits::LIST_BYTES => self.finish_list(host).map(Ok),
            Body::List { .. } => Ok(Ok(Step::Pause)),
            Body::Events(_) => self.filter_events(host, size, end),
        }
    }

    fn has_ended(&self, host: &dyn Host) -> Result<bool, HostProblem> {
        match self.response.duty.ends_at {
            None => Ok(false),
            Some(ends_at) => Ok(seconds(host.now()?) >= ends_at),
        }
    }

    /// Filters the list that is held.
    fn finish_list(&mut self, host: &dyn Host) -> Result<Step, HostProblem> {
        let response = std::mem::take(&mut self.response);
        let (Body::List { status, content_type }, Some(ticket)) =
            (response.body, response.duty.list)
        else {
            return Err(HostProblem::unreadable("on_response_body"));
        };
        let body = host.buffer(Buffer::Response, 0..limits::LIST_BYTES.saturating_add(1))?;
        if body.is_empty() {
            // Nothing came, so that nothing is shown: a client reads the status.
            return Ok(Step::Continue);
        }
        let ListReply { body, content_type, removed, failure } =
            self.filter_list(host, &ticket, content_type.as_deref(), &body)?;
        if let Some(failure) = failure {
            let details = "mandate_list{unreadable}";
            host.log(Level::Warn, &format!("a list {failure}"));
            let headers = [("content-type", content_type), ("cache-control", "no-store")];
            let status = if status >= 400 { status } else { 200 };
            let reply = LocalReply { status, details, headers: &headers, body: &body };
            return Ok(self.reply(host, &reply));
        }
        let hidden = i64::try_from(removed).unwrap_or(i64::MAX);
        self.worker()?.borrow_mut().metrics.add(host, "list", "hidden", hidden);
        host.remove_field(Map::Response, "content-length")?;
        host.set_field(Map::Response, "content-type", content_type)?;
        host.replace_buffer(Buffer::Response, &body)?;
        Ok(Step::Continue)
    }

    fn filter_list(
        &self,
        host: &dyn Host,
        ticket: &ListTicket,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<ListReply, HostProblem> {
        let now = seconds(host.now()?);
        let worker = self.worker()?;
        let mut worker = worker.borrow_mut();
        Ok(worker.gate.filter_list(ticket, content_type, body, now))
    }

    fn filter_events(
        &mut self,
        host: &dyn Host,
        size: usize,
        end: bool,
    ) -> Result<Result<Step, Stopped>, HostProblem> {
        let worker = self.worker()?;
        let Response {
            duty: ResponseDuty { stream: Some(ticket), .. },
            body: Body::Events(events),
        } = &mut self.response
        else {
            return Err(HostProblem::unreadable("on_response_body"));
        };
        let chunk = host.buffer(Buffer::Response, 0..size)?;
        let now = seconds(host.now()?);
        let filtered = worker.borrow_mut().gate.filter_stream(events, ticket, &chunk, end, now);
        let Ok(out) = filtered else { return Ok(Err(Stopped("stream"))) };
        if out != chunk {
            host.replace_buffer(Buffer::Response, &out)?;
        }
        Ok(Ok(Step::Continue))
    }

    /// Ends a response: before its headers are sent by a 502, after that by breaking it off.
    fn stop(&mut self, host: &dyn Host, stopped: &Stopped) -> Step {
        let details = format!("mandate_response{{{}}}", stopped.0);
        let headers = [("cache-control", "no-store")];
        self.reply(
            host,
            &LocalReply { status: 502, details: &details, headers: &headers, body: b"" },
        )
    }
}

fn is_event_stream(content_type: Option<&str>) -> bool {
    let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or("");
    essence.trim().eq_ignore_ascii_case("text/event-stream")
}
