//! One call of gRPC: a message of attributes, and the answer to it.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;

use super::message::{AttributeContext, CheckRequest, CheckResponse};
use crate::server::answer::Answer;
use crate::server::body;

/// The attributes that Envoy sends.
pub(crate) async fn read(request: Request) -> Result<AttributeContext, GrpcStatus> {
    let (parts, stream) = request.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !matches!(content_type, Some(b"application/grpc" | b"application/grpc+proto")) {
        return Err(GrpcStatus::InvalidArgument);
    }
    let bytes = body::read(stream, MESSAGE_BYTES).await;
    let bytes = bytes.map_err(|_| GrpcStatus::ResourceExhausted)?;
    let message = CheckRequest::decode(unframed(&bytes)?);
    let message = message.map_err(|_| GrpcStatus::InvalidArgument)?;
    message.attributes.ok_or(GrpcStatus::InvalidArgument)
}

/// The response, or why there is none.
pub(crate) fn answer(response: Result<CheckResponse, GrpcStatus>) -> Answer {
    match response {
        Ok(response) => {
            let framed = [&[0], &length(&response)[..], &response.encode_to_vec()].concat();
            let body = Full::new(Bytes::from(framed));
            let trailers = HeaderMap::from_iter([GrpcStatus::Ok.field()]);
            grpc(Body::new(body.with_trailers(async { Some(Ok(trailers)) })))
        }
        Err(status) => failed(status),
    }
}

/// The codes of gRPC that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrpcStatus {
    Ok,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    Unimplemented,
    Unavailable,
}

impl GrpcStatus {
    const fn code(self) -> &'static str {
        match self {
            Self::Ok => "0",
            Self::InvalidArgument => "3",
            Self::PermissionDenied => "7",
            Self::ResourceExhausted => "8",
            Self::Unimplemented => "12",
            Self::Unavailable => "14",
        }
    }

    fn field(self) -> (axum::http::HeaderName, HeaderValue) {
        let name = axum::http::HeaderName::from_static("grpc-status");
        (name, HeaderValue::from_static(self.code()))
    }
}

/// One message, not compressed: a byte 0, its length in 4 bytes, and it.
fn unframed(bytes: &[u8]) -> Result<&[u8], GrpcStatus> {
    let (prefix, message) = bytes.split_first_chunk::<5>().ok_or(GrpcStatus::InvalidArgument)?;
    let [compressed, length @ ..] = *prefix;
    if compressed != 0 {
        return Err(GrpcStatus::Unimplemented);
    }
    let whole = u32::try_from(message.len()) == Ok(u32::from_be_bytes(length));
    if whole { Ok(message) } else { Err(GrpcStatus::InvalidArgument) }
}

/// Longer than what can be said in 4 bytes is none that is made here.
fn length(response: &CheckResponse) -> [u8; 4] {
    u32::try_from(response.encoded_len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// Only a status, which stands among the headers.
fn failed(status: GrpcStatus) -> Answer {
    let mut answer = grpc(Body::empty());
    answer.headers_mut().extend([status.field()]);
    answer
}

fn grpc(body: Body) -> Answer {
    let mut answer = Response::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    answer
}

/// A body of 1 MiB, the most that a route takes, and a head.
const MESSAGE_BYTES: usize = 1024 * 1024 + 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_whole_message_that_is_not_compressed() {
        assert_eq!(unframed(&[0, 0, 0, 0, 2, 8, 1]), Ok(&[8, 1][..]));
        assert_eq!(unframed(&[0, 0, 0, 0, 0]), Ok(&[][..]));
        assert_eq!(unframed(&[1, 0, 0, 0, 1, 8]), Err(GrpcStatus::Unimplemented));
        for wrong in [&[][..], &[0, 0, 0, 0], &[0, 0, 0, 0, 2, 8], &[0, 0, 0, 0, 1, 8, 1]] {
            assert_eq!(unframed(wrong), Err(GrpcStatus::InvalidArgument), "{wrong:?}");
        }
    }
}
