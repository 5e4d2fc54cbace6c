import { SystemCa, SystemStatus } from '../../contract/index.ts';
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
}
