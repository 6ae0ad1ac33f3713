//! From a core module to a component by library call, and the proof that neither imports anything.

use anyhow::{Context as _, bail, ensure};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, DecodedWasm};

use super::Guest;
use crate::checkout::Checkout;

/// The files of a guest: name and bytes. A component brings its core module along.
///
/// # Errors
/// When a module or world has an import, lacks an export, or holds the builder's paths.
pub(crate) fn finish(
    guest: &Guest,
    core: &[u8],
    checkout: &Checkout,
) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let package = guest.package;
    let module = Module::read(core).with_context(|| package.to_owned())?;
    let unknown = |name: &&String| guest.imports.is_none_or(|known| !name.starts_with(known));
    let unknown: Vec<_> = module.imports.iter().filter(unknown).collect();
    ensure!(unknown.is_empty(), "{package}: the core module imports {unknown:?}");
    for export in guest.exports {
        let present = module.exports.iter().any(|name| name == export);
        ensure!(present, "{package}: the core module does not export `{export}`");
    }
    for folder in checkout.private_folders() {
        let named = contains(core, folder.as_bytes());
        ensure!(!named, "{package}: the core module names the builder's folder `{folder}`");
    }
    if !module.has_world {
        ensure!(!guest.is_component, "{package}: the core module holds no component type");
        return Ok(vec![(format!("{package}.wasm"), core.to_vec())]);
    }
    let component = ComponentEncoder::default().validate(true).module(core)?.encode()?;
    check_world(&component).with_context(|| package.to_owned())?;
    Ok(vec![
        (format!("{package}.core.wasm"), core.to_vec()),
        (format!("{package}.wasm"), component),
    ])
}

/// The parts of a core module that matter here.
#[derive(Debug, Default)]
struct Module {
    imports: Vec<String>,
    exports: Vec<String>,
    has_world: bool,
}

impl Module {
    fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let Payload::ImportSection(section) = payload {
                for import in section.into_imports() {
                    let import = import?;
                    module.imports.push(format!("{}.{}", import.module, import.name));
                }
            } else if let Payload::ExportSection(section) = payload {
                for export in section {
                    module.exports.push(export?.name.to_owned());
                }
            } else if let Payload::CustomSection(section) = payload {
                module.has_world |= section.name().starts_with("component-type");
            }
        }
        Ok(module)
    }
}

/// Reads the component back: its world must export something and import nothing.
fn check_world(component: &[u8]) -> anyhow::Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("what was encoded is no component");
    };
    let world = resolve.worlds.get(world).context("the component has no world")?;
    let imports: Vec<_> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    ensure!(imports.is_empty(), "the component imports {imports:?}");
    ensure!(!world.exports.is_empty(), "the component exports nothing");
    Ok(())
}

/// Whether the bytes hold this text anywhere.
fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(is_component: bool) -> Guest {
        Guest { package: "guest", is_component, imports: None, exports: &["run"] }
    }

    /// A module in the binary format: one function type, then the given sections.
    fn module(sections: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
        bytes.extend(sections.concat());
        bytes
    }

    const IMPORT: &[u8] = b"\x02\x09\x01\x03env\x01f\0\0";
    const FUNCTION: &[u8] = b"\x03\x02\x01\0";
    const EXPORT: &[u8] = b"\x07\x07\x01\x03run\0\0";
    const CODE: &[u8] = b"\x0a\x04\x01\x02\0\x0b";

    fn checkout() -> Checkout {
        Checkout::at("/somewhere/else", "/somewhere/tools")
    }

    #[test]
    fn a_module_without_imports_is_finished_as_it_is() {
        let core = module(&[FUNCTION, EXPORT, CODE]);
        let files = finish(&guest(false), &core, &checkout()).expect("finished");
        assert_eq!(files, [("guest.wasm".to_owned(), core)]);
    }

    #[test]
    fn a_module_with_an_import_is_refused_by_name() {
        let error = finish(&guest(false), &module(&[IMPORT, EXPORT]), &checkout());
        let message = error.expect_err("refused").to_string();
        assert_eq!(message, r#"guest: the core module imports ["env.f"]"#);
    }

    #[test]
    fn a_module_imports_what_begins_as_stated_and_nothing_else() {
        let core = module(&[IMPORT, FUNCTION, EXPORT, CODE]);
        let stating = |imports| Guest { imports: Some(imports), ..guest(false) };
        let files = finish(&stating("env.f"), &core, &checkout()).expect("finished");
        assert_eq!(files, [("guest.wasm".to_owned(), core.clone())]);
        let error = finish(&stating("env.proxy_"), &core, &checkout()).expect_err("refused");
        assert_eq!(error.to_string(), r#"guest: the core module imports ["env.f"]"#);
    }

    #[test]
    fn a_module_that_lacks_an_export_is_refused() {
        let error = finish(&guest(false), &module(&[]), &checkout()).expect_err("refused");
        assert_eq!(error.to_string(), "guest: the core module does not export `run`");
    }

    #[test]
    fn a_component_without_a_component_type_is_refused() {
        let core = module(&[FUNCTION, EXPORT, CODE]);
        let error = finish(&guest(true), &core, &checkout()).expect_err("refused");
        assert_eq!(error.to_string(), "guest: the core module holds no component type");
    }

    #[test]
    fn a_module_that_names_the_builders_folder_is_refused() {
        let note: &[u8] = b"\0\x16\x01n/somewhere/else/a.rs";
        let core = module(&[FUNCTION, EXPORT, CODE, note]);
        let error = finish(&guest(false), &core, &checkout()).expect_err("refused");
        let expected = "guest: the core module names the builder's folder `/somewhere/else/`";
        assert_eq!(error.to_string(), expected);
    }
}
