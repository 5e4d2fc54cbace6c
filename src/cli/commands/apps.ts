import type { Command } from 'commander';
import type { App } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { relative } from '../words.ts';

const upstreamsOf = (app: App): string =>
  app.upstreams.map(({ url, weight }) => (weight === undefined ? url : `${url} (weight ${weight})`)).join(', ');

const collect = (value: string, all: string[] = []) => [...all, value];

export function appCommands(program: Command, act: Act): void {
  const apps = program.command('apps').description('apps: names of upstreams that domains lead to');
  apps
    .command('create <id>')
    .description('create an app')
    .requiredOption('--upstream <url>', 'where its requests go; repeat for several', collect)
    .option('--name <name>', 'what people call it')
    .action(
      act(async ({ client, output }, id: string, options: { upstream: string[]; name?: string }) => {
        const app = await client.call<App>('POST', '/apps', {
          id,
          upstreams: options.upstream,
          ...(options.name && { name: options.name }),
        });
        if (output.json) return output.value(app);
        output.line(`${output.good('✓')} ${app.id} leads to ${upstreamsOf(app)}`);
        if (app.auto_domain !== null) output.line(`  its own name is ${app.auto_domain}`);
        output.line(output.dim(`  next: gatehouse domains add <name> --app ${app.id}`));
      }),
    );
  apps
    .command('list')
    .description('list apps')
    .action(
      act(async ({ client, output, now }) => {
        const all = await client.list<App>('/apps');
        if (output.json) return output.value(all);
        if (all.length === 0) return output.line('no apps yet; make one: gatehouse apps create <id> --upstream <url>');
        output.table(
          ['APP', 'UPSTREAMS', 'OWN NAME', 'CREATED'],
          all.map((app) => [app.id, upstreamsOf(app), app.auto_domain ?? '-', relative(app.created_at, now())]),
        );
      }),
    );
  apps
    .command('show <app>')
    .description('show an app')
    .action(
      act(async ({ client, output, now }, id: string) => {
        const app = await client.call<App>('GET', `/apps/${encodeURIComponent(id)}`);
        if (output.json) return output.value(app);
        output.line(output.bold(app.id) + (app.name === app.id ? '' : ` (${app.name})`));
        output.line(`  leads to   ${upstreamsOf(app)}`);
        output.line(`  own name   ${app.auto_domain ?? 'none: no base domain is configured'}`);
        output.line(`  created    ${relative(app.created_at, now())}`);
      }),
    );
  apps
    .command('change <app>')
    .description('change name or upstreams')
    .option('--upstream <url>', 'replaces the upstreams; repeat for several', collect)
    .option('--name <name>', 'what people call it')
    .action(
      act(async ({ client, output }, id: string, options: { upstream?: string[]; name?: string }) => {
        const change = {
          ...(options.upstream && { upstreams: options.upstream }),
          ...(options.name && { name: options.name }),
        };
        const app = await client.call<App>('PATCH', `/apps/${encodeURIComponent(id)}`, change);
        if (output.json) return output.value(app);
        output.line(`${output.good('✓')} ${app.id} leads to ${upstreamsOf(app)}`);
      }),
    );
  apps
    .command('delete <app>')
    .description('delete an app')
    .option('--with-domains', 'and its domains, which withdraws their routes and certificates')
    .action(
      act(async ({ client, output }, id: string, options: { withDomains?: boolean }) => {
        await client.call(
          'DELETE',
          `/apps/${encodeURIComponent(id)}${options.withDomains ? '?with_domains=true' : ''}`,
        );
        if (output.json) return output.value({ deleted: id });
        output.line(`${output.good('✓')} ${id} is deleted`);
      }),
    );
}
