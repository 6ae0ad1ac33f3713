//! Connections: accepted, bounded in number, over TLS where it is configured, and ended in order.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use mandate_host::Sha256Digest;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::listener::{Listener, Stream};
use super::settings::LimitSettings;
use super::shared::Shared;
use crate::feed::ListenAddress;

/// Who is at the other end: from the connection, never from a header.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    /// The address; none on a Unix socket.
    pub(super) address: Option<String>,
    /// SHA-256 of the client certificate that was verified.
    pub(super) certificate: Option<[u8; 32]>,
}

/// Where connections come in.
#[derive(Debug)]
pub(super) struct Door {
    listener: Listener,
    address: ListenAddress,
    tls: Option<Acceptor>,
    places: Arc<Semaphore>,
    drain: Duration,
}

/// A TLS acceptor.
#[derive(Clone)]
struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Acceptor")
    }
}

/// From the first byte to the end of a head, and of a TLS handshake.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 64 * 1024;
/// Streams at once on one connection of HTTP/2.
const STREAMS: u32 = 128;

impl Door {
    /// Listens.
    ///
    /// # Errors
    /// One line that names the address.
    pub(super) async fn open(
        (place, listen): (&str, &ListenAddress),
        tls: Option<Arc<ServerConfig>>,
        limits: &LimitSettings,
    ) -> anyhow::Result<Self> {
        let (listener, address) =
            Listener::bind(listen).await.with_context(|| format!("`{place}.listen` {listen}"))?;
        Ok(Self {
            listener,
            address,
            tls: tls.map(|config| Acceptor(TlsAcceptor::from(config))),
            places: Arc::new(Semaphore::new(limits.connections)),
            drain: limits.drain_time(),
        })
    }

    /// As whoever asks it writes it.
    pub(super) fn url(&self) -> String {
        let url = self.address.url();
        match (&self.tls, url.strip_prefix("http://")) {
            (Some(_), Some(rest)) => format!("https://{rest}"),
            (None, _) | (Some(_), None) => url,
        }
    }

    /// Serves until `stop`; then accepts what has come, and waits for the answers, not for ever.
    pub(super) async fn serve(
        self,
        shared: &Arc<Shared>,
        router: Router,
        stop: impl Future<Output = ()>,
    ) {
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = self.listener.accept() => {
                    self.take(shared, &router, &graceful, accepted).await;
                }
            }
        }
        // Who was let in by the system before now was accepted.
        while let Ok(accepted) = timeout(Duration::ZERO, self.listener.accept()).await {
            self.take(shared, &router, &graceful, accepted).await;
        }
        let Self { listener, address, drain, .. } = self;
        drop(listener);
        if let ListenAddress::Unix(path) = address {
            let _ = std::fs::remove_file(path);
        }
        shared.stop_waiting();
        if timeout(drain, graceful.shutdown()).await.is_err() {
            shared.journal.event("drain", &[("message", "connections were cut off")]);
        }
    }

    async fn take(
        &self,
        shared: &Arc<Shared>,
        router: &Router,
        graceful: &GracefulShutdown,
        accepted: std::io::Result<(Stream, Option<SocketAddr>)>,
    ) {
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                shared.journal.event("accept", &[("error", &error.to_string())]);
                // Out of descriptors, as a rule: more speed makes it no better.
                tokio::time::sleep(Duration::from_millis(10)).await;
                return;
            }
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let peer =
            Peer { address: address.map(|address| address.ip().to_string()), ..Peer::default() };
        let conversation =
            Conversation { router: router.clone(), watcher: graceful.watcher(), place };
        tokio::spawn(conversation.begin(stream, peer, self.tls.clone()));
    }
}

/// One connection that was accepted.
struct Conversation {
    router: Router,
    watcher: Watcher,
    place: OwnedSemaphorePermit,
}

impl Conversation {
    async fn begin(self, stream: Stream, mut peer: Peer, tls: Option<Acceptor>) {
        let Some(Acceptor(tls)) = tls else { return self.talk(stream, peer).await };
        // A handshake that fails is the client's to notice.
        let Ok(Ok(stream)) = timeout(HEAD, tls.accept(stream)).await else { return };
        let certificates = stream.get_ref().1.peer_certificates();
        let certificate = certificates.and_then(|chain| chain.first());
        peer.certificate =
            certificate.map(|certificate| *Sha256Digest::of(certificate.as_ref()).as_bytes());
        self.talk(stream, peer).await;
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, peer: Peer) {
        let Self { router, watcher, place } = self;
        let router = TowerToHyperService::new(router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            router.call(request)
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .keep_alive_interval(Duration::from_secs(30))
            .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        // What breaks off is the client's to notice.
        let _ = watcher.watch(connection.into_owned()).await;
        drop(place);
    }
}
