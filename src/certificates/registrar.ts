import { problemTypeOf } from '../acme/index.ts';
import type { ObtainStep } from '../acme-client/index.ts';
import { Fault } from '../base/index.ts';
import { type IssuerRow, issuerById } from '../store/issuers.ts';
import { parseCertificationRequest } from '../x509/index.ts';
import type { IssuerConnections } from './issuers.ts';
import type { Engine } from './ports.ts';
import { solversFor } from './solver-choice.ts';

/** Gets certificates for requests that others made: what a registration authority needs of an issuer. */
export interface Registrar {
  /** URL of the issuer's directory; undefined when there is no such issuer. */
  directoryOf(issuerId: string): Promise<string | undefined>;
  /** Resolves with the chain in PEM, leaf first. Throws the `Fault` of what failed, in the CA's words. */
  obtain(request: RegistrarRequest): Promise<string>;
  revoke(issuerId: string, certificate: Uint8Array, reason: number, signal: AbortSignal): Promise<void>;
}

export interface RegistrarRequest {
  readonly issuerId: string;
  readonly names: readonly string[];
  /** DER. */
  readonly csr: Uint8Array;
  /** URL of an order that was begun before. */
  readonly resume?: string;
  /** Awaited before anything is done with the order. */
  readonly onOrder?: (url: string) => Promise<void>;
  /** Told of every step, the order's among them. */
  readonly onStep?: (step: ObtainStep) => void;
  readonly signal: AbortSignal;
}

export function createRegistrar(engine: Engine, connections: IssuerConnections): Registrar {
  const known = async (id: string): Promise<IssuerRow> => {
    const issuer = await issuerById(engine.store.db, id);
    if (issuer !== undefined) return issuer;
    const detail = `there is no issuer ${id} any more`;
    throw new Fault({ code: 'not_found', detail, party: 'operator', retry: 'backoff', status: 404 });
  };

  /** A lost account is registered again, once a request. */
  async function withAccount<T>(
    issuerId: string,
    signal: AbortSignal,
    work: (at: { client: ReturnType<IssuerConnections['client']>; issuer: IssuerRow; account: Account }) => Promise<T>,
  ): Promise<T> {
    const issuer = await known(issuerId);
    const client = connections.client(issuer);
    for (let again = false; ; again = true) {
      const account = await connections.accounts.of(issuer, client, signal);
      try {
        return await work({ client, issuer, account });
      } catch (error) {
        const lost = error instanceof Fault && problemTypeOf(error.code) === 'accountDoesNotExist';
        if (!lost || again) throw error;
        await connections.accounts.lost(issuer.id);
      }
    }
  }

  return {
    directoryOf: async (id) => (await issuerById(engine.store.db, id))?.directory,
    obtain({ issuerId, names, csr, resume, onOrder, onStep, signal }) {
      return withAccount(issuerId, signal, async ({ client, issuer, account }) => {
        const solvers = await solversFor(engine.solvers, { challenge: 'auto', dns_credential_id: null }, names);
        const { chain } = await engine.acme.obtain({
          client,
          account,
          names,
          csr,
          key: parseCertificationRequest(csr).publicKey,
          solvers,
          signal,
          timeoutMs: engine.orderMs,
          onStep: (step) => {
            onStep?.(step);
            return step.kind === 'order' && step.url !== undefined ? onOrder?.(step.url) : undefined;
          },
          ...(resume !== undefined && { resume }),
          ...(issuer.profile !== null && { profile: issuer.profile }),
          ...(issuer.preferred_chain !== null && { preferredChain: issuer.preferred_chain }),
        });
        return chain.pem;
      });
    },
    revoke(issuerId, certificate, reason, signal) {
      return withAccount(issuerId, signal, ({ client, account }) =>
        client.revoke({ certificate, reason, by: { account } }, signal),
      );
    },
  };
}

type Account = Awaited<ReturnType<IssuerConnections['accounts']['of']>>;
