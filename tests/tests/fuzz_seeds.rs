//! The seeds of the fuzz targets are what the generator makes: `MANDATE_WRITE_SEEDS=1` writes them.

use std::path::Path;

use mandate_authn::{Request, Validator};
use mandate_tests::differential::{AUDIENCE, Case, NOW, World};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds");

#[test]
fn every_seed_token_is_accepted_and_the_committed_ones_are_these() {
    let world = World::new();
    let trust = format!("{}\n", serde_json::to_string_pretty(world.trust()).unwrap());
    let tokens = Case::all_valid(&world);
    let mut validator = Validator::new();
    validator.load_trust(&trust).unwrap();
    let request = Request { audience: Some(AUDIENCE), now: NOW, certificate_sha256: None };
    for token in &tokens {
        assert_eq!(validator.validate(token.as_bytes(), &request).detail(), "", "{token}");
    }
    for (file, text) in [("trust.json", trust), ("tokens.txt", format!("{}\n", tokens.join("\n")))]
    {
        let path = Path::new(SEEDS).join(file);
        if std::env::var_os("MANDATE_WRITE_SEEDS").is_some() {
            std::fs::create_dir_all(SEEDS).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "fuzz/seeds/{file}");
    }
}
