//! The callbacks of proxy-wasm, handed on.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use crate::calls::Envoy;
use crate::host::{Buffer, Host, Level};
use crate::signature::ForeignBackend;
use crate::stream::{Step, Stream};
use crate::worker::{Unconfigured, Worker};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Plugin { worker: None }));
}}

/// One plugin of this VM.
struct Plugin {
    worker: Option<Rc<RefCell<Worker>>>,
}

impl Context for Plugin {
    fn on_http_call_response(
        &mut self,
        token_id: u32,
        num_headers: usize,
        body_size: usize,
        _num_trailers: usize,
    ) {
        if let Some(worker) = &self.worker {
            let fields = u32::try_from(num_headers).unwrap_or(u32::MAX);
            worker.borrow_mut().on_call_response(&Envoy, token_id, fields, body_size);
        }
    }
}

impl RootContext for Plugin {
    fn on_configure(&mut self, plugin_configuration_size: usize) -> bool {
        match configure(plugin_configuration_size) {
            Ok(worker) => {
                self.worker = Some(Rc::new(RefCell::new(worker)));
                true
            }
            Err(Unconfigured(problem)) => {
                Envoy.log(Level::Error, &problem);
                self.worker = None;
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.borrow_mut().on_tick(&Envoy);
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter(Stream::new(self.worker.clone()))))
    }
}

fn configure(size: usize) -> Result<Worker, Unconfigured> {
    let bytes = Envoy.buffer(Buffer::Configuration, 0..size)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Unconfigured("the configuration is not UTF-8".to_owned()))?;
    let backend = ForeignBackend::tested(Arc::new(Envoy));
    let trusted: Vec<_> = backend.trusted().iter().map(|one| one.as_str()).collect();
    Envoy.log(Level::Info, &format!("`verify_signature` serves {trusted:?}"));
    let mut worker = Worker::configure(&Envoy, &text, Box::new(backend))?;
    for algorithm in trusted {
        worker.metrics.count(&Envoy, "verify_signature", algorithm);
    }
    Envoy.tick_every(worker.tick_milliseconds())?;
    Ok(worker)
}

/// One stream of this plugin.
struct Filter(Stream);

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _num_headers: usize, end_of_stream: bool) -> Action {
        action(self.0.on_request_headers(&Envoy, end_of_stream))
    }

    fn on_http_request_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        action(self.0.on_request_body(&Envoy, body_size, end_of_stream))
    }

    fn on_http_request_trailers(&mut self, _num_trailers: usize) -> Action {
        action(self.0.on_request_trailers(&Envoy))
    }

    fn on_http_response_headers(&mut self, _num_headers: usize, end_of_stream: bool) -> Action {
        action(self.0.on_response_headers(&Envoy, end_of_stream))
    }

    fn on_http_response_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        action(self.0.on_response_body(&Envoy, body_size, end_of_stream))
    }

    fn on_http_response_trailers(&mut self, _num_trailers: usize) -> Action {
        action(self.0.on_response_trailers(&Envoy))
    }
}

const fn action(step: Step) -> Action {
    match step {
        Step::Continue => Action::Continue,
        Step::Pause => Action::Pause,
    }
}
