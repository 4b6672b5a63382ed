// A Lambda handler behind the real lambda-warmer package. Reads one event from standard input and tells what became of it.
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const require = createRequire(import.meta.url);
process.env.AWS_LAMBDA_FUNCTION_NAME = 'orders';
process.env.AWS_LAMBDA_FUNCTION_VERSION = '$LATEST';

// The package fans out through this module of its own; a ping of ours must never get there.
let fannedOut = 0;
const service = require.resolve('lambda-warmer/lib/lambda-service');
require.cache[service] = { id: service, filename: service, loaded: true, exports: { invoke: async () => { fannedOut += 1; } } };

const warmer = require('lambda-warmer');
const events = JSON.parse(await text(process.stdin));
const results = [];
for (const event of events) {
  const started = performance.now();
  const answered = await warmer(event, { log: false });
  results.push({ answered, fannedOut, heldMs: Math.round(performance.now() - started) });
}
console.log(JSON.stringify(results));
