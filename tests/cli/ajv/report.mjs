// node report.mjs SCHEMA FILE…: JSON reports through a JSON Schema validator. Prints `ok NAME` or `not ok NAME: why` for
// each. That the schema refuses anything at all is shown by two reports that were spoilt.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const Ajv = require("ajv").default;
const formats = require("ajv-formats").default;

const ajv = new Ajv({ strict: true, strictRequired: false, strictTypes: false, allErrors: false });
formats(ajv);

const [, , schema, ...files] = process.argv;
const validate = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));
const say = (good, name, why) => console.log(good ? `ok ${name}` : `not ok ${name}: ${why}`);
const why = () => validate.errors?.map((e) => `${e.instancePath} ${e.message}`).join("; ");

for (const file of files) {
	const report = JSON.parse(readFileSync(file, "utf8"));
	say(validate(report), `${basename(file)} is valid`, why());
	report.tenants[0].state = "fine";
	say(!validate(report), `${basename(file)} with a state that is none is not`, "it was taken");
	report.tenants[0].state = "done";
	report.surprise = 1;
	say(!validate(report), `${basename(file)} with a member that is unknown is not`, "it was taken");
}
