// SPDX-License-Identifier: Apache-2.0
// Node's fetch and http, and ws, against the server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const { WebSocket } = createRequire(import.meta.url)('ws'); // found by NODE_PATH
const program = process.env.SQUALL_WIRE_SERVER ?? '/tmp/build-wire/bin/squall_wire_server';
const limit = { timeout: 20_000 };

const files = mkdtempSync(join(tmpdir(), 'squall-wire-node-'));
writeFileSync(join(files, 'digits.txt'), '0123456789'.repeat(10_000));
process.on('exit', () => rmSync(files, { recursive: true }));
let server;
let address;

before(async () => {
  server = spawn(program, ['--access-log=0', '--static', files], { stdio: ['ignore', 'pipe', 'inherit'] });
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

const url = (path) => `http://${address}${path}`;
const counter = async (name) => (await (await fetch(url('/counters'))).json())[name] ?? 0;

async function waitForCounter(name, value) {
  while ((await counter(name)) !== value) await new Promise((resolve) => setTimeout(resolve, 10));
}

function open(path, ...options) {
  const socket = new WebSocket(`ws://${address}${path}`, ...options);
  socket.next = () =>
    new Promise((resolve) => {
      socket.once('message', (data, isBinary) => resolve({ data, isBinary }));
    });
  socket.closed = new Promise((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

test('fetch', limit, async () => {
  const response = await fetch(url('/hello'));
  assert.equal(response.status, 200);
  assert.equal(await response.text(), 'hello');
  assert.equal((await fetch(url('/nowhere'))).status, 404);
  assert.equal(await (await fetch(url('/redirect?to=/hello'))).text(), 'hello');
});

test('fetch of many at once', limit, async () => {
  const asked = Array.from({ length: 300 }, (_, i) => fetch(url(`/int/${i}`)));
  const texts = await Promise.all((await Promise.all(asked)).map((response) => response.text()));
  assert.deepEqual(texts, Array.from({ length: 300 }, (_, i) => String(i)));
});

test('fetch posts a stream', limit, async () => {
  const pieces = async function* () {
    for (let i = 0; i < 20; ++i) yield new Uint8Array(5000).fill(i);
  };
  const response = await fetch(url('/length'), { method: 'POST', body: pieces(), duplex: 'half' });
  assert.equal(await response.text(), '100000');
});

test('fetch posts JSON and a form', limit, async () => {
  const json = await fetch(url('/json'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ a: [1, 'é'] }),
  });
  assert.deepEqual(await json.json(), { got: { a: [1, 'é'] } });
  const form = await fetch(url('/arguments'), {
    method: 'POST',
    body: new URLSearchParams({ a: 'x y', b: 'é&' }),
  });
  const got = await form.json();
  assert.deepEqual([got.a, got.b], [['x y'], ['é&']]);
});

test('fetch reads a stream as it comes', limit, async () => {
  const response = await fetch(url('/slow-stream/5'));
  let text = '';
  for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  assert.equal(text, [0, 1, 2, 3, 4].map((i) => `data: ${i}\n\n`).join(''));
});

test('fetch that is aborted cancels the handler', limit, async () => {
  const started = await counter('never.started');
  const cancelled = await counter('never.cancelled');
  const controller = new AbortController();
  const asked = fetch(url('/never'), { signal: controller.signal });
  await waitForCounter('never.started', started + 1);
  controller.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  await waitForCounter('never.cancelled', cancelled + 1);
});

test('fetch that is aborted in the middle of a body', limit, async () => {
  const controller = new AbortController();
  const response = await fetch(url('/endless'), { signal: controller.signal });
  const reader = response.body.getReader();
  await reader.read();
  controller.abort();
  await assert.rejects(reader.read());
  await waitForCounter('endless.ended', 1);
});

test('fetch notices a truncated response', limit, async () => {
  await assert.rejects(async () => (await fetch(url('/truncated'))).text());
});

test('an agent keeps its connection', limit, async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set();
  for (let i = 0; i < 20; ++i) {
    await new Promise((resolve, reject) => {
      const request = http.get(url('/hello'), { agent }, (response) => {
        ports.add(response.socket.localPort);
        response.resume();
        response.once('end', resolve);
      });
      request.once('error', reject);
    });
  }
  agent.destroy();
  assert.equal(ports.size, 1);
});

test('ws echoes what it is sent', limit, async () => {
  const socket = await open('/ws');
  for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    for (const data of ['t'.repeat(size), Buffer.alloc(size, 7)]) {
      const echoed = socket.next();
      socket.send(data);
      const got = await echoed;
      assert.equal(got.isBinary, typeof data !== 'string');
      assert.ok(got.data.equals(Buffer.from(data)));
    }
  }
  socket.close(1000, 'done');
  assert.deepEqual(await socket.closed, { code: 1000, reason: '' });
});

test('ws sends fragments', limit, async () => {
  const socket = await open('/ws');
  const echoed = socket.next();
  socket.send('one ', { fin: false });
  socket.send('é', { fin: false });
  socket.ping('between');
  socket.send(' three', { fin: true });
  assert.equal(String((await echoed).data), 'one é three');
  socket.close();
  assert.equal((await socket.closed).code, 1005);
});

test('ws pings', limit, async () => {
  const socket = await open('/ws');
  const pong = new Promise((resolve) => socket.once('pong', resolve));
  socket.ping('are you there');
  assert.equal(String(await pong), 'are you there');
  socket.terminate();
});

test('fetch reads parts of a file, and what it has not', limit, async () => {
  const path = url('/static/digits.txt');
  const part = await fetch(path, { headers: { Range: 'bytes=50003-50005' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('Content-Range'), 'bytes 50003-50005/100000');
  assert.equal(await part.text(), '345');
  const several = await fetch(path, { headers: { Range: 'bytes=1-1,-1' } });
  const boundary = /boundary=(.*)/.exec(several.headers.get('Content-Type'))[1];
  assert.equal((await several.text()).split(`--${boundary}`).length, 4);
  const etag = part.headers.get('ETag');
  const same = await fetch(path, { headers: { 'If-None-Match': etag }, cache: 'no-store' });
  assert.equal(same.status, 304);
  const beyond = await fetch(path, { headers: { Range: 'bytes=100000-' } });
  assert.equal(beyond.status, 416);
});

test('ws is closed by the server', limit, async () => {
  const socket = await open('/ws/close');
  socket.send('4002 enough');
  assert.deepEqual(await socket.closed, { code: 4002, reason: 'enough' });
});

test('ws chooses a subprotocol and is refused by its origin', limit, async () => {
  const socket = await open('/ws/sub', ['squall.v1', 'squall.v2']);
  assert.equal(socket.protocol, 'squall.v2');
  socket.close();
  await socket.closed;
  await assert.rejects(open('/ws', { origin: 'http://enemy.example' }), /403/);
  await assert.rejects(open('/nowhere'), /404/);
});

test('ws in a room', limit, async () => {
  const members = await Promise.all(Array.from({ length: 50 }, () => open('/ws/room')));
  for (let turn = 0; turn < 10; ++turn) {
    const heard = members.map((member) => member.next());
    members[turn].send(`turn ${turn}`);
    for (const message of await Promise.all(heard)) {
      assert.equal(String(message.data), `turn ${turn}`);
    }
  }
  for (const member of members) member.close();
  await Promise.all(members.map((member) => member.closed));
});

test('fetch decodes what is compressed', limit, async () => {
  for (const size of [20_000, 1_000_000]) {
    const response = await fetch(url(`/compressed/${size}`));
    assert.notEqual(response.headers.get('content-encoding'), null);
    assert.equal((await response.text()).length, size);
  }
});

test('fetch sends forms with files', limit, async () => {
  const form = new FormData();
  form.append('text', 'Grüße');
  form.append('upload', new Blob([new Uint8Array([1, 2, 3])], { type: 'image/x-test' }), 'ü.bin');
  const response = await fetch(url('/form'), { method: 'POST', body: form });
  assert.deepEqual(await response.json(), {
    text: ['Grüße'],
    files: [{ name: 'upload', filename: 'ü.bin', type: 'image/x-test', size: 3, sum: 6 }],
  });
});
