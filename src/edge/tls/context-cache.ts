import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Clock } from '../../base/index.ts';
import type { ServedCertificate } from '../../picture/index.ts';
import { chooseCertificate } from './choose-certificate.ts';
import { closeContext, createServerContext } from './secure-context.ts';
import type { TicketKeys } from './ticket-keys.ts';

export interface ContextCacheOptions {
  certificatesFor(serverName: string): readonly ServedCertificate[];
  /** Policy, client CAs and session context of the listener. */
  readonly context: SecureContextOptions;
  tickets(): TicketKeys;
  /** Contexts kept; each is 25–40 kB outside the JavaScript heap. */
  readonly capacity: number;
  readonly clock: Clock;
}

/** TLS contexts by server name: made when first asked for, bounded, forgotten when their certificate changes. */
export interface ContextCache {
  /** Undefined when no certificate is for this name. Throws what OpenSSL says about a broken one. */
  contextFor(serverName: string): SecureContext | undefined;
  forget(certificateIds: Iterable<string> | 'all'): void;
  size(): number;
  close(): void;
}

interface Entry {
  readonly id: string;
  readonly version: string;
  readonly context: SecureContext;
  readonly names: Set<string>;
  /** When the choice is made anew, because another certificate may be better then. */
  readonly stale: number;
}

// A wildcard can be asked for under any number of names.
const NAMES_PER_CONTEXT = 8;
// An expired certificate is still served; so often is looked for a better one.
const LOOK_AGAIN_MS = 60_000;

export function createContextCache(options: ContextCacheOptions): ContextCache {
  const { capacity, clock } = options;
  const byId = new Map<string, Entry>();
  const byName = new Map<string, Entry>();

  const drop = (entry: Entry) => {
    for (const name of entry.names) if (byName.get(name) === entry) byName.delete(name);
    if (byId.get(entry.id) === entry) byId.delete(entry.id);
    closeContext(entry.context);
  };
  const dropName = (name: string) => {
    byName.get(name)?.names.delete(name);
    byName.delete(name);
  };
  const oldest = <K, V>(map: Map<K, V>) => map.entries().next().value as [K, V];

  const make = (certificate: ServedCertificate): Entry => {
    const previous = byId.get(certificate.id);
    if (previous !== undefined) drop(previous);
    const now = clock.now();
    const { chain: cert, key } = certificate;
    const entry: Entry = {
      id: certificate.id,
      version: certificate.version,
      context: createServerContext({ ...options.context, cert, key }, options.tickets),
      names: new Set(),
      stale: certificate.notAfter > now ? certificate.notAfter : now + LOOK_AGAIN_MS,
    };
    byId.set(entry.id, entry);
    if (byId.size > capacity) drop(oldest(byId)[1]);
    return entry;
  };
  const find = (serverName: string): Entry | undefined => {
    const now = clock.now();
    const certificate = chooseCertificate(options.certificatesFor(serverName), serverName, now);
    if (certificate === undefined) return undefined;
    const known = byId.get(certificate.id);
    const entry = known?.version === certificate.version && known.stale > now ? known : make(certificate);
    entry.names.add(serverName);
    byName.set(serverName, entry);
    if (byName.size > capacity * NAMES_PER_CONTEXT) dropName(oldest(byName)[0]);
    return entry;
  };

  return {
    contextFor(serverName) {
      const known = byName.get(serverName);
      if (known === undefined) return find(serverName)?.context;
      if (known.stale <= clock.now()) {
        dropName(serverName);
        return find(serverName)?.context;
      }
      if (byId.size * 2 > capacity) {
        // Order of use matters only when something may have to go.
        byId.delete(known.id);
        byId.set(known.id, known);
      }
      return known.context;
    },
    forget(certificateIds) {
      if (certificateIds === 'all') for (const entry of [...byId.values()]) drop(entry);
      else {
        // A new certificate may be the better one for names that another serves now.
        byName.clear();
        for (const entry of byId.values()) entry.names.clear();
        for (const id of certificateIds) {
          const entry = byId.get(id);
          if (entry !== undefined) drop(entry);
        }
      }
    },
    size: () => byId.size,
    close() {
      for (const entry of [...byId.values()]) drop(entry);
    },
  };
}
