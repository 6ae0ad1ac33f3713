//! Fuel: how much work the plugin does for each class of fixture.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{fixture::FixtureKind, fixture_set::Concrete, implementation::Implementation};

/// Fuel of one class of fixtures: instructions, the same on every machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClassFuel {
    /// How many fixtures were counted.
    pub fixtures: u64,
    /// All of them together.
    pub total: u64,
    /// The dearest one.
    pub dearest: String,
    /// Its fuel.
    pub most: u64,
}

/// Asks every token fixture once and adds up the fuel of its validation.
///
/// Fixtures whose trust must not load are left out: nothing is validated.
///
/// # Errors
/// When an answer is missing, or the implementation counts no fuel.
pub fn measure(
    implementation: &mut dyn Implementation,
    fixtures: &[Concrete],
) -> Result<BTreeMap<String, ClassFuel>> {
    let mut classes: BTreeMap<String, ClassFuel> = BTreeMap::new();
    for Concrete { fixture, request } in fixtures {
        if fixture.kind == FixtureKind::Load {
            continue;
        }
        let id = &fixture.id;
        let answer = implementation.answer(request).with_context(|| id.clone())?;
        if answer.get("skip").is_some() {
            continue;
        }
        ensure!(answer.get("verdict").is_some(), "{id}: no verdict");
        let fuel = implementation.fuel_used().with_context(|| format!("{id}: no fuel"))?;
        let class = classes.entry(fixture.class().to_owned()).or_default();
        class.fixtures = class.fixtures.saturating_add(1);
        class.total = class.total.saturating_add(fuel);
        if fuel > class.most {
            class.most = fuel;
            class.dearest.clone_from(id);
        }
    }
    Ok(classes)
}
