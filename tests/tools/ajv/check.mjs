// Compiles the schemas in a folder in ajv's strict mode, and says which of the given instances they accept.
// Reads JSON from standard input: {"file name": [instances]}; writes the same with true and false.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, modules] = process.argv.slice(2);
const load = createRequire(path.resolve(modules, "package.json"));
const Ajv = load("ajv/dist/2020.js").default;
const addFormats = load("ajv-formats").default;
const cases = JSON.parse(readFileSync(0, "utf8"));
const verdicts = {};
for (const [file, instances] of Object.entries(cases)) {
  const ajv = new Ajv({
    strict: true,
    // An address is a text, or a list of them.
    allowUnionTypes: true,
    // What editors show in the place of a pattern, and beside a choice.
    keywords: ["patternErrorMessage", "enumDescriptions"],
  });
  addFormats(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(path.join(folder, file), "utf8")));
  verdicts[file] = instances.map((instance) => validate(instance));
}
console.log(JSON.stringify(verdicts));
