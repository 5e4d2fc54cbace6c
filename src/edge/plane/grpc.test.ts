import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { eachEngine } from '../../../test/fixtures/edge-plane.ts';

// A real gRPC library at both ends, so that what it takes from HTTP/2 (trailers, deadlines, cancellation, flow both ways
// at once) is what passes.

const bytes = (value: Buffer) => value;
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${path}`,
  requestStream,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});
const service = {
  Unary: method('Unary', false, false),
  Up: method('Up', true, false),
  Down: method('Down', false, true),
  Both: method('Both', true, true),
  Never: method('Never', false, false),
};
const Client = grpc.makeGenericClientConstructor(service, 'Echo');

async function startServer(t: TestContext): Promise<{ port: number; heard: EventEmitter }> {
  const heard = new EventEmitter();
  const server = new grpc.Server();
  server.addService(service, {
    Unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      const trailer = new grpc.Metadata();
      trailer.set('x-trailer', 'told');
      if (call.request.length === 0)
        done({ code: grpc.status.INVALID_ARGUMENT, details: 'nothing in it', metadata: trailer });
      else done(null, call.request, trailer);
    },
    Up(call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      let octets = 0;
      call.on('data', (piece: Buffer) => {
        octets += piece.length;
      });
      call.on('end', () => done(null, Buffer.from(String(octets))));
    },
    Down(call: grpc.ServerWritableStream<Buffer, Buffer>) {
      for (let i = 0; i < 50; i++) call.write(Buffer.alloc(1_000 * i, i));
      call.end();
    },
    Both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', (piece: Buffer) => call.write(piece));
      call.on('end', () => call.end());
    },
    Never(call: grpc.ServerUnaryCall<Buffer, Buffer>) {
      call.on('cancelled', () => heard.emit('cancelled'));
      heard.emit('asked', call.getDeadline());
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  t.after(() => server.forceShutdown());
  return { port, heard };
}

eachEngine('gRPC calls pass: unary, streams both ways, trailers, deadlines, cancellation', async (t, startPlane) => {
  const { port: upstream, heard } = await startServer(t);
  const route = { id: 'r1', host: 'shop.example.com', path: '/', upstreams: [{ url: `h2c://127.0.0.1:${upstream}` }] };
  const { port } = await startPlane(t, { routes: [route], tls: true });
  const trusting = grpc.credentials.createSsl(null, null, null, { rejectUnauthorized: false });
  const client = new Client(`127.0.0.1:${port}`, trusting, {
    'grpc.default_authority': 'shop.example.com',
    'grpc.ssl_target_name_override': 'shop.example.com',
  });
  t.after(() => client.close());
  type Unary = (request: Buffer, ...rest: unknown[]) => grpc.ClientUnaryCall & NodeJS.EventEmitter;
  const call = (name: string) => (client[name] as unknown as Unary).bind(client);
  const asked = (name: string, request: Buffer, options: object = {}) =>
    new Promise<{ answer?: Buffer; error?: grpc.ServiceError; status: Promise<grpc.StatusObject> }>((resolve) => {
      let status: Promise<grpc.StatusObject>;
      const sent = call(name)(request, options, (error: grpc.ServiceError | null, answer: Buffer) =>
        setImmediate(() => resolve({ ...(error === null ? { answer } : { error }), status })),
      );
      status = once(sent, 'status').then(([object]) => object);
    });

  const good = await asked('Unary', Buffer.from('hello'));
  assert.equal(good.error, undefined);
  assert.equal(String(good.answer), 'hello');
  assert.deepEqual((await good.status).metadata.get('x-trailer'), ['told']);
  const bad = await asked('Unary', Buffer.alloc(0));
  assert.equal(bad.error?.code, grpc.status.INVALID_ARGUMENT);
  assert.equal(bad.error?.details, 'nothing in it');

  const up = await new Promise<string>((resolve, reject) => {
    const stream = (client.Up as unknown as (done: unknown) => grpc.ClientWritableStream<Buffer>).call(
      client,
      (error: Error | null, answer: Buffer) => (error === null ? resolve(String(answer)) : reject(error)),
    );
    for (let i = 0; i < 40; i++) stream.write(Buffer.alloc(20_000));
    stream.end();
  });
  assert.equal(up, '800000');

  const down = (client.Down as unknown as (request: Buffer) => grpc.ClientReadableStream<Buffer>).call(
    client,
    Buffer.from('x'),
  );
  const lengths: number[] = [];
  for await (const piece of down) lengths.push(piece.length);
  assert.deepEqual(
    lengths,
    Array.from({ length: 50 }, (_, i) => 1_000 * i),
  );

  const both = (client.Both as unknown as () => grpc.ClientDuplexStream<Buffer, Buffer>).call(client);
  for (const word of ['one', 'two', 'three']) {
    both.write(Buffer.from(word));
    assert.equal(String((await once(both, 'data'))[0]), word);
  }
  both.end();
  assert.equal((await once(both.resume(), 'status'))[0].code, grpc.status.OK);

  const told = once(heard, 'asked');
  const late = await asked('Never', Buffer.from('x'), { deadline: Date.now() + 300 });
  assert.equal(late.error?.code, grpc.status.DEADLINE_EXCEEDED);
  assert.ok(Number.isFinite(Number((await told)[0])), 'the deadline reached the server');

  const begun = once(heard, 'asked');
  const given = call('Never')(Buffer.from('x'), () => {});
  await begun;
  const cancelled = once(heard, 'cancelled');
  given.cancel();
  await cancelled;
});
