import type { Actor, Control } from '../control/index.ts';

/** What a model may read without calling anything. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly description: string;
  read(control: Control, actor: Actor): Promise<unknown>;
}

const FIRST_PAGE = { limit: 200 };

export const RESOURCES: readonly Resource[] = [
  {
    uri: 'gatehouse://routes',
    name: 'Published routes',
    description: 'The routes that are published, and how far each publisher has them.',
    read: async (control, actor) => (await control.ingress.list(actor, FIRST_PAGE)).data,
  },
  {
    uri: 'gatehouse://certificates',
    name: 'Certificates',
    description: 'Certificates, where each stands and why.',
    read: async (control, actor) => (await control.certificates.list(actor, FIRST_PAGE)).data,
  },
  {
    uri: 'gatehouse://missions',
    name: 'Missions',
    description: 'Plans that wait for approval, run, or have ended.',
    read: async (control, actor) => (await control.missions.list(actor, FIRST_PAGE)).data,
  },
];
