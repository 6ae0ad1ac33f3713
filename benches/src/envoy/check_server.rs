//! An `ext_authz` server over gRPC that does nothing: it says yes to everything.
//!
//! HTTP/2 as far as Envoy's client needs it to be answered: what is asked is not read, so that neither
//! its compression nor its windows matter but for the credit that is given back.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};

/// Answers one connection.
///
/// # Errors
/// When it ends, or is not understood.
pub fn converse(connection: TcpStream, seen: &AtomicUsize) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut writer = connection.try_clone()?;
    let mut reader = BufReader::with_capacity(64 * 1024, connection);
    let mut preface = [0; PREFACE.len()];
    reader.read_exact(&mut preface)?;
    ensure!(preface == *PREFACE, "no HTTP/2");
    // Envoy may send as much as it likes: a window is never what is measured.
    let initial_window = [&4_u16.to_be_bytes()[..], &LARGE.to_be_bytes()].concat();
    let mut out = frame(SETTINGS, 0, 0, &initial_window)?;
    out.extend(frame(WINDOW_UPDATE, 0, 0, &CREDIT.to_be_bytes())?);
    let mut credit: u32 = 0;
    loop {
        // What has come together is answered together.
        if reader.buffer().is_empty() && !out.is_empty() {
            writer.write_all(&out)?;
            out.clear();
        }
        let mut head = [0; 9];
        reader.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let mut payload = vec![0; usize::try_from(length)?];
        reader.read_exact(&mut payload)?;
        match kind {
            SETTINGS if flags & ACKNOWLEDGED == 0 => {
                out.extend(frame(SETTINGS, ACKNOWLEDGED, 0, b"")?);
            }
            PING if flags & ACKNOWLEDGED == 0 => {
                out.extend(frame(PING, ACKNOWLEDGED, 0, &payload)?);
            }
            DATA | HEADERS => {
                credit = credit.saturating_add(if kind == DATA { length } else { 0 });
                if credit > CREDIT / 2 {
                    out.extend(frame(WINDOW_UPDATE, 0, 0, &credit.to_be_bytes())?);
                    credit = 0;
                }
                if flags & END_STREAM != 0 {
                    seen.fetch_add(1, Ordering::SeqCst);
                    out.extend(allowed(u32::from_be_bytes(stream))?);
                }
            }
            _ => {}
        }
    }
}

/// `CheckResponse { status: {} }`: code 0, which allows.
fn allowed(stream: u32) -> Result<Vec<u8>> {
    let message = [0, 0, 0, 0, 2, 0x0a, 0x00];
    let parts = [
        frame(HEADERS, END_HEADERS, stream, &answer_fields()?)?,
        frame(DATA, 0, stream, &message)?,
        frame(HEADERS, END_HEADERS | END_STREAM, stream, &literal("grpc-status", "0")?)?,
    ];
    Ok(parts.concat())
}

/// RFC 7541: `:status: 200` is number 8 of the static table.
fn answer_fields() -> Result<Vec<u8>> {
    Ok([vec![0x88], literal("content-type", "application/grpc")?].concat())
}

/// RFC 7541 section 6.2.2: a literal field with a new name, not indexed.
fn literal(name: &str, value: &str) -> Result<Vec<u8>> {
    let text = |text: &str| -> Result<Vec<u8>> {
        let length = u8::try_from(text.len())?;
        ensure!(length < 127, "one byte of length");
        Ok([&[length], text.as_bytes()].concat())
    };
    Ok([vec![0], text(name)?, text(value)?].concat())
}

/// RFC 9113 section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<Vec<u8>> {
    let [_, length @ ..] = u32::try_from(payload.len())?.to_be_bytes();
    Ok([&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat())
}

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const ACKNOWLEDGED: u8 = 1;
const END_HEADERS: u8 = 4;
const LARGE: u32 = 1 << 20;
const CREDIT: u32 = 1 << 30;
