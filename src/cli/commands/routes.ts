import type { Command } from 'commander';
import type { Exposure, IngressRoute } from '../../contract/index.ts';
import type { Act } from '../context.ts';

export function routeCommands(program: Command, act: Act): void {
  const routes = program.command('routes').description('routes: what is published, and how far each place has it');
  routes
    .command('list')
    .description('list them')
    .option('--prefix <text>', 'of hosts that begin so')
    .action(
      act(async ({ client, output }, options: { prefix?: string }) => {
        const query = options.prefix === undefined ? '' : `?prefix=${encodeURIComponent(options.prefix)}`;
        const all = await client.list<IngressRoute>(`/system/ingress_routes${query}`);
        if (output.json) return output.value(all);
        if (all.length === 0) return output.line('nothing is published');
        output.table(
          ['HOSTS', 'LIVE', 'SOURCE', 'BACKEND', 'WHERE'],
          all.map((route) => [
            route.hosts.join(', '),
            route.live ? output.good('yes') : output.warn('no'),
            route.source,
            route.routers[0]?.backend ?? '-',
            route.delivery.map(({ publisher, state }) => `${publisher} ${state}`).join(', '),
          ]),
        );
      }),
    );
  routes
    .command('compose')
    .description('publish again: everything, or what one certificate needs')
    .option('--certificate <id>', 'for this certificate')
    .action(
      act(async ({ client, output }, options: { certificate?: string }) => {
        const { certificate } = options;
        const query = certificate === undefined ? '' : `?certificate_id=${encodeURIComponent(certificate)}`;
        await client.call('POST', `/system/ingress_routes/compose${query}`);
        if (output.json) return output.value({ composed: certificate ?? 'all' });
        output.line(`${output.good('✓')} published again`);
      }),
    );
  exposureCommands(program, act);
}

function exposureCommands(program: Command, act: Act): void {
  const exposures = program
    .command('exposures')
    .description('exposures: services that were made public, and those that are half there');
  const show = ({ output }: Parameters<Parameters<Act>[0]>[0], all: readonly Exposure[]) => {
    if (output.json) return output.value(all);
    if (all.length === 0) return output.line('nothing is exposed; gatehouse expose proposes it');
    output.table(
      ['URL', 'STATUS', 'TLS ENDS AT', 'BACKEND PORT', 'ISSUER', 'MISSION'],
      all.map((one) => [
        one.public_url,
        one.status === 'exposed' ? output.good(one.status) : output.warn(one.status),
        one.protocol === 'http' ? '-' : one.termination,
        String(one.backend_port),
        one.issuer ?? '-',
        one.mission_id,
      ]),
    );
  };
  exposures
    .command('list')
    .description('list them')
    .action(act(async (context) => show(context, await context.client.list<Exposure>('/system/exposures'))));
  exposures
    .command('show <hostname>')
    .description('those of a host name')
    .action(
      act(async (context, hostname: string) =>
        show(
          context,
          await context.client.call<Exposure[]>('GET', `/system/exposures/${encodeURIComponent(hostname)}`),
        ),
      ),
    );
}
