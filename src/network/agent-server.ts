import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type Clock, createProblems, Fault, faultOf, type Logger, readInput } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import { agentOfPeer, peerById, updateAgent } from '../store/peers.ts';
import { desiredStateOf, PEER_GONE } from './desired-state.ts';
import { type AgentCaPort, type Enrolments, peerOfAgentName } from './enrolment.ts';

export interface AgentServerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ca: AgentCaPort;
  readonly enrolments: Enrolments;
}

const MOST_BODY_BYTES = 256 * 1024;
const HOLD_MS = 20_000;
const LOOK_EVERY_MS = 500;
const PEM = /^-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*$/;
const KEY = /^[A-Za-z0-9+/]{43}=$/;

/**
 * What agents talk to, over TLS that asks for a client certificate. Only the root and enrolment are for those without
 * one. An agent learns nothing but the state of its own peer.
 */
export function createAgentHandler(deps: AgentServerDeps) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(deps, request, response).catch((error: unknown) => {
      const { code, detail, status = 500, advice } = faultOf(error).details;
      if (code === 'internal') deps.log.error({ err: error }, 'an agent’s request failed');
      if (response.headersSent) return void response.destroy();
      const body = { code, detail: code === 'internal' ? 'something went wrong here' : detail, advice };
      send(response, status, JSON.stringify(body), 'application/problem+json');
    });
  };
}

function send(response: ServerResponse, status: number, body: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}

async function answer(deps: AgentServerDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://agent');
  const route = `${request.method} ${url.pathname}`;
  if (route === 'GET /agent/v1/root') return send(response, 200, deps.ca.rootPem(), 'application/x-pem-file');
  if (route === 'POST /agent/v1/enrol') {
    const { peerId, certificate, expiresAt } = await deps.enrolments.enrol(await readEnrol(request));
    deps.log.info({ peer: peerId }, 'an agent enrolled');
    return send(response, 200, JSON.stringify({ peer_id: peerId, certificate, expires_at: expiresAt }));
  }
  const peerId = await peerOf(deps, request.socket as TLSSocket);
  if (route === 'GET /agent/v1/state') return answerState(deps, peerId, url.searchParams.get('have'), response);
  if (route === 'POST /agent/v1/report') {
    await noteReport(deps, peerId, await readJson(request));
    response.writeHead(204).end();
    return;
  }
  if (route === 'POST /agent/v1/renew') {
    const { certificate, expiresAt } = await deps.enrolments.renew(peerId, await readCsr(request));
    return send(response, 200, JSON.stringify({ certificate, expires_at: expiresAt }));
  }
  throw refuse(404, 'not_found', `there is nothing at ${route.slice(0, 200)}`);
}

const refuse = (status: number, code: string, detail: string, advice?: string): Fault =>
  new Fault({ code, detail, party: 'client', retry: 'never', status, ...(advice !== undefined && { advice }) });

/** 410: for good, so the agent may take down what it put up (RFC 9110 §15.5.11). */
const peerGone = (): Fault => refuse(410, PEER_GONE, 'the peer was removed from its network');

/** Whose certificate it is: of our CA, of a peer that is there, and not from before it enrolled last. */
async function peerOf({ store }: AgentServerDeps, socket: TLSSocket): Promise<string> {
  const certificate: X509Certificate | undefined = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const name = /^DNS:([^,\s]+)$/.exec(certificate?.subjectAltName ?? '')?.[1] ?? '';
  const peerId = peerOfAgentName(name);
  const agent = peerId === undefined ? undefined : await agentOfPeer(store.db, peerId);
  // Only somebody who held the peer's certificate learns that it is gone.
  if (certificate !== undefined && peerId !== undefined && (await peerById(store.db, peerId)) === undefined)
    throw peerGone();
  if (
    certificate === undefined ||
    peerId === undefined ||
    agent === undefined ||
    Date.parse(certificate.validFrom) < agent.enrolled_at
  )
    throw refuse(401, 'agent_unknown', 'this needs the certificate of an enrolled agent', 'enrol it again');
  return peerId;
}

/** Answers at once when the agent has another state than the one that is wanted, and else holds the question a while. */
async function answerState(
  { store, clock }: AgentServerDeps,
  peerId: string,
  have: string | null,
  response: ServerResponse,
): Promise<void> {
  const until = clock.now() + HOLD_MS;
  for (;;) {
    const state = await desiredStateOf(store.db, peerId);
    if (state === undefined) throw peerGone();
    if (state.version !== have) return send(response, 200, JSON.stringify(state));
    if (clock.now() >= until || response.destroyed) return void response.writeHead(304).end();
    await clock.sleep(LOOK_EVERY_MS);
  }
}

async function noteReport(
  { store, clock }: AgentServerDeps,
  peerId: string,
  report: Record<string, unknown>,
): Promise<void> {
  const { applied, ...rest } = report;
  await store.write((tx) =>
    updateAgent(tx, peerId, {
      seen_at: clock.now(),
      applied: typeof applied === 'string' ? applied.slice(0, 64) : null,
      report: JSON.stringify(rest),
    }),
  );
}

async function readEnrol(request: IncomingMessage) {
  const problems = createProblems();
  const read = readInput(await readJson(request), problems);
  const token = read.text('token', { required: true });
  const csr = read.text('csr', { required: true, most: 8192, pattern: PEM, what: 'a certificate request in PEM' });
  const publicKey = read.text('public_key', { pattern: KEY, what: 'a WireGuard public key' });
  problems.throwIfAny();
  return { token: token!, csr: csr!, ...(publicKey !== undefined && { publicKey }) };
}

async function readCsr(request: IncomingMessage): Promise<string> {
  const problems = createProblems();
  const csr = readInput(await readJson(request), problems).text('csr', { required: true, most: 8192, pattern: PEM });
  problems.throwIfAny();
  return csr!;
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BODY_BYTES) throw refuse(413, 'too_large', `a body has at most ${MOST_BODY_BYTES} bytes`);
    parts.push(part);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString());
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  throw refuse(400, 'invalid_json', 'the body is not a JSON object');
}
