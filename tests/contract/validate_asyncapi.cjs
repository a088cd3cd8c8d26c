// Prints what the AsyncAPI project's own parser finds wrong, one line a finding; exit 1 on an error or a warning.
const { Parser } = require("@asyncapi/parser");
const { readFileSync } = require("node:fs");

const source = process.argv[2];

new Parser().parse(readFileSync(source, "utf8"), { source }).then(({ document, diagnostics }) => {
  // Severity: 0 error, 1 warning, 2 information, 3 hint.
  const grave = diagnostics.filter(({ severity }) => severity <= 1);
  for (const { path, code, message } of diagnostics) console.log(`${path.join(".")}: ${code}: ${message}`);
  if (document) console.log(`channels: ${document.channels().length}, operations: ${document.operations().length}`);
  process.exit(document && grave.length === 0 ? 0 : 1);
});
