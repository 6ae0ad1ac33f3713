use std::fs;

use super::*;
use crate::description::ContractVersion;
use crate::fixture::{self, PLUGIN, TemporaryDirectory, WORLD, component, load};

fn refusal(bytes: &[u8]) -> String {
    load(bytes, &PluginOptions::default()).unwrap_err().to_string()
}

#[test]
fn a_plugin_is_asked_what_it_is() {
    let plugin = fixture::plugin();
    let version = ContractVersion { major: 1, minor: 0, patch: 0 };
    assert_eq!((plugin.describe().contract_version, plugin.describe().abi_version), (version, 1));
    assert_eq!(*plugin.digest(), Sha256Digest::of(&fixture::plugin_bytes()));
    assert_eq!(*plugin.origin(), Origin::Compiled);
}

#[test]
fn another_digest_is_refused_before_anything_else() {
    let expected = Sha256Digest::of(b"another");
    let error = Plugin::from_bytes(b"no wasm", &expected, &PluginOptions::default()).unwrap_err();
    let actual = Sha256Digest::of(b"no wasm");
    assert_eq!(error.to_string(), format!("plugin digest is {actual}, expected {expected}"));
}

#[test]
fn a_plugin_is_read_from_a_file() {
    let directory = TemporaryDirectory::new();
    let (path, bytes) = (directory.join("plugin.wasm"), fixture::plugin_bytes());
    fs::write(&path, &bytes).unwrap();
    let options = PluginOptions::default();
    let plugin = Plugin::from_file(&path, &Sha256Digest::of(&bytes), &options).unwrap();
    assert_eq!(plugin.describe().abi_version, 1);

    let missing = directory.join("missing.wasm");
    let error = Plugin::from_file(&missing, &Sha256Digest::of(&bytes), &options).unwrap_err();
    assert!(matches!(&error, PluginError::Read { path, .. } if *path == missing), "{error}");
}

#[test]
fn a_plugin_with_imports_is_refused() {
    let bytes = wat::parse_str(r#"(component (import "clock" (func (result u64))))"#).unwrap();
    assert_eq!(refusal(&bytes), "plugin must have no imports, has `clock`");
}

#[test]
fn bytes_that_are_no_component_are_refused() {
    let module = wat::parse_str("(module)").unwrap();
    for bytes in [&b""[..], b"no wasm", &module] {
        let error = load(bytes, &PluginOptions::default()).unwrap_err();
        assert!(matches!(error, PluginError::Compile(_)), "{error}");
    }
}

#[test]
fn a_plugin_that_does_not_describe_itself_is_refused() {
    let bytes = wat::parse_str("(component)").unwrap();
    assert_eq!(refusal(&bytes), "plugin cannot describe itself: no `mandate:meta/info@1.0.0`");
}

#[test]
fn an_unknown_contract_or_abi_is_refused() {
    let major = "(i32.store (i32.const 0x1000) (i32.const 1)) ;; contract major";
    let abi = "(i32.store (i32.const 0x100c) (i32.const 1)) ;; ABI";
    let stating = |line: &str, other: &str| {
        assert_eq!(PLUGIN.matches(line).count(), 1);
        refusal(&component(&PLUGIN.replace(line, other), WORLD))
    };
    assert_eq!(
        stating(major, "(i32.store (i32.const 0x1000) (i32.const 2))"),
        "plugin speaks contract 2.0.0 and ABI 1, this host knows contract 1.x and ABI 1"
    );
    assert_eq!(
        stating(abi, "(i32.store (i32.const 0x100c) (i32.const 9))"),
        "plugin speaks contract 1.0.0 and ABI 9, this host knows contract 1.x and ABI 1"
    );
}

#[test]
fn a_plugin_that_traps_or_hangs_while_it_describes_itself_is_refused() {
    let abi = "(i32.store (i32.const 0x100c) (i32.const 1)) ;; ABI";
    for instead in ["(unreachable)", "(loop $again (br $again))"] {
        let error =
            load(&component(&PLUGIN.replace(abi, instead), WORLD), &PluginOptions::default())
                .unwrap_err();
        assert!(matches!(error, PluginError::Describe(_)), "{error}");
    }
}

#[test]
fn a_plugin_of_another_world_is_refused_when_it_is_loaded() {
    let grown =
        WORLD.replace("    message: string,\n  }", "    message: string,\n    more: u8,\n  }");
    assert_ne!(grown, WORLD);
    let error = load(&component(PLUGIN, &grown), &PluginOptions::default()).unwrap_err();
    assert!(matches!(error, PluginError::World(_)), "{error}");

    let meta_only =
        ["authn", "authz", "gate", "types"].iter().fold(WORLD.to_owned(), |world, interface| {
            world.replace(&format!("  export {interface};\n"), "")
        });
    assert_ne!(meta_only, WORLD);
    let error =
        load(&component(&meta_module(), &meta_only), &PluginOptions::default()).unwrap_err();
    assert!(matches!(error, PluginError::World(_)), "{error}");
}

/// The friendly plugin without the exports of `authn`, `authz` and `gate`.
fn meta_module() -> String {
    PLUGIN
        .replace("(export \"mandate:policy/authn@0.1.0#", "(export \"left-out-authn-")
        .replace("(export \"mandate:policy/authz@0.1.0#", "(export \"left-out-authz-")
        .replace("(export \"mandate:policy/gate@0.1.0#", "(export \"left-out-gate-")
}
