//! What a process has used, by Linux's own account.

use std::fs;

/// Processor time in seconds, of all its threads.
pub(crate) fn seconds(process: u32) -> f64 {
    ticks(&format!("/proc/{process}/stat"))
}

/// Processor time in seconds of its threads of a name, which have not ended.
pub(crate) fn seconds_of(process: u32, name: &str) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let tasks = tasks.map(|task| task.unwrap().path().display().to_string());
    let named = |task: &String| {
        fs::read_to_string(format!("{task}/comm")).is_ok_and(|found| found.trim_end() == name)
    };
    tasks.filter(named).map(|task| ticks(&format!("{task}/stat"))).sum()
}

/// Memory that is resident, in KiB.
pub(crate) fn resident(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Fields 14 and 15 of proc(5): user and system time, in hundredths of a second.
fn ticks(path: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap();
    // The name of the program, in parentheses, may hold anything.
    let (_, fields) = text.rsplit_once(')').unwrap();
    let field = |at: usize| fields.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    (field(11) + field(12)) / 100.0
}
