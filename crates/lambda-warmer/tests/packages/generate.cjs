// Generates serverless-plugin-warmup's warmer with the package's own code, runs it against a client that records instead of
// calling Lambda, and prints what it sent.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { createWarmUpFunctionArtifact } = require('serverless-plugin-warmup/src/warmer.js');
const { getConfigsByWarmer } = require('serverless-plugin-warmup/src/config.js');

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'warmup-'));
  const client = path.join(folder, 'node_modules/@aws-sdk/client-lambda');
  fs.mkdirSync(client, { recursive: true });
  fs.writeFileSync(path.join(client, 'package.json'), '{"name":"@aws-sdk/client-lambda","main":"index.js"}');
  fs.writeFileSync(
    path.join(client, 'index.js'),
    `globalThis.sent = [];
     exports.InvokeCommand = class { constructor(input) { this.input = input; } };
     exports.LambdaClient = class { async send(command) { globalThis.sent.push(command.input); return {}; } };`,
  );
  const service = {
    service: 'shop',
    provider: {},
    package: {},
    custom: { warmup: { default: { enabled: true, concurrency: 2 } } },
    getAllFunctions: () => ['orders'],
    getFunction: () => ({ name: 'orders', handler: 'index.handler', events: [] }),
    functions: { orders: { name: 'orders', handler: 'index.handler' } },
  };
  const { default: warmer } = getConfigsByWarmer(
    { service, classes: { Error }, configurationInput: {} },
    'prod',
  );
  await createWarmUpFunctionArtifact(warmer.functions, false, false, 'eu-central-1', folder);
  const { warmUp } = await import(pathToFileURL(path.join(folder, 'index.mjs')).href);
  await warmUp({}, {});
  console.log(JSON.stringify(globalThis.sent));
  fs.rmSync(folder, { recursive: true });
}

main();
