//! A request over HTTP/1.1, byte for byte as the case says.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;

use super::client::Answered;
use super::message;
use super::question::WireRequest;

/// Sends a request and reads the answer.
pub(super) fn ask(connection: &TcpStream, request: &WireRequest, host: &str) -> Answered {
    let mut writer = connection;
    // Whoever is refused early may find the connection closed before all was sent.
    let _ = writer.write_all(&bytes(request, host));
    let mut reader = BufReader::new(connection);
    let Some(head) = message::response_head(&mut reader) else { return Answered::default() };
    let empty = request.method == b"HEAD" || head.status == 204 || head.status < 200;
    let content = match empty {
        true => message::Content::default(),
        false => message::content(&mut reader, &head.fields, true),
    };
    Answered {
        status: Some(head.status),
        fields: head.fields,
        body: content.body,
        broken: content.broken,
    }
}

/// Where a body is, its length is stated; trailers need chunks.
fn bytes(request: &WireRequest, host: &str) -> Vec<u8> {
    let WireRequest { method, target, fields, body, trailers } = request;
    let mut bytes = [method, &b" "[..], target, b" HTTP/1.1\r\nhost: "].concat();
    bytes.extend_from_slice(host.as_bytes());
    bytes.extend_from_slice(b"\r\n");
    let field = |bytes: &mut Vec<u8>, name: &[u8], value: &[u8]| {
        bytes.extend([name, b": ", value, b"\r\n"].concat());
    };
    for (name, value) in fields {
        field(&mut bytes, name, value);
    }
    match (body, trailers.as_slice()) {
        (None, []) => bytes.extend_from_slice(b"\r\n"),
        (Some(body), []) => {
            field(&mut bytes, b"content-length", body.len().to_string().as_bytes());
            bytes.extend_from_slice(b"\r\n");
            bytes.extend(body);
        }
        (body, trailers) => {
            field(&mut bytes, b"transfer-encoding", b"chunked");
            bytes.extend_from_slice(b"\r\n");
            if let Some(body) = body.as_ref().filter(|body| !body.is_empty()) {
                bytes.extend(message::chunk(body));
            }
            bytes.extend_from_slice(b"0\r\n");
            for (name, value) in trailers {
                field(&mut bytes, name, value);
            }
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{WireRequest, bytes};

    #[test]
    fn a_request_is_written_as_it_is_and_trailers_need_chunks() {
        let mut request = WireRequest {
            method: b"GE T".to_vec(),
            target: b"/\xff".to_vec(),
            fields: vec![(b"X-A".to_vec(), b"\xfe".to_vec())],
            body: Some(b"ab".to_vec()),
            trailers: Vec::new(),
        };
        let head = b"GE T /\xff HTTP/1.1\r\nhost: h\r\nX-A: \xfe\r\n";
        let plain = [&head[..], b"content-length: 2\r\n\r\nab"].concat();
        assert_eq!(bytes(&request, "h"), plain);
        request.trailers = vec![(b"t".to_vec(), b"1".to_vec())];
        let chunked =
            [&head[..], b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nt: 1\r\n\r\n"];
        assert_eq!(bytes(&request, "h"), chunked.concat());
    }
}
