//! Memory under load for a while. `MANDATE_SERVER_SOAK_SECONDS` says how long: `cargo xtask campaign
//! server-soak`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::load::{Protocol, Question, drive, post, read_log_of};
use crate::processor::resident;
use crate::world::{World, gateway};

#[test]
fn memory_stands_still() {
    let seconds = std::env::var("MANDATE_SERVER_SOAK_SECONDS").ok();
    let seconds = seconds.map_or(6, |text| text.parse::<u64>().unwrap());
    let mut world = World::start("soak", &json!({}));
    read_log_of(&mut world);
    let address = world.address.strip_prefix("http://").unwrap().to_owned();
    let over = AtomicBool::new(false);
    let (resident, answered) = std::thread::scope(|scope| {
        let load = || {
            let mut answered = 0;
            while !over.load(Ordering::Relaxed) {
                for (board, expected) in [("roadmap", "true"), ("plan", "false")] {
                    let body = json!({ "subject": { "type": "user", "id": "anne" },
                        "action": { "name": "view" }, "resource": { "type": "board", "id": board } });
                    // A new token each time: none lives as long as the soak.
                    let path = "/access/v1/evaluation";
                    let bytes = post(&address, path, Some(&gateway()), &body.to_string());
                    let expected = format!(r#""decision":{expected}"#).into_bytes();
                    let (address, protocol) = (address.clone(), Protocol::Http);
                    let question = Question { address, bytes, protocol, expected };
                    answered += drive(&question, 1, 20).len();
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            answered
        };
        let clients = [(); 2].map(|()| scope.spawn(load));
        let (begun, mut samples) = (Instant::now(), Vec::new());
        while begun.elapsed() < Duration::from_secs(seconds) {
            std::thread::sleep(EVERY.min(Duration::from_secs(seconds) / 3));
            samples.push(resident(world.process.id()));
        }
        over.store(true, Ordering::Relaxed);
        (samples, clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>())
    });
    let minutes = resident.chunks(PER_MINUTE).map(|minute| minute.iter().max().unwrap() / 1024);
    let minutes: Vec<u64> = minutes.collect();
    eprintln!("{answered} answers; resident, most of each minute, MiB: {minutes:?}");
    assert!(answered > 0);
    // It can be said of a long run only: the last minute takes hardly more than the second.
    if let [_, second, .., last] = minutes[..] {
        assert!(last <= second + second / 20, "{minutes:?}");
    }
}

const EVERY: Duration = Duration::from_secs(10);
const PER_MINUTE: usize = 6;
