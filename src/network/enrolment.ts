import { Fault, newSecret, sha256Hex } from '../base/index.ts';
import { recordChange } from '../store/index.ts';
import {
  deleteExpiredEnrolments,
  insertEnrolment,
  peerById,
  putAgent,
  updatePeer,
  useEnrolment,
} from '../store/peers.ts';
import { missing } from './collection.ts';
import type { NetworkDeps } from './deps.ts';

/** Certificates for agents, by our own CA. */
export interface AgentCaPort {
  rootPem(): string;
  /** For the key of a PEM request (RFC 2986); what else the request asks for is not looked at. */
  issue(csrPem: string, name: string): Promise<{ chainPem: string; notAfter: number }>;
}

const TOKEN_LASTS_MS = 30 * 60_000;

/** The name on an agent's certificate, by which its peer is known. */
export const agentName = (peerId: string): string => `${peerId.replace('_', '-')}.agents.gatehouse.internal`;
export const peerOfAgentName = (name: string): string | undefined =>
  /^peer-([0-9a-z]{26})\.agents\.gatehouse\.internal$/.exec(name)?.[1]?.replace(/^/, 'peer_');

export interface Enrolments {
  /** A token that enrols the agent of a peer, once, within half an hour. It names the CA, so it is all that is needed. */
  offer(peerId: string, by: string, url: string): Promise<{ token: string; expiresAt: number; command: string }>;
  /** Uses a token up. Throws a `Fault` of status 403 that does not say which way the token is wrong. */
  enrol(input: EnrolInput): Promise<{ peerId: string; certificate: string; expiresAt: number }>;
  renew(peerId: string, csr: string): Promise<{ certificate: string; expiresAt: number }>;
}

export interface EnrolInput {
  readonly token: string;
  readonly csr: string;
  readonly publicKey?: string;
}

export function createEnrolments(deps: NetworkDeps & { readonly ca: AgentCaPort }): Enrolments {
  const { store, clock, ca } = deps;
  return {
    async offer(peerId, by, url) {
      const secret = newSecret();
      const expiresAt = clock.now() + TOKEN_LASTS_MS;
      await store.write(async (tx) => {
        if ((await peerById(tx, peerId)) === undefined) throw missing('peer', peerId);
        await deleteExpiredEnrolments(tx, clock.now());
        await insertEnrolment(tx, {
          hash: sha256Hex(secret),
          peer_id: peerId,
          created_by: by,
          expires_at: expiresAt,
          used_at: null,
        });
      });
      const token = `${secret}.${sha256Hex(ca.rootPem().trim())}`;
      return { token, expiresAt, command: `GATEHOUSE_ENROL_TOKEN=${token} gatehouse hub-agent --control ${url}` };
    },
    async enrol({ token, csr, publicKey }) {
      const hash = sha256Hex(token.split('.')[0] ?? '');
      const now = clock.now();
      const peerId = await store.write((tx) => useEnrolment(tx, hash, now));
      if (peerId === undefined)
        throw new Fault({
          code: 'enrolment_refused',
          detail: 'the token is unknown, was used before, or is too old',
          party: 'client',
          retry: 'never',
          status: 403,
          advice: 'get a new one: gatehouse networks peers enrol <peer>',
        });
      const { chainPem, notAfter } = await ca.issue(csr, agentName(peerId));
      await store.write(async (tx) => {
        await putAgent(tx, {
          peer_id: peerId,
          certificate: sha256Hex(chainPem),
          certificate_expires_at: notAfter,
          // To the second, as certificates count: those that were issued before are not accepted again.
          enrolled_at: Math.floor(now / 1000) * 1000,
          seen_at: null,
          applied: null,
          report: null,
        });
        if (publicKey !== undefined) await updatePeer(tx, peerId, { public_key: publicKey }, now);
        const peer = await peerById(tx, peerId);
        await recordChange(tx, 'network', peer?.network_id ?? peerId, now);
      });
      return { peerId, certificate: chainPem, expiresAt: notAfter };
    },
    async renew(peerId, csr) {
      const { chainPem, notAfter } = await ca.issue(csr, agentName(peerId));
      await store.write(async (tx) => {
        await tx
          .updateTable('peer_agent')
          .set({ certificate: sha256Hex(chainPem), certificate_expires_at: notAfter })
          .where('peer_id', '=', peerId)
          .execute();
      });
      return { certificate: chainPem, expiresAt: notAfter };
    },
  };
}
