import { getServers } from 'node:dns';
import { Fault, faultOf } from '../base/index.ts';
import { type Ask, ask } from './ask.ts';
import { aliasChain, createResolver, type Resolver } from './resolver.ts';
import { parseServerAddress, type ServerAddress } from './server-address.ts';
import { type Authority, descendFromRoot, findZone, nameServersOf } from './zone-cut.ts';

export interface DnsClientOptions {
  /** Resolvers to ask instead of the system's: `1.1.1.1:53`, `https://dns.example/dns-query`. */
  readonly resolvers?: readonly string[];
  /** The machine's own resolvers; as it is set up when absent. */
  readonly system?: readonly string[];
  /**
   * Root servers to descend from when the resolver cannot find a zone; none: never. Names of RFC 6761 are never asked
   * there.
   */
  readonly roots?: readonly string[];
  /** Port at which name servers of zones are asked; 53, except in tests. */
  readonly nameServerPort?: number;
  readonly ask?: Ask;
}

/** Who serves a name, and how that was found out. */
export interface FoundAuthority extends Authority {
  /** What the resolver said, where it could not find the zone and the root was asked: a split horizon. */
  readonly resolverProblem?: string;
}

/** Everything that is asked of the DNS goes through here. */
export interface DnsClient {
  readonly ask: Ask;
  readonly system: readonly ServerAddress[];
  readonly configured: readonly ServerAddress[];
  /** The configured resolvers, else the system's. */
  readonly resolver: Resolver;
  /** Names that `name` is an alias of, in order. */
  aliases(name: string, signal: AbortSignal): Promise<string[]>;
  /** Throws a `Fault` of party `dns` that says which resolver said what, and what to do about it. */
  authority(name: string, signal: AbortSignal): Promise<FoundAuthority>;
}

/** IPv4 addresses of the root servers (https://www.iana.org/domains/root/servers), a few of the thirteen. */
export const ROOT_SERVERS = ['198.41.0.4', '192.33.4.12', '192.5.5.241', '193.0.14.129', '199.7.83.42'] as const;

export function createDnsClient(options: DnsClientOptions = {}): DnsClient {
  const asking = options.ask ?? ask;
  const port = options.nameServerPort ?? 53;
  const configured = (options.resolvers ?? []).map((text, index) =>
    parseServerAddress(text, `dns_resolvers[${index}]`),
  );
  const roots = (options.roots ?? []).map((text) => parseServerAddress(text));
  const system = systemServers(options.system ?? getServers());
  const resolver = createResolver(configured.length > 0 ? configured : system, asking);

  async function throughResolver(name: string, signal: AbortSignal): Promise<Authority> {
    const zone = await findZone(name, resolver, signal);
    const servers = await nameServersOf(zone, resolver, port, signal);
    if (servers.length > 0) return { zone, servers };
    throw new Fault({
      code: 'dns_lookup_failed',
      detail: `the name servers of ${zone} have no addresses`,
      party: 'dns',
      retry: 'backoff',
    });
  }

  return {
    ask: asking,
    system,
    configured,
    resolver,
    aliases: async (name, signal) => aliasChain(name, await resolver.query(name, 'TXT', signal)),
    async authority(name, signal) {
      try {
        return await throughResolver(name, signal);
      } catch (error) {
        signal.throwIfAborted();
        const problem = faultOf(error).message;
        if (roots.length > 0 && !isSpecialUse(name)) {
          const context = { ask: asking, roots, resolver, port };
          const found = await descendFromRoot(name, context, signal).catch(() => undefined);
          signal.throwIfAborted();
          if (found !== undefined && found.zone !== '') return { ...found, resolverProblem: problem };
        }
        throw new Fault(
          {
            code: 'dns_zone_unknown',
            detail: `could not find the zone of ${name}: ${problem}`,
            party: 'dns',
            retry: 'backoff',
            advice: SPLIT_HORIZON_ADVICE,
          },
          error,
        );
      }
    },
  };
}

export const SPLIT_HORIZON_ADVICE =
  'if this network has its own view of the domain (split horizon), name public resolvers: ' +
  'GATEHOUSE_ACME_DNS_RESOLVERS=1.1.1.1:53,1.0.0.1:53';

/** RFC 6761, RFC 8375 and RFC 2606 §3: names that nobody outside this network knows, or nobody at all. */
export const isSpecialUse = (name: string): boolean =>
  /(^|\.)(test|localhost|invalid|example|example\.(com|net|org)|local|internal|home\.arpa|onion)$/.test(name);

function systemServers(addresses: readonly string[]): ServerAddress[] {
  return addresses.flatMap((text) => {
    // Scoped addresses (fe80::1%eth0) are left to the system.
    try {
      return [parseServerAddress(text)];
    } catch {
      return [];
    }
  });
}
