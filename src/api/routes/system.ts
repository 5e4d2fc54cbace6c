import { Type } from 'typebox';
import { CaAuthority, ImportCa, RollOverCa, SystemCa, SystemStatus } from '../../contract/index.ts';
import { type Api, answers, type RouteDeps } from '../route.ts';

export function systemRoutes(api: Api, { control }: RouteDeps): void {
  const tags = ['system'];
  api.get(
    '/status',
    {
      schema: {
        tags,
        operationId: 'getStatus',
        summary: 'Counts, and what needs a person',
        response: answers(SystemStatus),
      },
    },
    async (request) => ({ data: await control.system.status(request.actor) }),
  );
  api.get(
    '/system/ca',
    {
      schema: { tags, operationId: 'getCa', summary: 'The root that clients must trust', response: answers(SystemCa) },
    },
    async () => ({ data: await control.system.ca() }),
  );
  api.get(
    '/system/ca/authorities',
    {
      schema: {
        tags,
        operationId: 'listCaAuthorities',
        summary: 'Roots and intermediates, the oldest first',
        response: answers(Type.Array(CaAuthority)),
      },
    },
    async (request) => ({ data: await control.system.authorities(request.actor) }),
  );
  api.post(
    '/system/ca/rollover',
    {
      schema: {
        tags,
        operationId: 'rollOverCa',
        summary: 'A new intermediate signs from now on; what was issued keeps its chain',
        body: RollOverCa,
        response: answers(CaAuthority),
      },
    },
    async (request) => ({ data: await control.system.rollOverCa(request.actor, request.body) }),
  );
  api.post(
    '/system/ca/import',
    {
      schema: {
        tags,
        operationId: 'importCa',
        summary: 'An existing CA signs from now on',
        body: ImportCa,
        response: answers(CaAuthority),
      },
    },
    async (request) => ({ data: await control.system.importCa(request.actor, request.body) }),
  );
}
