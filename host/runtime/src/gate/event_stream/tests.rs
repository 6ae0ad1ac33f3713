//! Against a plugin that passes whole events on and leaves the rest, as the real one does.

use super::*;

/// Where the last whole event ends. A return at the end may be half of a line's end.
fn whole(bytes: &[u8], last: bool) -> usize {
    let (mut at, mut line, mut whole) = (0, 0, 0);
    while at < bytes.len() {
        let end = match (bytes[at], bytes.get(at + 1)) {
            (b'\n', _) => 1,
            (b'\r', Some(b'\n')) => 2,
            (b'\r', None) if !last => break,
            (b'\r', _) => 1,
            _ => 0,
        };
        let empty = end > 0 && at == line;
        at += end.max(1);
        line = if end > 0 { at } else { line };
        whole = if empty { at } else { whole };
    }
    if last { bytes.len() } else { whole }
}

fn plugin(held: &[u8], chunk: &[u8], last: bool) -> StreamPiece {
    let bytes = [held, chunk].concat();
    let (out, held) = bytes.split_at(whole(&bytes, last));
    StreamPiece { out: out.to_vec(), held: held.to_vec() }
}

/// What goes on with each chunk, and how many bytes the plugin was given.
fn gathered(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, usize) {
    let (mut stream, mut given) = (EventStream::default(), 0);
    let pushed = chunks.iter().enumerate().map(|(at, chunk)| {
        let last = at + 1 == chunks.len();
        let ask = |held: &[u8], chunk: &[u8]| {
            given += held.len() + chunk.len();
            Ok(plugin(held, chunk, last))
        };
        stream.push_to(chunk, last, ask).unwrap()
    });
    (pushed.collect(), given)
}

// A plugin that was asked for every byte of a megabyte read half a billion of them.
#[test]
fn a_plugin_sees_no_byte_more_than_twice_however_they_come() {
    let line = b"data: 0123456789\n".repeat(1000);
    let events = [line.as_slice(), b"\r\ndata: x\r\n\r\n", &line, b"\n\n", &line].concat();
    let bytes: Vec<&[u8]> = events.chunks(1).collect();
    let (out, given) = gathered(&bytes);
    assert_eq!(out.concat(), events);
    assert!(given <= 2 * events.len(), "{given} for {}", events.len());
}

#[test]
fn nothing_goes_on_later_than_if_every_chunk_were_asked_for() {
    const ALPHABET: [u8; 3] = [b'a', b'\n', b'\r'];
    for number in 0..3_usize.pow(8) {
        let letters = (0..8).map(|digit| ALPHABET[number / 3_usize.pow(digit) % 3]);
        let text: Vec<u8> = letters.collect();
        for size in [1, 2, 3] {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            let (mut held, mut asked) = (Vec::new(), Vec::new());
            for (at, chunk) in chunks.iter().enumerate() {
                let piece = plugin(&held, chunk, at + 1 == chunks.len());
                held = piece.held;
                asked.push(piece.out);
            }
            assert_eq!(gathered(&chunks).0, asked, "{text:?} by {size}");
        }
    }
}

#[test]
fn an_event_that_is_longer_than_the_limit_reaches_the_plugin_which_refuses_it() {
    let mut stream = EventStream::default();
    let quiet = |_: &[u8], _: &[u8]| -> Result<StreamPiece, String> { panic!("asked too early") };
    assert_eq!(stream.push_to(&[b'a'; EVENT_BYTES], false, quiet), Ok(Vec::new()));
    let refuse = |held: &[u8], chunk: &[u8]| {
        assert_eq!((held.len(), chunk.len()), (0, EVENT_BYTES + 1));
        Err("too long".to_owned())
    };
    assert_eq!(stream.push_to(b"a", false, refuse), Err("too long".to_owned()));
}
