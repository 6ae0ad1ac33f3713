//! How a server is told to stop.

use std::io::{self, Read as _};
use std::sync::mpsc::Sender;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Sends once SIGINT or SIGTERM comes.
pub(crate) fn stop_on_signal(stop: Sender<()>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = stop.send(());
        }
    });
    Ok(())
}

/// Sends once standard input ends, so that a server ends with whatever started it.
pub(crate) fn stop_on_end_of_input(stop: Sender<()>) {
    std::thread::spawn(move || {
        let mut sink = [0; 256];
        let mut input = io::stdin();
        while input.read(&mut sink).is_ok_and(|length| length > 0) {}
        let _ = stop.send(());
    });
}
