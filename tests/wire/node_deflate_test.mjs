// SPDX-License-Identifier: Apache-2.0
// permessage-deflate between the server and Node's ws.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

const { WebSocket } = createRequire(import.meta.url)('ws'); // found by NODE_PATH
const program = process.env.SQUALL_WIRE_SERVER ?? '/tmp/build-wire/bin/squall_wire_server';
const limit = { timeout: 60_000 };
let server;
let address;

before(async () => {
  server = spawn(program, ['--access-log=0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => server.kill('SIGKILL'));
  const line = await new Promise((resolve, reject) => {
    server.stdout.once('data', (data) => resolve(String(data)));
    server.once('exit', (code) => reject(new Error(`the server did not start: ${code}`)));
  });
  address = `127.0.0.1:${/^listening on (\d+)\n/.exec(line)[1]}`;
}, limit);

after(async () => {
  const exited = new Promise((resolve) => server.once('exit', (code) => resolve(code)));
  server.kill('SIGTERM');
  assert.equal(await exited, 0);
}, limit);

function open(path, perMessageDeflate) {
  const socket = new WebSocket(`ws://${address}${path}`, { perMessageDeflate });
  const waiting = [];
  const arrived = [];
  socket.on('message', (data, isBinary) => {
    const one = { data, isBinary };
    if (waiting.length > 0) waiting.shift()(one);
    else arrived.push(one);
  });
  socket.next = () =>
    new Promise((resolve) => (arrived.length > 0 ? resolve(arrived.shift()) : waiting.push(resolve)));
  socket.closed = new Promise((resolve) => socket.once('close', resolve));
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

// With `false` ws itself refuses servers that make use of RFC 7692 §7.1.1.2.
const wishes = [undefined, true];
for (const takeover of '01') {
  for (const serverNoContextTakeover of wishes) {
    for (const clientNoContextTakeover of wishes) {
      for (const [serverMaxWindowBits, clientMaxWindowBits] of [[undefined, undefined], [9, 9], [15, 15]]) {
        const options = {
          serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits, threshold: 0,
        };
        test(`takeover=${takeover} ${JSON.stringify(options)}`, limit, async () => {
          const socket = await open(`/ws/deflate?takeover=${takeover}`, options);
          assert.match(socket.extensions, /permessage-deflate/);
          const noise = randomBytes(20_000);
          for (const data of [Buffer.alloc(0), Buffer.from('x'), noise, noise, Buffer.alloc(500_000, 'y')]) {
            socket.send(data, { binary: true });
            const back = await socket.next();
            assert.deepEqual(back.data, data);
            assert.ok(back.isBinary);
          }
          socket.send('shared ' + 'text '.repeat(1000));
          const first = await socket.next();
          const second = await socket.next();
          assert.equal(String(first.data), String(second.data));
          assert.ok(!first.isBinary);
          socket.close();
          await socket.closed;
        });
      }
    }
  }
}

test('a client without compression gets none', limit, async () => {
  const socket = await open('/ws/deflate', false);
  assert.equal(socket.extensions, '');
  socket.send('z'.repeat(5000));
  assert.equal(String((await socket.next()).data), 'z'.repeat(5000));
  socket.close();
  await socket.closed;
});
