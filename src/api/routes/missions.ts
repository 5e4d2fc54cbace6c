import { Type } from 'typebox';
import {
  MISSION_STATUSES,
  Mission,
  MissionEvent,
  PageQuery,
  ProposeMission,
  RejectMission,
  words,
} from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, lists, type RouteDeps } from '../route.ts';
import { answerSteps, StepsQuery } from '../steps.ts';

export function missionRoutes(api: Api, { control, clock }: RouteDeps): void {
  const { missions } = control;
  const tags = ['missions'];
  api.get(
    '/missions',
    {
      schema: {
        tags,
        operationId: 'listMissions',
        summary: 'Lists missions, newest first',
        querystring: Type.Object({ ...PageQuery, status: Type.Optional(words(MISSION_STATUSES)) }),
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
        summary: 'Proposes a mission; nothing runs before it is approved',
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
        summary: 'Approves it; it runs once enough people did',
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
        summary: 'Rejects it for good',
        params: IdPath,
        body: RejectMission,
        response: answers(Mission),
      },
    },
    async (request) => ({
      data: await missions.reject(request.actor, request.params.id, request.body.reason ?? ''),
    }),
  );
  api.get(
    '/missions/:id/events',
    {
      schema: {
        tags,
        operationId: 'getMissionEvents',
        summary: 'Its steps; as server-sent events when asked for text/event-stream',
        params: IdPath,
        querystring: StepsQuery,
        response: answers(Type.Array(MissionEvent)),
      },
    },
    (request, reply) => {
      const { actor, params } = request;
      return answerSteps(request, reply, clock, (after, limit) => missions.events(actor, params.id, after, limit));
    },
  );
}
