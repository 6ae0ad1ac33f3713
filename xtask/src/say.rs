//! Lines for the person at the terminal.

/// Writes one line to standard error, where it does not mix with a command's output.
#[macro_export]
macro_rules! say {
    ($($part:tt)*) => {
        $crate::say::line(format_args!($($part)*))
    };
}

/// Writes one line to standard error; a closed terminal is no reason to stop.
pub(crate) fn line(text: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
