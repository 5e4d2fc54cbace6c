import { Type } from 'typebox';
import { Fault } from '../../base/index.ts';
import {
  EXPOSE_FIELDS,
  Mission,
  type MissionKindName,
  PageQuery,
  REQUIRED_FIELDS,
  UNEXPOSE_FIELDS,
} from '../../contract/index.ts';
import { MAKES, MAKES_ONCE, READS, type Tool, textOf } from '../tool.ts';

const Proposed = Type.Object({
  mission: Mission,
  next: Type.String({ description: 'what a person has to do now' }),
});

/** Loose on purpose: the engine checks every input at once and says the same words on every surface. */
const Loose = (fields: Readonly<Record<string, string>>, required: ReadonlySet<string>) =>
  Type.Object(
    Object.fromEntries(
      Object.entries(fields).map(([name, what]) => {
        const description = required.has(name) ? `${what} (required)` : what;
        return [name, Type.Optional(Type.Unknown({ description }))];
      }),
    ),
    { maxProperties: 50 },
  );

/** A tool that needs approval: it plans, and answers the mission and where to approve it. It can do nothing itself. */
function proposes(
  kind: MissionKindName,
  tool: Pick<Tool, 'name' | 'title' | 'description' | 'permission' | 'input'>,
): Tool {
  return {
    ...tool,
    description: `${tool.description} Nothing is done before a person approves the mission that this answers.`,
    output: Proposed,
    hints: MAKES,
    async run(control, actor, input) {
      const mission = await control.missions.propose(actor, { kind, inputs: { ...input } });
      return { mission, next: `a person with missions.approve approves it: ${mission.approve?.command}` };
    },
  };
}

export const missionTools: readonly Tool[] = [
  proposes('expose_service_publicly', {
    name: 'system_expose_service_publicly',
    title: 'Expose a service publicly',
    description:
      'Proposes the whole chain: virtual IP, port mapping on a hub, certificate by DNS-01, proxy configuration, and a look at the outcome.',
    permission: 'system.ingress.manage',
    input: Loose(EXPOSE_FIELDS, REQUIRED_FIELDS),
  }),
  proposes('unexpose_service', {
    name: 'system_unexpose_service',
    title: 'Withdraw a service',
    description: 'Proposes to take a public service down, in the reverse order.',
    permission: 'system.ingress.manage',
    input: Loose(UNEXPOSE_FIELDS, new Set(['service_hostname'])),
  }),
  {
    name: 'system_get_mission',
    title: 'Look at a mission',
    description: 'How far a mission is, what it made, and why it failed if it did.',
    permission: 'system.ingress.read',
    input: Type.Object({ mission_id: Type.String({ maxLength: 100 }) }),
    output: Type.Object({ mission: Mission }),
    hints: READS,
    run: async (control, actor, input) => ({ mission: await control.missions.get(actor, textOf(input, 'mission_id')) }),
  },
  {
    name: 'system_list_missions',
    title: 'List missions',
    description: 'Missions, newest first.',
    permission: 'system.ingress.read',
    input: Type.Object(PageQuery),
    output: Type.Object({ missions: Type.Array(Mission), next_cursor: Type.Union([Type.String(), Type.Null()]) }),
    hints: READS,
    async run(control, actor, input) {
      const { data, page } = await control.missions.list(actor, input);
      return { missions: data, next_cursor: page.next_cursor };
    },
  },
];

export const composeTool: Tool = {
  name: 'system_reverse_proxy_compose',
  title: 'Publish again',
  description: 'Publishes routes and certificates to the proxy again, for a certificate that is good and not served.',
  permission: 'system.ingress.manage',
  input: Type.Object({ certificate_id: Type.String({ maxLength: 300, description: 'its status must be valid' }) }),
  output: Type.Object({ composed: Type.Boolean(), certificate_id: Type.String() }),
  hints: MAKES_ONCE,
  async run(control, actor, input) {
    const { id, served, status } = await control.certificates.get(actor, textOf(input, 'certificate_id'));
    if (served === null)
      throw new Fault({
        code: 'certificate_not_valid',
        detail: `the certificate ${id} is ${status}, so there is nothing to publish`,
        party: 'client',
        retry: 'never',
        status: 409,
        field: 'certificate_id',
        advice: 'system_acme_get_certificate says what it waits for',
      });
    await control.ingress.compose(actor, id);
    return { composed: true, certificate_id: id };
  },
};
