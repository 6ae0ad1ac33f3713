// npm @openfga/syntax-transformer, OpenFGA's own reader of its language: the modules of a folder with
// an `fga.mod`, as the JSON of one model that its validator takes.
// Run: MANDATE_NODE_MODULES=…/node_modules node syntax_transformer.mjs FOLDER

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const packages = process.env.MANDATE_NODE_MODULES ?? join(process.cwd(), "node_modules");
const { transformer, validator } = createRequire(join(packages, "entry.js"))(
  "@openfga/syntax-transformer",
);

const folder = process.argv[2];
const read = (name) => readFileSync(join(folder, name), "utf8");
const manifest = transformer.transformModFileToJSON(read("fga.mod"));
const files = manifest.contents.value.map(({ value }) => ({ name: value, contents: read(value) }));
const model = transformer.transformModuleFilesToModel(files, manifest.schema.value);
validator.validateJSON(model);
process.stdout.write(JSON.stringify(model));
