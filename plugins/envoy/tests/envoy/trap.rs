//! The filter with a hole: the shipped module in which one callback is `unreachable`.
//!
//! Nothing else of it is changed, and nothing of it ships: a way to trap that is compiled into the
//! filter would be one that a mistake could deliver.

#![expect(clippy::wildcard_enum_match_arm, reason = "most parts of a module are copied")]

use wasm_encoder::{CodeSection, ExportKind, ExportSection, Function, FunctionSection};
use wasm_encoder::{Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// The module with a callback that traps.
pub(crate) fn with_trap(module: &[u8], callback: &str) -> Vec<u8> {
    let parts = Parts::read(module, callback);
    let trap = u32::try_from(parts.imported + parts.types.len()).expect("an index");
    let mut patched = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.expect("a module");
        let Some((id, range)) = payload.as_section() else { continue };
        match payload {
            Payload::FunctionSection(_) => {
                let mut functions = FunctionSection::new();
                let types = parts.types.iter().chain([&parts.types[parts.callback]]);
                for kind in types {
                    functions.function(*kind);
                }
                patched.section(&functions);
            }
            Payload::ExportSection(section) => {
                let mut exports = ExportSection::new();
                for export in section {
                    let export = export.expect("an export");
                    let kind = kind(export.kind);
                    let index = if export.name == callback { trap } else { export.index };
                    exports.export(export.name, kind, index);
                }
                patched.section(&exports);
            }
            Payload::CodeSectionStart { .. } => {
                let mut code = CodeSection::new();
                for body in &parts.bodies {
                    code.raw(body);
                }
                let mut function = Function::new([]);
                function.instructions().unreachable().end();
                code.function(&function);
                patched.section(&code);
            }
            _ => {
                patched.section(&RawSection { id, data: bytes(module, range) });
            }
        }
    }
    patched.finish()
}

fn bytes(module: &[u8], range: std::ops::Range<u64>) -> &[u8] {
    let at = |at: u64| usize::try_from(at).expect("it fits");
    &module[at(range.start)..at(range.end)]
}

fn kind(kind: ExternalKind) -> ExportKind {
    match kind {
        ExternalKind::Func => ExportKind::Func,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Table => ExportKind::Table,
        other => panic!("{other:?}"),
    }
}

/// What has to be known before the first section is written.
#[derive(Default)]
struct Parts<'m> {
    /// Functions that are imported.
    imported: usize,
    /// The type of each function of its own.
    types: Vec<u32>,
    bodies: Vec<&'m [u8]>,
    /// Which of its own functions the callback is.
    callback: usize,
}

impl<'m> Parts<'m> {
    fn read(module: &'m [u8], callback: &str) -> Self {
        let mut parts = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload.expect("a module") {
                Payload::ImportSection(section) => {
                    let imports =
                        section.into_imports().map(|import| import.expect("an import").ty);
                    parts.imported =
                        imports.filter(|kind| matches!(kind, TypeRef::Func(_))).count();
                }
                Payload::FunctionSection(section) => {
                    parts.types = section.into_iter().collect::<Result<_, _>>().expect("types");
                }
                Payload::ExportSection(section) => {
                    let mut exports = section.into_iter().map(|export| export.expect("an export"));
                    let found = exports.find(|export| export.name == callback).expect("exported");
                    let index = usize::try_from(found.index).expect("an index");
                    parts.callback = index - parts.imported;
                }
                Payload::CodeSectionEntry(body) => parts.bodies.push(bytes(module, body.range())),
                _ => {}
            }
        }
        parts
    }
}
