// node lines.mjs SCHEMA FILE…: JSON files, or files of one JSON object a line (.ndjson), through a JSON Schema validator.
// Prints `ok NAME` or `not ok NAME: why` for each file, and `looked at N values`. That the schema refuses anything at all
// is shown by each file's first value, spoilt.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const Ajv = require("ajv").default;
const formats = require("ajv-formats").default;

const ajv = new Ajv({ strict: true, strictRequired: false, strictTypes: false });
formats(ajv);

const [, , schema, ...files] = process.argv;
const validate = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));
let looked = 0;

for (const file of files) {
	const text = readFileSync(file, "utf8");
	const values = file.endsWith(".ndjson") ? text.trimEnd().split("\n") : [text];
	const bad = values.find((value) => (looked++, !validate(JSON.parse(value))));
	const why = bad && validate.errors.map((e) => `${e.instancePath} ${e.message}`).join("; ");
	console.log(bad ? `not ok ${basename(file)}: ${why}: ${bad.slice(0, 400)}` : `ok ${basename(file)} is valid`);
	const spoilt = { ...JSON.parse(values[0]), surprise: 1 };
	console.log(validate(spoilt) ? `not ok ${basename(file)} spoilt: it was taken` : `ok ${basename(file)} spoilt is not`);
}
console.log(`looked at ${looked} values`);
