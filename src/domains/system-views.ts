import { lookup, Resolver } from 'node:dns/promises';
import type { DnsViews, ViewAnswer } from './ports.ts';

/** The system's own resolver as the one view, where no other is configured. */
export function createSystemViews(servers?: readonly string[]): DnsViews {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers !== undefined && servers.length > 0) resolver.setServers(servers);
  const server = resolver.getServers()[0] ?? 'system';
  const view = servers === undefined ? 'system' : 'resolver';
  return {
    async look(name) {
      const cname: string[] = [];
      let problem: string | undefined;
      const aliases = await resolver.resolveCname(name).catch(() => []);
      cname.push(...aliases.map((alias) => alias.toLowerCase()));
      const found = await Promise.allSettled(
        servers === undefined
          ? [lookup(name, { all: true }).then((all) => all.map(({ address }) => address))]
          : [resolver.resolve4(name), resolver.resolve6(name)],
      );
      const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
      const failed = found.find((one) => one.status === 'rejected');
      if (addresses.length === 0 && failed !== undefined)
        problem = String((failed.reason as { code?: string }).code ?? failed.reason);
      const answer: ViewAnswer = { view, server, addresses, cname, ...(problem !== undefined && { problem }) };
      const caa = await resolver.resolveCaa(name).catch(() => []);
      return { answers: [answer], caa: { records: caa.map((record) => JSON.stringify(record)) } };
    },
    async txt(name) {
      const records = await resolver.resolveTxt(name).catch(() => []);
      return records.map((chunks) => chunks.join(''));
    },
  };
}
