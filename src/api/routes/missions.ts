import { Type } from 'typebox';
import { Mission, MissionEvent, MissionQuery, ProposeMission, RejectMission } from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, lists, type RouteDeps } from '../route.ts';
import { answerSteps, StepsQuery } from '../steps.ts';

export function missionRoutes(api: Api, deps: RouteDeps): void {
  const { missions } = deps.control;
  const tags = ['missions'];
  api.get(
    '/missions',
    {
      schema: {
        tags,
        operationId: 'listMissions',
        summary: 'Lists missions, newest first',
        querystring: MissionQuery,
        response: lists(Mission),
      },
    },
    (request) => missions.list(request.actor, request.query),
  );
  api.post(
    '/missions',
    {
      schema: {
        tags,
        operationId: 'proposeMission',
        summary: 'Plans and proposes; nothing is done before approval',
        body: ProposeMission,
        response: creates(Mission),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await missions.propose(request.actor, request.body) }),
  );
  api.get(
    '/missions/:id',
    {
      schema: {
        tags,
        operationId: 'getMission',
        summary: 'Shows a mission',
        params: IdPath,
        response: answers(Mission),
      },
    },
    async (request) => ({ data: await missions.get(request.actor, request.params.id) }),
  );
  api.post(
    '/missions/:id/approve',
    {
      schema: {
        tags,
        operationId: 'approveMission',
        summary: 'Approves the plan as it was shown; it is planned again first, and refused if that gives another plan',
        params: IdPath,
        response: answers(Mission),
      },
    },
    async (request) => ({ data: await missions.approve(request.actor, request.params.id) }),
  );
  api.post(
    '/missions/:id/reject',
    {
      schema: {
        tags,
        operationId: 'rejectMission',
        summary: 'Rejects a mission',
        params: IdPath,
        body: Type.Optional(RejectMission),
        response: answers(Mission),
      },
    },
    async (request) => ({ data: await missions.reject(request.actor, request.params.id, request.body?.reason) }),
  );
  api.get(
    '/missions/:id/events',
    {
      schema: {
        tags,
        operationId: 'getMissionEvents',
        summary: 'What happened; as server-sent events when asked for text/event-stream',
        params: IdPath,
        querystring: StepsQuery,
        response: answers(Type.Array(MissionEvent)),
      },
    },
    (request, reply) => {
      const { actor, params } = request;
      return answerSteps(request, reply, deps.clock, (after, limit) => missions.events(actor, params.id, after, limit));
    },
  );
}
