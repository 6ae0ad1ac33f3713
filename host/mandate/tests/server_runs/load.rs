//! Requests on connections that are kept, each with one at a time: over HTTP/1.1, and calls of gRPC.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::world::World;

/// Something that is asked, and how its answers are checked.
#[derive(Clone)]
pub(crate) struct Question {
    /// `ADDRESS:PORT`.
    pub(crate) address: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) protocol: Protocol,
    /// What each answer holds.
    pub(crate) expected: Vec<u8>,
}

#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Http,
    /// `bytes` is the message of a call of `ext_authz`.
    Grpc,
}

/// Asks so often over so many connections; how long each answer took.
pub(crate) fn drive(question: &Question, connections: usize, each: usize) -> Vec<Duration> {
    std::thread::scope(|scope| {
        let one = || {
            let mut connection = Connection::open(question);
            let timed = |_| {
                let begun = Instant::now();
                let answer = connection.ask(question);
                let took = begun.elapsed();
                let expected = &question.expected;
                let good = answer.windows(expected.len()).any(|part| part == expected);
                assert!(good, "{}", String::from_utf8_lossy(&answer));
                took
            };
            (0..each).map(timed).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

struct Connection {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    /// The next stream of HTTP/2.
    stream: u32,
}

impl Connection {
    fn open(question: &Question) -> Self {
        let mut writer = TcpStream::connect(&question.address).unwrap();
        writer.set_nodelay(true).unwrap();
        writer.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let reader = BufReader::new(writer.try_clone().unwrap());
        if let Protocol::Grpc = question.protocol {
            let credit = frame(WINDOW_UPDATE, 0, 0, &0x3fff_ffff_u32.to_be_bytes());
            let begin = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &credit].concat();
            writer.write_all(&begin).unwrap();
        }
        Self { reader, writer, stream: 1 }
    }

    fn ask(&mut self, question: &Question) -> Vec<u8> {
        match question.protocol {
            Protocol::Http => {
                self.writer.write_all(&question.bytes).unwrap();
                self.http()
            }
            Protocol::Grpc => self.call(&question.address, &question.bytes),
        }
    }

    /// The head, and a body of the length that it states.
    fn http(&mut self) -> Vec<u8> {
        let (mut answer, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            assert!(self.reader.read_line(&mut line).unwrap() > 0, "the connection ended");
            answer.extend_from_slice(line.as_bytes());
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        answer.extend(body);
        answer
    }

    /// One call on a stream of its own (RFC 9113); the payloads of its frames.
    fn call(&mut self, address: &str, message: &[u8]) -> Vec<u8> {
        let stream = self.stream;
        self.stream += 2;
        let fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/envoy.service.auth.v3.Authorization/Check"),
            (":authority", address),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ];
        // Literals that are not indexed (RFC 7541 section 6.2.2), each shorter than 127 bytes.
        let literal = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        let block: Vec<u8> = fields
            .iter()
            .flat_map(|(name, value)| [vec![0], literal(name), literal(value)].concat())
            .collect();
        let prefixed = [&[0], &(message.len() as u32).to_be_bytes()[..], message].concat();
        let whole = [
            frame(HEADERS, END_HEADERS, stream, &block),
            frame(DATA, END_STREAM, stream, &prefixed),
        ];
        self.writer.write_all(&whole.concat()).unwrap();
        let mut answer = Vec::new();
        loop {
            let mut head = [0; 9];
            self.reader.read_exact(&mut head).unwrap();
            let [a, b, c, kind, flags, of @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.reader.read_exact(&mut payload).unwrap();
            match kind {
                SETTINGS | PING if flags & ACKNOWLEDGED == 0 => {
                    let back = if kind == PING { payload } else { Vec::new() };
                    self.writer.write_all(&frame(kind, ACKNOWLEDGED, 0, &back)).unwrap();
                }
                DATA | HEADERS if u32::from_be_bytes(of) == stream => {
                    answer.extend(payload);
                    if flags & END_STREAM != 0 {
                        return answer;
                    }
                }
                RESET | GO_AWAY => panic!("the call was broken off: {payload:?}"),
                _ => {}
            }
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACKNOWLEDGED: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Reads the log of a server away: it would stand still when nobody does.
pub(crate) fn read_log_of(world: &mut World) {
    let mut log = world.process.stderr.take().unwrap();
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
}

/// A request with a body of JSON.
pub(crate) fn post(address: &str, path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{token}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A `CheckRequest` of Envoy: its route, the method, the path and the fields.
pub(crate) fn check_request(route: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |number: u32, text: &str| field(number, text.as_bytes());
    let fields = fields
        .iter()
        .flat_map(|(name, value)| field(1, &[text(1, name), field(3, value.as_bytes())].concat()));
    let fields: Vec<u8> = fields.collect();
    let http = [text(2, "GET"), text(4, path), field(13, &fields)].concat();
    let extension = [text(1, "mandate_route"), text(2, route)].concat();
    field(1, &[field(4, &field(2, &http)), field(10, &extension)].concat())
}

/// A field of bytes of Protocol Buffers.
fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    [varint((number << 3) | 2), varint(bytes.len() as u32), bytes.to_vec()].concat()
}

fn varint(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push((value & 127) as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
