import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publisherContract } from '../../../test/contract/publishers.ts';
import { Fault } from '../../base/index.ts';
import type { Dynamic } from './dynamic.ts';
import { createTraefikHttpTarget } from './http-target.ts';

publisherContract('traefik http', async () => {
  // A new process begins with an empty document, so a restart writes everything into it again.
  let opened = createTraefikHttpTarget();
  let ids = new Map<string, string>();
  let writes = 0;
  const document = () => JSON.parse(opened.document.current().body) as Dynamic;
  const open = () => {
    const before = opened;
    opened = createTraefikHttpTarget();
    ids = new Map();
    const { target } = opened;
    const kept = opened;
    return {
      ...target,
      deliver(delivery: Parameters<typeof target.deliver>[0]) {
        for (const { id, chain } of delivery.certificates) ids.set(chain, id);
        return target.deliver(delivery);
      },
      upToDate() {
        target.upToDate?.();
        if (!hasStarted(before) || before.document.current().etag !== kept.document.current().etag) writes++;
      },
    };
  };
  const hasStarted = ({ document }: typeof opened) => {
    try {
      return document.current() !== undefined;
    } catch {
      return false;
    }
  };
  return {
    open,
    routes: () =>
      new Map(
        Object.entries(document().http?.routers ?? {}).map(([name, { rule }]) => [
          /`([^`]+)`/.exec(rule)![1]!,
          JSON.stringify(document().http?.services?.[name] ?? document().http?.middlewares),
        ]),
      ),
    certificates: () =>
      new Map((document().tls?.certificates ?? []).map(({ certFile }) => [ids.get(certFile)!, certFile])),
    writes: () => writes,
  };
});

test('the document is not shown before it is complete, and its tag changes only with its content', async () => {
  const { target, document } = createTraefikHttpTarget();
  assert.throws(
    () => document.current(),
    (error: unknown) => error instanceof Fault && error.details.status === 503,
  );
  target.upToDate?.();
  const empty = document.current();
  assert.equal(empty.body, '{}');
  await target.deliver({ groups: [], certificates: [], gone: ['dom_1'] });
  assert.equal(document.current().etag, empty.etag);
});
