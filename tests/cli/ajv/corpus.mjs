// node corpus.mjs ROOT: every file of tests/corpus, the examples and the shipped procedures and profiles through a JSON
// Schema validator. Prints `ok NAME` or `not ok NAME: why` for each. What the loader says of the same files is tested by
// tests/unit/inventory/test_corpus.c; together they show that schema and loader agree.
//
//   good   valid
//   bad    not valid; but an entry marked "x-only-loader": true (or with a second line "only-loader" in NAME.expect) is
//          valid here, since only the whole or the file itself shows what is wrong. A mark that is not needed is a fault.
import { createRequire } from "node:module";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";

const root = process.argv[2];
const require = createRequire(join(process.cwd(), "package.json"));
const Ajv = require("ajv").default;
const formats = require("ajv-formats").default;

const ajv = new Ajv({ strict: true, strictRequired: false, strictTypes: false, allErrors: false });
formats(ajv);

const read = (path) => readFileSync(path, "utf8").replace(/^\uFEFF/, "");
const schema = (name) => ajv.compile(JSON.parse(read(join(root, "schema", name))));
const inventory = schema("inventory.v1.schema.json");
const procedure = schema("procedure.v1.schema.json");
const profile = schema("profile.v1.schema.json");

let looked = 0;
const say = (good, path, why) => {
	looked++;
	console.log(good ? `ok ${relative(root, path)}` : `not ok ${relative(root, path)}: ${why}`);
};

// The files below a folder that end with .json, in order.
const files = (folder) =>
	readdirSync(folder)
		.sort()
		.flatMap((name) => {
			const path = join(folder, name);
			return statSync(path).isDirectory() ? files(path) : path.endsWith(".json") ? [path] : [];
		});

// undefined where it is valid, else why not
const wrong = (path, validate) => {
	let value;
	try {
		value = JSON.parse(read(path));
	} catch (error) {
		return String(error.message).slice(0, 100);
	}
	if (validate(value)) return undefined;
	return validate.errors.map((e) => `${e.instancePath} ${e.message}`).join("; ");
};

const validator = (path) => {
	const value = JSON.parse(read(path));
	return "procedure" in value && "steps" in value ? procedure : "profile" in value && "old" in value ? profile : inventory;
};

for (const folder of ["tests/corpus/good", "tests/corpus/procedures", "inventory/procedures", "inventory/profiles", "inventory/examples"])
	for (const path of files(join(root, folder))) {
		const why = wrong(path, validator(path));
		say(why === undefined, path, why);
	}

const onlyLoader = (path) => {
	const sidecar = path.replace(/\.json$/, ".expect");
	if (existsSync(sidecar)) return read(sidecar).split("\n")[1] === "only-loader";
	return JSON.parse(read(path))["x-only-loader"] === true;
};

for (const path of files(join(root, "tests/corpus/bad")).filter((p) => !p.includes("/parts/"))) {
	const why = wrong(path, inventory);
	if (onlyLoader(path)) say(why === undefined, path, `is marked as the loader's alone, but: ${why}`);
	else say(why !== undefined, path, "the schema finds nothing wrong");
}
for (const [name, validate] of [["procedure_broken", procedure], ["profile_broken", profile], ["with_procedure", inventory]]) {
	const path = join(root, "tests/corpus/bad/parts", name + ".json");
	say(wrong(path, validate) !== undefined, path, "the schema finds nothing wrong");
}
console.log(`looked at ${looked} files`);
