//! The figures of `ratios`, one by one, with criterion's statistics and its comparison with the
//! run before.

use std::time::Duration;

use anyhow::Result;
use criterion::{BenchmarkId, Criterion};
use mandate_benches::doors::{Component, Door, Native, patient, patient_and_fresh};
use mandate_benches::guests;
use mandate_benches::issuer::{Issuer, NOW};
use mandate_host::{Plugin, PluginOptions, Sha256Digest};

fn main() -> Result<()> {
    // The figures for a program are those of `ratios` alone.
    if std::env::args().any(|argument| argument == "--json") {
        return Ok(());
    }
    let mut criterion = Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let (bytes, issuer) = (guests::plugin()?, Issuer::new()?);
    let plugin = Plugin::from_bytes(&bytes, &Sha256Digest::of(&bytes), &PluginOptions::default())?;
    validate(&mut criterion, &plugin, &issuer)?;
    load(&mut criterion, &bytes)?;
    criterion.final_summary();
    Ok(())
}

fn validate(criterion: &mut Criterion, plugin: &Plugin, issuer: &Issuer) -> Result<()> {
    let trust = &issuer.trust;
    let mut doors: [(&str, Box<dyn Door>); 3] = [
        ("native", Box::new(Native::new(trust)?)),
        ("component", Box::new(Component::new(plugin, patient(), trust)?)),
        ("component, fresh", Box::new(Component::new(plugin, patient_and_fresh(), trust)?)),
    ];
    // Further apart than a token is remembered, or at one moment.
    for (what, step) in [("verified", 400), ("remembered", 0)] {
        let mut group = criterion.benchmark_group(format!("validate, {what}"));
        for (algorithm, token) in &issuer.tokens {
            for (name, door) in &mut doors {
                let mut moments = [NOW, NOW.saturating_add(step)].into_iter().cycle();
                group.bench_function(BenchmarkId::new(*name, algorithm), |bencher| {
                    bencher.iter(|| moments.next().is_some_and(|now| door.allows(token, now)));
                });
            }
        }
        group.finish();
    }
    Ok(())
}

fn load(criterion: &mut Criterion, bytes: &[u8]) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("mandate-criterion-{}", std::process::id()));
    let digest = Sha256Digest::of(bytes);
    let cached =
        PluginOptions { cache_directory: Some(folder.clone()), ..PluginOptions::default() };
    Plugin::from_bytes(bytes, &digest, &cached)?;
    criterion.bench_function("load the plugin from the cache of compiled code", |bencher| {
        bencher.iter(|| Plugin::from_bytes(bytes, &digest, &cached));
    });
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
