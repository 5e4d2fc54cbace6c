import type { KeyObject } from 'node:crypto';
import type { AuthorizationObject, ChallengeObject, Directory } from '../acme/index.ts';
import type { Clock } from '../base/index.ts';
import { type AcmeAccount, changeKey, deactivate, type Registration, register, updateContact } from './account.ts';
import {
  type AcmeOrder,
  downloadChains,
  finalize,
  getAuthorization,
  getOrder,
  type NewOrder,
  newOrder,
  type Polled,
  respond,
} from './order.ts';
import { type RenewalInfo, renewalInfo } from './renewal-info.ts';
import { createRequests } from './request.ts';
import { type Revocation, revoke } from './revoke.ts';
import { createTransport, type Transport, type TransportOptions } from './transport.ts';

/** A conversation with one CA. Every method throws the `Fault` that says who failed, and whether and when to try again. */
export interface AcmeClient {
  readonly clock: Clock;
  directory(signal?: AbortSignal): Promise<Directory>;
  register(key: KeyObject, registration: Registration, signal?: AbortSignal): Promise<AcmeAccount>;
  updateContact(account: AcmeAccount, contact: readonly string[], signal?: AbortSignal): Promise<void>;
  changeKey(account: AcmeAccount, newKey: KeyObject, signal?: AbortSignal): Promise<AcmeAccount>;
  deactivate(account: AcmeAccount, signal?: AbortSignal): Promise<void>;
  newOrder(account: AcmeAccount, order: NewOrder, signal?: AbortSignal): Promise<AcmeOrder>;
  getOrder(account: AcmeAccount, url: string, signal?: AbortSignal): Promise<Polled<AcmeOrder>>;
  getAuthorization(account: AcmeAccount, url: string, signal?: AbortSignal): Promise<Polled<AuthorizationObject>>;
  respond(account: AcmeAccount, challenge: ChallengeObject, signal?: AbortSignal): Promise<Polled<ChallengeObject>>;
  finalize(account: AcmeAccount, order: AcmeOrder, csr: Uint8Array, signal?: AbortSignal): Promise<Polled<AcmeOrder>>;
  /** PEM chains of a valid order's certificate: the default one first. */
  downloadChains(
    account: AcmeAccount,
    url: string,
    options: { alternates: boolean; signal?: AbortSignal },
  ): Promise<[string, ...string[]]>;
  renewalInfo(certificateId: string, signal?: AbortSignal): Promise<RenewalInfo | undefined>;
  revoke(revocation: Revocation, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface AcmeClientOptions extends TransportOptions {
  /** URL of the CA's directory (RFC 8555 §7.1.1). */
  readonly directory: string;
  readonly clock: Clock;
  /** Another way to exchange messages, for tests. */
  readonly transport?: Transport;
}

export function createAcmeClient(options: AcmeClientOptions): AcmeClient {
  const { clock } = options;
  const transport = options.transport ?? createTransport(options);
  const requests = createRequests(options.directory, transport, clock);
  return {
    clock,
    directory: requests.directory,
    register: (key, registration, signal) => register(requests, key, registration, signal),
    updateContact: (account, contact, signal) => updateContact(requests, account, contact, signal),
    changeKey: (account, newKey, signal) => changeKey(requests, account, newKey, signal),
    deactivate: (account, signal) => deactivate(requests, account, signal),
    newOrder: (account, order, signal) => newOrder(requests, account, order, signal),
    getOrder: (account, url, signal) => getOrder(requests, account, url, clock, signal),
    getAuthorization: (account, url, signal) => getAuthorization(requests, account, url, clock, signal),
    respond: (account, challenge, signal) => respond(requests, account, challenge, clock, signal),
    finalize: (account, order, csr, signal) => finalize(requests, account, order, csr, clock, signal),
    downloadChains: (account, url, chains) => downloadChains(requests, account, url, chains),
    renewalInfo: (certificateId, signal) => renewalInfo(requests, certificateId, clock, signal),
    revoke: (revocation, signal) => revoke(requests, revocation, signal),
    close: () => transport.close(),
  };
}
