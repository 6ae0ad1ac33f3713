//! The bench of the Envoy filter in its short form: everybody answers as they should.

use mandate_benches::envoy::contestant::ALL;
use mandate_benches::envoy::deployment::Size;
use mandate_benches::envoy::programs::Programs;
use mandate_benches::envoy::run::{Plan, run};

#[path = "../../tests/src/skip.rs"]
pub mod skip;

#[test]
fn every_contestant_of_the_envoy_bench_lets_pass_and_refuses_what_it_should() {
    let programs = match Programs::find() {
        Ok(programs) => programs,
        Err(reason) => return skip::skip("the bench of the Envoy filter", &reason.to_string()),
    };
    let measured = run(&Plan::trial(), &programs, &ALL).unwrap();
    let names = |small: bool| {
        let all = ALL.iter().filter(move |one| !small || one.size == Size::THOUSAND);
        all.map(|one| one.name).collect::<Vec<_>>()
    };
    let took: Vec<_> = measured.rows.iter().map(|row| row.contestant.name).collect();
    assert_eq!(took, names(true));
    assert!(took.len() < names(false).len());
    for row in &measured.rows {
        assert!(row.rounds.len() == 1 && row.least() > 0.0, "{row:?}");
    }
}
